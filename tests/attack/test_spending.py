"""What may be spent, and what is."""

import time

import pytest

from scanner.attack import BudgetSpent, Spending


def test_images_are_allowed_up_to_the_budget_and_no_further():
    spending = Spending(amount=10, unit="images")
    spending.allow(10)
    spending.count(images=8, evaluations=1000)
    spending.allow(2)
    with pytest.raises(BudgetSpent, match="budget of 10 images is used up"):
        spending.allow(3)


def test_evaluations_and_hours_end_once_they_are_used_up():
    spending = Spending(amount=100, unit="evaluations")
    spending.count(images=1, evaluations=99)
    spending.allow(64)
    spending.count(images=1, evaluations=1)
    with pytest.raises(BudgetSpent, match="100 evaluations"):
        spending.allow(1)
    late = Spending(amount=1, unit="hours", began=time.monotonic() - 3601)
    with pytest.raises(BudgetSpent, match="1 hours"):
        late.allow(1)
