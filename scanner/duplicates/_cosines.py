"""The cosines of many pairs as counts on a grid of 10⁻⁴, and the threshold that a stated share of them reaches.

Counts take the same memory for a thousand pairs and for a billion, can be added up, and lose nothing, since a threshold
has four decimals anyway. A cosine counts for a grid point when it is at most 10⁻⁷ below, the rounding of float32.

    >>> cosines = CosineCounts.of(np.array([0.1, 0.5, 0.5, 0.93]))
    >>> cosines.reached(0.5), cosines.total
    (3, 4)
    >>> threshold_at(cosines, 0.5).cosine
    0.5001
"""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scanner.errors import UnusableInputError
from scanner.intervals import exact_interval, ranks

PER_UNIT = 10_000
"""Grid points from 0 to 1."""
GRID: NDArray[np.float64] = np.arange(-PER_UNIT, PER_UNIT + 1) / PER_UNIT
"""(20,001,): −1, −0.9999, ..., 1."""
_ROUNDING = 1e-7
HIGHEST = PER_UNIT - 1
"""The largest threshold that is offered, 0.9999: at 1 it would be rounding that decides."""


def grid_point(cosine: float) -> int:
    """Index in GRID of the largest point that the cosine reaches."""
    return int(_points(np.array([cosine]))[0])


def _points(cosines: NDArray[np.floating]) -> NDArray[np.int64]:
    scaled = np.floor((cosines.astype(np.float64) + _ROUNDING) * PER_UNIT)
    return np.clip(scaled, -PER_UNIT, PER_UNIT).astype(np.int64) + PER_UNIT


@dataclass(frozen=True, kw_only=True)
class CosineCounts:
    """How many pairs have which cosine."""

    counts: NDArray[np.int64]
    """(20,001,): pairs of the cosine GRID[i] or more, and less than GRID[i + 1]."""

    @classmethod
    def of(cls, *parts: NDArray[np.floating]) -> "CosineCounts":
        """Count the cosines of no, one or several arrays."""
        counted = (np.bincount(_points(part.ravel()), minlength=len(GRID)) for part in parts)
        return cls(counts=sum(counted, np.zeros(len(GRID), np.int64)))

    def __add__(self, other: "CosineCounts") -> "CosineCounts":
        return CosineCounts(counts=self.counts + other.counts)

    @property
    def total(self) -> int:
        """All pairs."""
        return int(self.reaching[0])

    @cached_property
    def reaching(self) -> NDArray[np.int64]:
        """(20,001,): pairs whose cosine is GRID[i] or more."""
        return np.cumsum(self.counts[::-1])[::-1]

    def reached(self, cosine: float) -> int:
        """Pairs of this cosine (of four decimals) or more."""
        return int(self.reaching[grid_point(cosine)])

    def share(self, cosine: float) -> float | None:
        """The same as a share, 0 to 1; None of no pairs."""
        return self.reached(cosine) / self.total if self.total else None


@dataclass(frozen=True, kw_only=True)
class RateThreshold:
    """The smallest cosine that at most a stated share of the pairs reaches, with how sure that is."""

    cosine: float
    """The threshold, four decimals."""
    rate: float
    """The share that was asked for."""
    reached: int
    """Pairs at the threshold or above."""
    pairs: int
    """Of so many."""
    rate_low: float
    """Lower end of the exact 95 % interval of reached / pairs."""
    rate_high: float
    """Upper end of it."""
    cosine_low: float
    """Lower end of the 95 % interval of the threshold, between order statistics."""
    cosine_high: float
    """Upper end of it; 1 where the pairs are too few to bound it."""


def threshold_at(cosines: CosineCounts, rate: float) -> RateThreshold:
    """The threshold at a rate of 1 / pairs or more.

    Raises UnusableInputError when the pairs are too few for the rate, or when there is no such cosine above 0 and
    below 1.
    """
    allowed = int(np.floor(rate * cosines.total * (1 + 1e-12)))
    if allowed < 1:
        raise UnusableInputError(
            f"A false-positive rate of {rate:.2g} needs {int(np.ceil(1 / rate)):,} random pairs, and {cosines.total:,} "
            "are left without the known copies; draw more, or give a larger rate."
        )
    at = _first_at_most(cosines.reaching, allowed)
    _refuse_no_cosine(cosines, rate, at)
    reached = int(cosines.reaching[at])
    least, most = ranks(cosines.total, rate)
    low, high = exact_interval(np.array([reached]), cosines.total)
    return RateThreshold(
        cosine=float(GRID[at]),
        rate=rate,
        reached=reached,
        pairs=cosines.total,
        rate_low=float(low[0]),
        rate_high=float(high[0]),
        cosine_low=float(GRID[max(_first_at_most(cosines.reaching, most) - 1, 0)]),
        cosine_high=float(GRID[min(_first_at_most(cosines.reaching, least - 1), len(GRID) - 1)]) if least else 1.0,
    )


def _refuse_no_cosine(cosines: CosineCounts, rate: float, at: int) -> None:
    """Raises UnusableInputError when the grid point is no threshold."""
    if at > PER_UNIT + HIGHEST:
        equal = int(cosines.reaching[PER_UNIT + HIGHEST])
        raise UnusableInputError(
            f"{equal:,} of {cosines.total:,} random pairs have a cosine of {GRID[PER_UNIT + HIGHEST]} or more, so that "
            f"no threshold lets through only {rate:.2g} of them; these embeddings do not tell the pictures apart."
        )
    if at <= PER_UNIT:
        raise UnusableInputError(
            f"No more than {rate:.2g} of the random pairs reach a cosine of {GRID[at]:.4f}, and a threshold lies above "
            "0; give a smaller rate."
        )


def _first_at_most(reaching: NDArray[np.int64], allowed: int) -> int:
    """Index of the smallest grid point that at most `allowed` pairs reach; one beyond the grid where there is none."""
    return int(np.searchsorted(-reaching, -allowed, side="left"))
