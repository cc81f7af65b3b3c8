"""Inline SVG of a calibration: random pairs against known copies, and the error rates of every threshold.

Drawn like the report's other charts: places on the cosine axis are percentages of the width, so that letters keep their
size; curves lie in a nested drawing that stretches with it. Rates stand on a log axis that ends at one pair.

    >>> histogram(found.decides).startswith("<svg")                           # doctest: +SKIP
    True
"""

from collections.abc import Iterable, Sequence

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import NDArray

from scanner.duplicates import CosineCounts, KindCalibration
from scanner.intervals import exact_interval
from scanner.report._charts import BOTTOM, HEIGHT, TOP

_PER_UNIT = 10_000
_BIN, _EVERY = 100, 25
"""Grid points of 10⁻⁴ in a bar of the histogram, and from one point of a curve to the next."""
_WIDE = 1000
_POWERS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

Points = list[tuple[float, float]]


def power_of_ten(decade: int) -> str:
    """0 as 1, −6 as 10⁻⁶."""
    return "1" if decade == 0 else "10⁻" + str(abs(decade)).translate(_POWERS)


def histogram(kind: KindCalibration) -> Markup:
    """Shares of the random pairs and of the known copies by cosine, in bars of 0.01, on a log axis."""
    frame = _Frame(kind)
    parts = [*frame.log_grid(), *frame.cosines()]
    for style, counts in (("random", kind.unlike), ("known", kind.accepted)):
        if counts.total:
            parts.append(_curves([_filled(style, outline) for outline in frame.bars(counts)]))
    parts += frame.chosen(kind.threshold.cosine)
    return _drawing(parts, "Random pairs and known copies by cosine, shares on a log axis")


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
    parts += [_curves([_filled("band", band), _line("rate", line)]), *frame.chosen(chosen.cosine)]
    y = float(frame.log_y(np.array([max(chosen.reached, 1) / chosen.pairs]))[0])
    parts.append(f'<circle class="dot" cx="{frame.percent(chosen.cosine)}" cy="{y:.1f}" r="5"/>')
    return _drawing(parts, "False-positive rate of each threshold with its exact 95 % interval, on a log axis")


def found_curve(kind: KindCalibration) -> Markup:
    """What each threshold finds: of the known copies and, where there are labels, their recall and precision."""
    frame = _Frame(kind)
    parts = [*_grid((share / 100, f"{share} %") for share in (0, 25, 50, 75, 100)), *frame.cosines()]
    if kind.accepted.total:
        known = kind.accepted.reaching
        parts.append(_curves([_line("known", frame.shares(known, np.full_like(known, known[0])))]))
    if kind.labelled is not None:
        same, other = kind.labelled.same.reaching, kind.labelled.other.reaching
        lines = [("recall", same, np.full_like(same, kind.labelled.same.total)), ("precision", same, same + other)]
        parts += [_curves([_line(style, frame.shares(hits, tried))]) for style, hits, tried in lines]
    parts += frame.chosen(kind.threshold.cosine)
    return _drawing(parts, "Share of the known copies, and of the labelled pairs, that each threshold finds")


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

    def percent(self, cosine: float) -> str:
        return f"{100 * (cosine - self.low) / (1 - self.low):.2f}%"

    def log_y(self, shares: NDArray[np.float64]) -> NDArray[np.float64]:
        """Shares as heights in pixels; what is below the axis lies on it."""
        clipped = np.clip(shares, 10.0**-self.decades, 1)
        height: NDArray[np.float64] = TOP + (BOTTOM - TOP) * -np.log10(clipped) / self.decades
        return height

    def log_grid(self) -> list[str]:
        every = 1 if self.decades <= 5 else 2
        return _grid((1 - decade / self.decades, power_of_ten(-decade)) for decade in range(0, self.decades + 1, every))

    def cosines(self) -> list[str]:
        """The labels of the cosine axis."""
        step = 0.1 if self.low >= 0.4 else 0.2
        ticks = np.arange(np.ceil(self.low / step - 1e-9), round(1 / step) + 1) * step
        return [
            f'<text class="label" x="{self.percent(tick)}" y="{BOTTOM + 20}">{tick:.1f}</text>' for tick in ticks + 0.0
        ] + [f'<text class="sub" x="50%" y="{BOTTOM + 38}">cosine</text>']

    def chosen(self, cosine: float) -> list[str]:
        """The threshold as an upright line with its number, on the side that has room."""
        at = self.percent(cosine)
        side = "end" if (cosine - self.low) / (1 - self.low) > 0.5 else "start"
        shift = -6 if side == "end" else 6
        return [
            f'<line class="threshold" x1="{at}" x2="{at}" y1="{TOP - 8}" y2="{BOTTOM}"/>',
            f'<text class="mark {side}" x="{at}" dx="{shift}" y="{TOP + 2}">{cosine:.4f}</text>',
        ]

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


def _grid(lines: Iterable[tuple[float, str]]) -> list[str]:
    parts = []
    for share, text in lines:
        y = BOTTOM - (BOTTOM - TOP) * share
        parts.append(
            f'<line class="{"grid" if share > 1e-9 else "axis"}" x1="0" x2="100%" y1="{y:.1f}" y2="{y:.1f}"/>'
            f'<text class="scale" x="0" y="{y - 3:.1f}">{text}</text>'
        )
    return parts


def _path(points: Points) -> str:
    return " ".join(f"{_WIDE * x:.1f},{y:.1f}" for x, y in points)


def _filled(style: str, points: Points) -> str:
    return f'<polygon class="{style}" points="{_path(points)}"/>'


def _line(style: str, points: Points) -> str:
    return f'<polyline class="{style}" points="{_path(points)}"/>'


def _curves(shapes: Sequence[str]) -> str:
    """Shapes in a drawing of their own, 1,000 wide, that stretches to the width there is."""
    inside = f'viewBox="0 0 {_WIDE} {HEIGHT}" preserveAspectRatio="none"'
    return f'<svg class="curves" width="100%" height="{HEIGHT}" {inside}>{"".join(shapes)}</svg>'


def _drawing(parts: Sequence[str], label: str) -> Markup:
    name = f'class="chart" role="img" aria-label="{escape(label)}"'
    drawing = f'<svg {name} width="100%" height="{HEIGHT}">{"".join(parts)}</svg>'
    return Markup(drawing)  # noqa: S704 - only numbers and our own words in it
