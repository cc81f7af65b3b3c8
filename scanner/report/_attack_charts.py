"""The charts of an attack's scores: detectors, distances, and captions with what came back (see `drawn`).

>>> distance_chart(found.distances).startswith("<svg")                         # doctest: +SKIP
True
"""

from math import sqrt

from markupsafe import Markup, escape

from scanner.report._concentration import COPIES, SHARES
from scanner.report._plotted import ArmDistances, CaptionCell, Concentration, DetectorCurve, Distances
from scanner.report._words import count
from scanner.report.drawn import SHARES as AXIS
from scanner.report.drawn import Points, across, curves, drawing, grid, polyline, ticks, up, upright

LEFT = 0.12
"""Where what is drawn begins, right of the labels of its axis."""
Step = tuple[float, float]
"""Shares of two kinds of prompts that one threshold lets through."""


def _inset(place: float) -> float:
    return LEFT + (1 - LEFT) * place


def detector_chart(curve: DetectorCurve) -> Markup:
    """Share of the high-risk prompts, and of the verified ones among them, against the share of the controls."""
    marks = [(_inset(share), text) for share, text in AXIS]
    parts = [*grid(AXIS), *ticks(marks, "share of control prompts →")]
    diagonal = polyline("chance", [(0, up(0)), (1, up(1))])
    arms = [(_share(point.control, curve.control), _share(point.risk, curve.risk)) for point in curve.points]
    lines = [polyline("verified", _stairs(_verified(curve)))] if curve.verified else []
    lines.append(polyline("risk", _stairs(arms)))
    parts.append(curves([diagonal, *lines], start=LEFT))
    if curve.used is not None and curve.control and curve.risk:
        x, y = curve.used.control / curve.control, curve.used.risk / curve.risk
        parts.append(
            f'<circle class="dot" cx="{across(_inset(x))}" cy="{up(y)}" r="5.5"><title>{_used(curve)}</title></circle>'
        )
    return drawing(parts, label=f"High-risk against control prompts by the score {curve.detector}. {_used(curve)}")


def _verified(curve: DetectorCurve) -> list[Step]:
    """As far as the threshold of the attack: below it nobody knows what would have been verified."""
    used = curve.used
    points = curve.points
    if used is not None and used.score is not None:
        points = (*(one for one in points if one.score is None or one.score > used.score), used)
    return [(_share(one.control, curve.control), _share(one.verified, curve.verified)) for one in points]


def _used(curve: DetectorCurve) -> str:
    used = curve.used
    if used is None:
        return "No threshold is recorded."
    return (
        f"Above the threshold of this attack lie {used.risk:,} of {count(curve.risk, 'high-risk prompt')} and "
        f"{used.control:,} of {count(curve.control, 'control prompt')}."
    )


def _share(number: int, of: int) -> float:
    return number / of if of else 0.0


def _stairs(steps: list[Step]) -> Points:
    """From nothing up and to the right, through each threshold."""
    return [(0, up(0)), *((x, up(y)) for x, y in steps)]


def distance_chart(found: Distances) -> Markup:
    """Share of each arm's attacked prompts whose images agree within a distance, and the verdict's threshold."""
    bins = max((len(arm.reached) for arm in found.arms), default=1)
    end = found.width * bins
    marks = [(_inset(place / end), f"{place:.2f}") for place in (0, 0.05, 0.1, 0.15, 0.2, 0.25) if place <= end + 1e-9]
    parts = [*grid(AXIS), *ticks(marks, "normalised l2 of the second image →")]
    parts.append(curves([polyline(arm.arm, _rising(arm)) for arm in reversed(found.arms) if arm.attacked], start=LEFT))
    if found.threshold is not None:
        parts += upright(_inset(min(found.threshold / end, 1)), f"{found.threshold:.3g}")
    words = "; ".join(
        f"{_ARMS[arm.arm]}: {arm.within.hits:,} of {arm.attacked:,} attacked within the threshold" for arm in found.arms
    )
    return drawing(parts, label=f"Distance at which two images of a prompt agree on one original. {words}.")


_ARMS = {"risk": "high-risk prompts", "control": "control prompts"}


def _rising(arm: ArmDistances) -> Points:
    """Counts stand at the upper ends of their bins; the line climbs straight through each bin."""
    places = [(0.0, up(0))]
    return places + [((i + 1) / len(arm.reached), up(reached / arm.attacked)) for i, reached in enumerate(arm.reached)]


ROW, RADIUS = 52, 17
"""Height of a row of groups, and radius of the largest disc, pixels."""


def caption_chart(found: Concentration) -> Markup:
    """A disc for the groups of each range of copies and of shares; its area is their number, and that of the disc in it
    the number that came back."""
    shares = tuple(SHARES)
    most = max((cell.groups for cell in found.cells), default=1)
    step = 1 / len(COPIES)
    bottom = ROW * len(shares)
    parts = []
    for row, share in enumerate(shares):
        y = ROW * row
        parts.append(f'<line class="grid" x1="0" x2="100%" y1="{y + ROW}" y2="{y + ROW}"/>')
        parts.append(f'<text class="scale" x="0" y="{y + 24}">{escape(_SHORT[share])}</text>')
    for column, copies in enumerate(COPIES):
        at = across(_inset(step * (column + 0.5)))
        parts.append(f'<text class="label" x="{at}" y="{bottom + 18}">{escape(copies)}</text>')
    parts.append(f'<text class="name" x="50%" y="{bottom + 36}">copies of the group →</text>')
    for cell in found.cells:
        x = across(_inset(step * (COPIES.index(cell.copies) + 0.5)))
        parts.append(_disc(cell, x, ROW * shares.index(cell.share) + 20, most))
    words = "; ".join(_cell_words(cell) for cell in found.cells)
    return drawing(
        parts,
        label=f"Duplicate groups by copies and by the share of them under one caption. {words}.",
        height=bottom + 44,
    )


_SHORT = {
    **{"all": "all", "75 % and more": "≥ 75 %", "50 % and more": "≥ 50 %", "25 % and more": "≥ 25 %"},
    "less than 25 %": "< 25 %",
}


def _disc(cell: CaptionCell, x: str, y: int, most: int) -> str:
    parts = [f"<g><title>{escape(_cell_words(cell))}</title>"]
    for number, style in ((cell.groups, "all"), (cell.tried, "tried"), (cell.returned, "returned")):
        if number:
            parts.append(f'<circle class="{style}" cx="{x}" cy="{y}" r="{max(2, RADIUS * sqrt(number / most)):.1f}"/>')
    said = f"{cell.returned:,}/{cell.tried:,}" if cell.tried else f"{cell.groups:,}"
    return "".join([*parts, f'<text class="count" x="{x}" y="{y + RADIUS + 12}">{said}</text></g>'])


def _cell_words(cell: CaptionCell) -> str:
    shared = "one caption on all" if cell.share == "all" else f"one caption on {cell.share}"
    said = f"{cell.copies} copies, {shared}: {count(cell.groups, 'group')}"
    return said + (f", {cell.tried:,} tried, {cell.returned:,} of them came back" if cell.tried else "")
