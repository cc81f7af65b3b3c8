"""Amounts as people write them on a command line: rows of a data set, and a budget.

>>> rows_of("100M"), rows_of("2e9"), rows_of("runs/laion")
(100000000, 2000000000, None)
>>> Budget.parse("12 hours")
Budget(amount=12.0, unit='hours')
"""

import re
from dataclasses import dataclass
from math import inf

from scanner.errors import UnusableInputError

_FACTORS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9, "g": 10**9, "t": 10**12}
_MOST_ROWS = 1e15
_NUMBER = r"\d[\d_,]*(?:\.\d+)?(?:e\+?\d+)?"
_UNITS = {
    "": ("images", 1.0),
    "images": ("images", 1.0),
    "evaluations": ("evaluations", 1.0),
    "h": ("hours", 1.0),
    "hours": ("hours", 1.0),
    "min": ("hours", 1 / 60),
    "minutes": ("hours", 1 / 60),
}


def rows_of(text: str) -> int | None:
    """Rows, from 2e9, 100M, 2.5B, 10k or 1,000,000; None for what is no such number, below 1, or beyond 1e15."""
    found = re.fullmatch(rf"({_NUMBER})\s*([kmbgt]?)", text.strip().lower())
    if not found:
        return None
    rows = _number(found[1]) * _FACTORS[found[2]]
    return round(rows) if 1 <= rows <= _MOST_ROWS else None


@dataclass(frozen=True)
class Budget:
    """What may be spent."""

    amount: float
    """How much, above 0."""
    unit: str
    """images, evaluations or hours."""

    @classmethod
    def parse(cls, text: str) -> "Budget":
        """From `20000`, `20000 images`, `1e6evaluations`, `12h` or `90 min`.

        Raises UnusableInputError for anything else.
        """
        found = re.fullmatch(rf"({_NUMBER})\s*([a-z]*)", text.strip().lower())
        if not found or found[2] not in _UNITS or not 0 < _number(found[1]) < inf:
            raise UnusableInputError(f"'{text}' is no budget; give it as 5000images, 1e6evaluations, 12h or 90min.")
        unit, factor = _UNITS[found[2]]
        return cls(amount=_number(found[1]) * factor, unit=unit)


def _number(text: str) -> float:
    return float(text.replace(",", "").replace("_", ""))
