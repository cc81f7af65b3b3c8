"""A rate with its counts and its exact 95 % interval (see `scanner.intervals`).

>>> round(rate(0, 60).high, 4)
0.0596
"""

from dataclasses import dataclass

import numpy as np

from scanner.intervals import exact_interval


def clopper_pearson(hits: int, tried: int) -> tuple[float, float]:
    """Both ends of the exact two-sided 95 % interval of hits / tried, 0 to 1; (0, 1) when nothing was tried.

    Raises ValueError when `hits` is not within 0 to `tried`.
    """
    low, high = exact_interval(np.array(hits), tried)
    return float(low), float(high)


@dataclass(frozen=True, kw_only=True)
class Rate:
    """A count of a count, with its exact 95 % interval."""

    hits: int
    """How many did."""
    tried: int
    """Of how many."""
    share: float | None
    """hits / tried; None when nothing was tried."""
    low: float
    """Lower end of the exact 95 % interval, 0 to 1."""
    high: float
    """Upper end of the exact 95 % interval, 0 to 1."""


def rate(hits: int, tried: int) -> Rate:
    """`hits` of `tried` with its exact interval."""
    low, high = clopper_pearson(hits, tried)
    return Rate(hits=hits, tried=tried, share=hits / tried if tried else None, low=low, high=high)
