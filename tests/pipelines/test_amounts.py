"""Amounts as people write them."""

import pytest

from pipelines.amounts import Budget, rows_of
from scanner.errors import UnusableInputError


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("2e9", 2_000_000_000),
        ("100M", 100_000_000),
        ("2.5b", 2_500_000_000),
        ("10 k", 10_000),
        ("1,000,000", 1_000_000),
        ("1_000", 1000),
        ("1.5e+3", 1500),
        ("0", None),
        ("0.1", None),
        ("-5", None),
        ("runs/laion", None),
        ("1e", None),
        ("", None),
        ("1e9999", None),
    ],
)
def test_rows(text, rows):
    assert rows_of(text) == rows


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("20000", 20000, "images"),
        ("5,000 images", 5000, "images"),
        ("1e6evaluations", 1e6, "evaluations"),
        ("12h", 12, "hours"),
        ("1.5 Hours", 1.5, "hours"),
        ("90min", 1.5, "hours"),
    ],
)
def test_budgets(text, amount, unit):
    assert Budget.parse(text) == Budget(amount=amount, unit=unit)


@pytest.mark.parametrize("text", ["", "h", "12 days", "0", "-3h", "many", "1e9999h"])
def test_what_is_no_budget_is_refused(text):
    with pytest.raises(UnusableInputError, match="no budget"):
        Budget.parse(text)
