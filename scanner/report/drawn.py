"""What the charts share: axes, curves and the SVG around them, drawn by hand.

Horizontal places are percentages of the drawing's width and vertical ones are pixels, so one drawing fits a phone and a
wide screen with its letters at one size; curves lie in a nested drawing that stretches with it. Colours come from the
style sheets, so they follow light and dark.

    >>> across(0.25), up(0)
    ('25.00%', 226)
"""

from collections.abc import Iterable, Sequence

from markupsafe import Markup, escape

TOP, BOTTOM, HEIGHT = 14, 226, 270
"""Where the plots begin and end, and the height of the drawing, pixels."""
WIDE = 1000
"""Units of a nested drawing's width."""

Points = list[tuple[float, float]]
"""(0 to 1 along the width, height in pixels)."""

SHARES = [(share / 100, f"{share} %") for share in (0, 25, 50, 75, 100)]
"""The lines of an axis of shares."""


def across(share: float) -> str:
    """A place along the width, 0 to 1."""
    return f"{100 * share:.2f}%"


def up(share: float) -> float:
    """0 (the axis) to 1 (the top) in pixels."""
    return round(BOTTOM - (BOTTOM - TOP) * share, 1)


def grid(lines: Iterable[tuple[float, str]]) -> list[str]:
    """Lines across, each with its label."""
    parts = []
    for share, text in lines:
        y = up(share)
        parts.append(
            f'<line class="{"grid" if share > 1e-9 else "axis"}" x1="0" x2="100%" y1="{y}" y2="{y}"/>'
            f'<text class="scale" x="0" y="{y - 3:.1f}">{escape(text)}</text>'
        )
    return parts


def ticks(labels: Iterable[tuple[float, str]], axis: str) -> list[str]:
    """The labels of the axis below at their places, and its name."""
    return [
        f'<text class="{_label(place)}" x="{across(place)}" y="{BOTTOM + 20}">{escape(text)}</text>'
        for place, text in labels
    ] + [f'<text class="name" x="50%" y="{BOTTOM + 38}">{escape(axis)}</text>']


def _label(place: float) -> str:
    """At the right edge a label ends where the drawing does."""
    return "label end" if place > 0.985 else "label"


def upright(place: float, text: str) -> list[str]:
    """A line from the axis to the top with its number, on the side that has room."""
    side, shift = ("end", -6) if place > 0.5 else ("start", 6)
    at = across(place)
    return [
        f'<line class="threshold" x1="{at}" x2="{at}" y1="{TOP - 8}" y2="{BOTTOM}"/>',
        f'<text class="mark {side}" x="{at}" dx="{shift}" y="{TOP + 2}">{escape(text)}</text>',
    ]


def polygon(style: str, points: Points) -> str:
    return f'<polygon class="{style}" points="{_path(points)}"/>'


def polyline(style: str, points: Points) -> str:
    return f'<polyline class="{style}" points="{_path(points)}"/>'


def _path(points: Points) -> str:
    return " ".join(f"{WIDE * x:.1f},{y:.1f}" for x, y in points)


def curves(shapes: Sequence[str], *, start: float = 0) -> str:
    """Shapes in a drawing of their own that stretches from `start` (0 to 1) to the right edge."""
    place = f'x="{across(start)}" width="{across(1 - start)}" height="{HEIGHT}"'
    inside = f'viewBox="0 0 {WIDE} {HEIGHT}" preserveAspectRatio="none"'
    return f'<svg class="curves" aria-hidden="true" {place} {inside}>{"".join(shapes)}</svg>'


def drawing(parts: Sequence[str], *, label: str, height: int = HEIGHT, style: str = "chart") -> Markup:
    """The whole drawing; `label` is what it says to those who can't see it."""
    name = f'class="{escape(style)}" role="img" aria-label="{escape(label)}"'
    whole = f'<svg {name} width="100%" height="{height}">{"".join(parts)}</svg>'
    return Markup(whole)  # noqa: S704 - all text in it is escaped where it is put in
