"""Budgets: as they are written, and what they allow."""

import time

import pytest

from scanner.attack import Budget, BudgetSpent
from scanner.errors import UnusableInputError


@pytest.mark.parametrize(
    ("text", "amount", "unit"),
    [
        ("5000images", 5000, "images"),
        ("5,000 images", 5000, "images"),
        ("1e6evaluations", 1e6, "evaluations"),
        ("2h", 2, "hours"),
        ("90 min", 1.5, "hours"),
    ],
)
def test_a_budget_as_it_is_written(text, amount, unit):
    budget = Budget.parse(text)
    assert (budget.amount, budget.unit) == (pytest.approx(amount), unit)


@pytest.mark.parametrize("text", ["", "2", "h", "2 days", "-3h", "1.2.3h", "lots of images"])
def test_what_is_no_budget_is_refused(text):
    with pytest.raises(UnusableInputError, match="--budget"):
        Budget.parse(text)


def test_images_are_allowed_up_to_the_budget_and_no_further():
    budget = Budget.parse("10images")
    budget.allow(10)
    budget.count(images=8, evaluations=1000)
    budget.allow(2)
    with pytest.raises(BudgetSpent, match="budget of 10 images is used up"):
        budget.allow(3)


def test_evaluations_and_hours_end_once_they_are_used_up():
    budget = Budget.parse("100evaluations")
    budget.count(images=1, evaluations=99)
    budget.allow(64)
    budget.count(images=1, evaluations=1)
    with pytest.raises(BudgetSpent, match="100 evaluations"):
        budget.allow(1)
    late = Budget(amount=1, unit="hours", began=time.monotonic() - 3601)
    with pytest.raises(BudgetSpent, match="1 hours"):
        late.allow(1)
