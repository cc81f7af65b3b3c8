"""The charts of counts and rates: intervals, copies against extraction, groups by copies (see `drawn`).

>>> from scanner.report._intervals import rate
>>> interval_bar(rate(3, 60), "risk").startswith("<svg")
True
"""

from collections.abc import Sequence
from itertools import pairwise

from markupsafe import Markup, escape

from scanner.report._findings import CurvePoint
from scanner.report._intervals import Rate
from scanner.report._records import CopiesBucket
from scanner.report._words import count, interval
from scanner.report.drawn import BOTTOM, HEIGHT, SHARES, across, drawing, grid, up


def interval_bar(rate: Rate, arm: str) -> Markup:
    """A rate on a line from 0 to 100 %: a dot, and a bar over its exact interval."""
    label = f"{rate.hits} of {rate.tried}, {interval(rate)}"
    parts = ['<line class="track" x1="0" x2="100%" y1="10" y2="10"/>']
    parts += [f'<line class="tick" x1="{at}%" x2="{at}%" y1="6" y2="14"/>' for at in (0, 50, 100)]
    if rate.tried:
        parts.append(f'<line class="whisker" x1="{across(rate.low)}" x2="{across(rate.high)}" y1="10" y2="10"/>')
        parts.append(f'<circle class="dot" cx="{across(rate.share or 0)}" cy="10" r="5"/>')
    return drawing(parts, label=label, height=20, style=f"bar {arm}")


def risk_bar(risk: float) -> Markup:
    """A risk of 0 to 1 as a bar; its number stands beside it as text, so screen readers skip the bar."""
    width = across(min(max(risk, 0.0), 1.0))
    return Markup(  # noqa: S704 - the only value is a number
        '<svg class="riskbar" aria-hidden="true" width="72" height="8">'
        '<rect class="back" width="100%" height="8" rx="4"/>'
        f'<rect class="fill" width="{width}" height="8" rx="4"/></svg>'
    )


def extraction_curve(points: Sequence[CurvePoint]) -> Markup:
    """Verified share of the prompts tried by copies, with exact intervals; controls stand as one copy."""
    step = 1 / max(len(points), 1)
    places = [(step * (i + 0.5), point) for i, point in enumerate(points)]
    parts = grid(SHARES)
    parts += [_floor(point) for point in points if point.arm == "control" and point.verified.tried]
    seen = [(x, up(point.verified.share)) for x, point in places if point.verified.share is not None]
    parts += [
        f'<line class="join" x1="{across(x1)}" y1="{y1:.1f}" x2="{across(x2)}" y2="{y2:.1f}"/>'
        for (x1, y1), (x2, y2) in pairwise(seen)
    ]
    for x, point in places:
        parts += _point(x, point)
    words = "; ".join(f"{p.label} copies: {p.verified.hits} of {p.verified.tried}" for p in points)
    return drawing(parts, label=f"Verified hits of prompts tried, by copies. {words}.", height=HEIGHT, style="chart")


def _floor(point: CurvePoint) -> str:
    """The control arm's interval over the whole width: what is found where nothing is duplicated."""
    top, bottom = up(point.verified.high), up(point.verified.low)
    return f'<rect class="floor" x="0" width="100%" y="{top:.1f}" height="{bottom - top:.1f}"/>'


def _point(x: float, point: CurvePoint) -> list[str]:
    rate, at = point.verified, across(x)
    label = escape(point.label)
    under = "control" if point.arm == "control" else f"{rate.hits:,}/{rate.tried:,}" if rate.tried else "none tried"
    parts = [
        f'<text class="label" x="{at}" y="{BOTTOM + 20}">{label}</text>',
        f'<text class="sub" x="{at}" y="{BOTTOM + 37}">{escape(under)}</text>',
    ]
    if rate.share is not None:
        title = escape(f"{point.label} copies ({point.arm}): {rate.hits:,} of {rate.tried:,}, {interval(rate)}")
        parts.append(
            f'<g class="{escape(point.arm)}"><title>{title}</title>'
            f'<line class="whisker" x1="{at}" x2="{at}" y1="{up(rate.low):.1f}" y2="{up(rate.high):.1f}"/>'
            f'<circle class="dot" cx="{at}" cy="{up(rate.share):.1f}" r="5.5"/></g>'
        )
    return parts


def copies_chart(buckets: Sequence[CopiesBucket]) -> Markup:
    """Duplicate groups by copies, one bar a range; the bars' lengths are the numbers of groups."""
    most = max((bucket.groups for bucket in buckets), default=0) or 1
    step = 1 / max(len(buckets), 1)
    parts = [f'<line class="axis" x1="0" x2="100%" y1="{BOTTOM}" y2="{BOTTOM}"/>']
    for i, bucket in enumerate(buckets):
        y = up(bucket.groups / most * 0.92)
        at = across(step * (i + 0.5))
        title = escape(f"{bucket.label} copies: {count(bucket.groups, 'group')}, {count(bucket.rows, 'row')}")
        parts.append(
            f"<g><title>{title}</title>"
            f'<rect class="column" x="{across(step * (i + 0.18))}" width="{across(step * 0.64)}" '
            f'y="{y:.1f}" height="{BOTTOM - y:.1f}" rx="2"/>'
            f'<text class="value" x="{at}" y="{y - 6:.1f}">{bucket.groups:,}</text>'
            f'<text class="label" x="{at}" y="{BOTTOM + 20}">{escape(bucket.label)}</text>'
            f'<text class="sub" x="{at}" y="{BOTTOM + 37}">{bucket.rows:,}</text></g>'
        )
    words = "; ".join(f"{b.label} copies: {count(b.groups, 'group')}" for b in buckets)
    return drawing(parts, label=f"Duplicate groups by copies. {words}.", height=HEIGHT, style="chart")


def paired_columns(labels: Sequence[str], before: Sequence[int], after: Sequence[int], what: str) -> Markup:
    """Two counts side by side in each range, before (grey) and after; the lengths of all columns share one scale."""
    most = max([*before, *after], default=0) or 1
    step = 1 / max(len(labels), 1)
    parts = [f'<line class="axis" x1="0" x2="100%" y1="{BOTTOM}" y2="{BOTTOM}"/>']
    for i, (label, old, new) in enumerate(zip(labels, before, after, strict=True)):
        parts.append(f"<g><title>{escape(label)}: {old:,} before, {new:,} after</title>")
        for number, style, at in ((old, "before", 0.14), (new, "after", 0.51)):
            y = up(number / most * 0.92)
            parts.append(
                f'<rect class="column {style}" x="{across(step * (i + at))}" width="{across(step * 0.35)}" '
                f'y="{y:.1f}" height="{BOTTOM - y:.1f}" rx="2"/>'
                f'<text class="value" x="{across(step * (i + at + 0.175))}" y="{y - 6:.1f}">{number:,}</text>'
            )
        parts.append(f'<text class="label" x="{across(step * (i + 0.5))}" y="{BOTTOM + 20}">{escape(label)}</text></g>')
    words = "; ".join(f"{a}: {b:,} before, {c:,} after" for a, b, c in zip(labels, before, after, strict=True))
    return drawing(parts, label=f"{what}. {words}.", height=HEIGHT - 20, style="chart")
