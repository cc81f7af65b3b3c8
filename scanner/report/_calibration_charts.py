"""Inline SVG of a calibration: random pairs against known copies, and the error rates of every threshold.

Drawn like the report's other charts (`drawn`). Rates stand on a log axis that ends at one pair.

    >>> histogram(found.decides).startswith("<svg")                           # doctest: +SKIP
    True
"""

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from scanner.duplicates import CosineCounts, KindCalibration
from scanner.intervals import exact_interval
from scanner.report.drawn import (
    BOTTOM,
    SHARES,
    TOP,
    Points,
    across,
    curves,
    drawing,
    grid,
    polygon,
    polyline,
    ticks,
    upright,
)

_PER_UNIT = 10_000
_BIN, _EVERY = 100, 25
"""Grid points of 10⁻⁴ in a bar of the histogram, and from one point of a curve to the next."""
_POWERS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


def power_of_ten(decade: int) -> str:
    """0 as 1, −6 as 10⁻⁶."""
    return "1" if decade == 0 else "10⁻" + str(abs(decade)).translate(_POWERS)


def histogram(kind: KindCalibration) -> Markup:
    """Shares of the random pairs and of the known copies by cosine, in bars of 0.01, on a log axis."""
    frame = _Frame(kind)
    parts = [*frame.log_grid(), *frame.cosines()]
    for style, counts in (("random", kind.unlike), ("known", kind.accepted)):
        if counts.total:
            parts.append(curves([polygon(style, outline) for outline in frame.bars(counts)]))
    parts += frame.chosen(kind.threshold.cosine)
    return drawing(parts, label="Random pairs and known copies by cosine, shares on a log axis")


def rate_curve(kind: KindCalibration) -> Markup:
    """The false-positive rate of every threshold with its exact interval, on a log axis."""
    frame, chosen = _Frame(kind), kind.threshold
    at = frame.at
    reached = kind.unlike.reaching[at]
    low, high = exact_interval(reached, kind.unlike.total)
    x = frame.x(at)
    seen = reached > 0
    band = [*zip(x, frame.log_y(high), strict=True), *zip(x[::-1], frame.log_y(low)[::-1], strict=True)]
    line = list(zip(x[seen], frame.log_y(reached[seen] / kind.unlike.total), strict=True))
    parts = [*frame.log_grid(), *frame.cosines()]
    parts += [curves([polygon("band", band), polyline("rate", line)]), *frame.chosen(chosen.cosine)]
    y = float(frame.log_y(np.array([max(chosen.reached, 1) / chosen.pairs]))[0])
    parts.append(f'<circle class="dot" cx="{across(frame.place(chosen.cosine))}" cy="{y:.1f}" r="5"/>')
    return drawing(parts, label="False-positive rate of each threshold with its exact 95 % interval, on a log axis")


def found_curve(kind: KindCalibration) -> Markup:
    """What each threshold finds: of the known copies and, where there are labels, their recall and precision."""
    frame = _Frame(kind)
    parts = [*grid(SHARES), *frame.cosines()]
    if kind.accepted.total:
        known = kind.accepted.reaching
        parts.append(curves([polyline("known", frame.shares(known, np.full_like(known, known[0])))]))
    if kind.labelled is not None:
        same, other = kind.labelled.same.reaching, kind.labelled.other.reaching
        lines = [("recall", same, np.full_like(same, kind.labelled.same.total)), ("precision", same, same + other)]
        parts += [curves([polyline(style, frame.shares(hits, tried))]) for style, hits, tried in lines]
    parts += frame.chosen(kind.threshold.cosine)
    return drawing(parts, label="Share of the known copies, and of the labelled pairs, that each threshold finds")


class _Frame:
    """The axes of one kind: cosines from the smallest seen to 1, shares from one pair to all."""

    def __init__(self, kind: KindCalibration) -> None:
        lowest = min((_lowest(counts) for counts in (kind.unlike, kind.accepted) if counts.total), default=0.0)
        self.low = float(np.floor(lowest * 10) / 10)
        self.decades = int(np.ceil(np.log10(max(kind.unlike.total, kind.accepted.total, 10))))
        start = round((self.low + 1) * _PER_UNIT)
        self.at: NDArray[np.int64] = np.arange(start, 2 * _PER_UNIT + 1, _EVERY)

    def x(self, points: NDArray[np.int64]) -> NDArray[np.float64]:
        """Grid points as places, 0 to 1."""
        place: NDArray[np.float64] = (points / _PER_UNIT - 1 - self.low) / (1 - self.low)
        return place

    def place(self, cosine: float) -> float:
        return (cosine - self.low) / (1 - self.low)

    def log_y(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shares as heights in pixels; what is below the axis lies on it."""
        clipped = np.clip(shares, 10.0**-self.decades, 1)
        height: NDArray[np.float64] = TOP + (BOTTOM - TOP) * -np.log10(clipped) / self.decades
        return height

    def log_grid(self) -> list[str]:
        every = 1 if self.decades <= 5 else 2
        return grid((1 - decade / self.decades, power_of_ten(-decade)) for decade in range(0, self.decades + 1, every))

    def cosines(self) -> list[str]:
        """The labels of the cosine axis."""
        step = 0.1 if self.low >= 0.4 else 0.2
        cosines = np.arange(np.ceil(self.low / step - 1e-9), round(1 / step) + 1) * step
        return ticks(((self.place(cosine), f"{cosine:.1f}") for cosine in cosines + 0.0), "cosine")

    def chosen(self, cosine: float) -> list[str]:
        """The threshold as an upright line with its number."""
        return upright(self.place(cosine), f"{cosine:.4f}")

    def bars(self, counts: CosineCounts) -> list[Points]:
        """Outlines of the bars, which begin at whole hundredths; neighbours are one outline, and empty ones none."""
        starts = np.arange(int(self.at[0]), 2 * _PER_UNIT, _BIN)
        shares = np.append(np.add.reduceat(counts.counts, starts) / counts.total, 0)
        edges, heights = self.x(np.append(starts, 2 * _PER_UNIT)), self.log_y(shares)
        changes = np.flatnonzero(np.diff(shares > 0, prepend=False))
        return [_outline(edges[a : b + 1], heights[a:b]) for a, b in changes.reshape(-1, 2)]

    def shares(self, hits: NDArray[np.int64], tried: NDArray[np.int64]) -> Points:
        """hits / tried (of every grid point) along the axis, where anything was tried."""
        hits, tried = hits[self.at], tried[self.at]
        some = tried > 0
        heights = BOTTOM - (BOTTOM - TOP) * hits[some] / tried[some]
        return list(zip(self.x(self.at[some]), heights, strict=True))


def _outline(edges: NDArray[np.float64], heights: NDArray[np.float64]) -> Points:
    y = np.concatenate([[BOTTOM], np.repeat(heights, 2), [BOTTOM]])
    return list(zip(np.repeat(edges, 2), y, strict=True))


def _lowest(counts: CosineCounts) -> float:
    return float(np.flatnonzero(counts.counts)[0]) / _PER_UNIT - 1
