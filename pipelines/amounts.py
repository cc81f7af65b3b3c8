"""Amounts as people write them on a command line: rows of a data set, and a budget.

>>> rows_of("100M"), rows_of("2e9"), rows_of("runs/laion")
(100000000, 2000000000, None)
>>> Budget.parse("12 hours")
Budget(amount=12.0, unit='hours')
"""

import re
from dataclasses import dataclass

from scanner.errors import UnusableInputError

_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "g": 10**9, "t": 10**12}
_NUMBER = r"\d[\d_,]*(?:\.\d+)?(?:e\+?\d+)?"
_UNITS = {"": "images", "image": "images", "images": "images", "h": "hours", "hour": "hours", "hours": "hours"}


def rows_of(text: str) -> int | None:
    """Rows, from 2e9, 100M, 2.5B, 10k or 1,000,000; None for what is no such number, or below 1."""
    found = re.fullmatch(rf"({_NUMBER})\s*([kmbgt]?)", text.strip().lower())
    if not found:
        return None
    return round(_number(found[1]) * _FACTORS[found[2]]) or None


@dataclass(frozen=True)
class Budget:
    """What may be spent."""

    amount: float
    """How much, above 0."""
    unit: str
    """images or hours."""

    @classmethod
    def parse(cls, text: str) -> "Budget":
        """From `20000`, `20000 images`, `20k images`, `12h` or `12 hours`.

        Raises UnusableInputError for anything else.
        """
        found = re.fullmatch(rf"({_NUMBER})([km]?)\s*([a-z]*)", text.strip().lower())
        if not found or found[3] not in _UNITS or not (amount := _number(found[1]) * _FACTORS[found[2]]):
            raise UnusableInputError(f"'{text}' is no budget; give images (20000) or hours (12h).")
        return cls(amount=amount, unit=_UNITS[found[3]])


def _number(text: str) -> float:
    return float(text.replace(",", "").replace("_", ""))
