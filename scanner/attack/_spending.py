"""What an attack may spend, asked before anything is made: images, denoiser evaluations or hours.

What earlier tries of the same attack made counts as spent, except for hours, which are those of this try.

    >>> spending = Spending(amount=10, unit="images")
    >>> spending.count(images=8, evaluations=0)
    >>> spending.allow(2)
"""

import time
from dataclasses import dataclass, field

from scanner.errors import ScannerError


class BudgetSpent(ScannerError):
    """Nothing more may be made."""


@dataclass(kw_only=True)
class Spending:
    """How much may be spent, and what is."""

    amount: float
    """Images, evaluations or hours."""
    unit: str
    """images, evaluations or hours."""
    spent: float = 0.0
    """Images or evaluations so far."""
    began: float = field(default_factory=time.monotonic)
    """When this try began, seconds of the monotonic clock."""

    def allow(self, images: int) -> None:
        """Raises BudgetSpent when so many more images would go beyond it, or it is used up."""
        used = (time.monotonic() - self.began) / 3600 if self.unit == "hours" else self.spent
        if used + (images if self.unit == "images" else 0) > self.amount or used >= self.amount:
            raise BudgetSpent(f"The budget of {self.amount:g} {self.unit} is used up.")

    def count(self, *, images: int, evaluations: int) -> None:
        """Note what was made."""
        self.spent += {"images": images, "evaluations": evaluations}.get(self.unit, 0)
