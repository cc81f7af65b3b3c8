"""Exact 95 % intervals of a rate: Clopper and Pearson 1934, https://doi.org/10.1093/biomet/26.4.404.

The interval holds every share p under which a count as small and a count as large as the one seen each have a
chance of at least 2.5 % (binomial). Its ends are quantiles of beta distributions. It never covers less than
95 %, also for 0 of n, where the textbook interval has no width.

    >>> round(rate(0, 60).high, 4)
    0.0596
"""

from dataclasses import dataclass

from scipy.stats import beta

CONFIDENCE = 0.95


def clopper_pearson(hits: int, tried: int, *, confidence: float = CONFIDENCE) -> tuple[float, float]:
    """Both ends of the exact two-sided interval of hits / tried, 0 to 1; (0, 1) when nothing was tried.

    Raises ValueError when `hits` is not within 0 to `tried`.
    """
    if not 0 <= hits <= tried:
        raise ValueError(f"{hits} hits of {tried} tried is no rate; count again.")
    tail = (1 - confidence) / 2
    low = 0.0 if hits == 0 else float(beta.ppf(tail, hits, tried - hits + 1))
    high = 1.0 if hits == tried else float(beta.ppf(1 - tail, hits + 1, tried - hits))
    return low, high


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
