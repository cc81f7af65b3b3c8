"""A budget of images, denoiser evaluations or hours, asked before anything is spent.

What earlier tries of the same attack made counts as spent, except for hours, which are those of this try.

    >>> Budget.parse("5000 images").amount
    5000.0
"""

import re
import time
from dataclasses import dataclass, field

from scanner.errors import ScannerError, UnusableInputError

UNITS = {"images": 1.0, "evaluations": 1.0, "h": 1.0, "hours": 1.0, "min": 1 / 60, "minutes": 1 / 60}


class BudgetSpent(ScannerError):
    """Nothing more may be made."""


@dataclass(kw_only=True)
class Budget:
    """How much may be spent, and what is."""

    amount: float
    """Images, evaluations or hours."""
    unit: str
    """images, evaluations or hours."""
    spent: float = 0.0
    """Images or evaluations so far."""
    began: float = field(default_factory=time.monotonic)
    """When this try began, seconds of the monotonic clock."""

    @classmethod
    def parse(cls, text: str) -> "Budget":
        """From `5000images`, `1e6 evaluations`, `2h` or `90 min`. Raises UnusableInputError for anything else."""
        found = re.fullmatch(r"\s*([0-9][0-9.,_]*(?:e[0-9]+)?)\s*([a-z]+)\s*", text.lower())
        unit = found.group(2) if found else ""
        if not found or unit not in UNITS:
            raise UnusableInputError(
                f"--budget {text} is no budget; give it as 5000images, 1e6evaluations, 2h or 90min."
            )
        try:
            amount = float(found.group(1).replace(",", "").replace("_", "")) * UNITS[unit]
        except ValueError as error:
            raise UnusableInputError(f"--budget {text} is no number of {unit}.") from error
        return cls(amount=amount, unit=unit if unit in ("images", "evaluations") else "hours")

    def allow(self, images: int) -> None:
        """Raises BudgetSpent when so many more images would go beyond it, or it is used up."""
        used = (time.monotonic() - self.began) / 3600 if self.unit == "hours" else self.spent
        if used + (images if self.unit == "images" else 0) > self.amount or used >= self.amount:
            raise BudgetSpent(f"The budget of {self.amount:g} {self.unit} is used up.")

    def count(self, *, images: int, evaluations: int) -> None:
        """Note what was made."""
        self.spent += {"images": images, "evaluations": evaluations}.get(self.unit, 0)
