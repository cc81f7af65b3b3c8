"""The charts of a score: the ROC and the precision-recall curve of each stored score, and each detector's ROC.

Drawn like the report's (`scanner.report`); curves of many thresholds are drawn through some of them, evenly spread.

    >>> roc_chart(scored.points.filter(score="l2"), scored.score.curves[0])       # doctest: +SKIP
"""

import numpy as np
import polars as pl
from markupsafe import Markup
from numpy.typing import NDArray

from scanner.report import drawn, percent, spread
from scanner.score._model import Roc, ScoreCurve

MOST_POINTS = 200
"""Of a drawn curve."""
LEFT = 0.12
"""Where a plot begins, right of the labels of its axis."""
AXES = [(LEFT + (1 - LEFT) * share, text) for share, text in drawn.SHARES]


def roc_chart(points: pl.DataFrame, curve: ScoreCurve) -> Markup:
    """Recall over the share of negatives that pass; beyond the last score the thin line goes to the corner."""
    x, y = _spread(points, "false_positive_rate", "recall")
    lines = [_chance(), *_rest(x, y), drawn.polyline("risk", _line(x, y))]
    dot = _dot(curve.false_positives.share, curve.recall.share)
    return _plot(lines, dot, "share of the negatives that pass →", f"ROC of {curve.score}. {_words(curve)}")


def precision_chart(points: pl.DataFrame, curve: ScoreCurve) -> Markup:
    """Precision over recall, by steps, as the average precision sums it; the dotted line is the wanted precision."""
    x, y = _spread(points, "recall", "precision")
    wanted = drawn.polyline("wanted", [(0, drawn.up(curve.wanted_precision)), (1, drawn.up(curve.wanted_precision))])
    lines = [wanted, drawn.polyline("risk", _line(np.repeat(x, 2)[1:-1], np.repeat(y[1:], 2)))]
    dot = _dot(curve.recall.share, curve.precision.share)
    label = f"Precision over recall of {curve.score}. {_words(curve)}"
    return _plot(lines, dot, "recall →", label)


def detector_roc(points: pl.DataFrame, rocs: tuple[Roc, ...]) -> Markup:
    """One detector against planted prompts (whole line) and against verified ones (dashed)."""
    lines = [_chance()]
    for one, style in zip(rocs, ("risk", "verified"), strict=False):
        x, y = _spread(points.filter(pl.col("positives_are") == one.positives_are), "false_positive_rate", "recall")
        lines += [*_rest(x, y), drawn.polyline(style, _line(x, y))]
    said = "; ".join(f"{one.positives_are}: area {_area(one.auc)}" for one in rocs)
    return _plot(lines, "", "share of the negatives that pass →", f"ROC of {rocs[0].detector}. {said}.")


def _words(curve: ScoreCurve) -> str:
    at = "no threshold has the wanted precision" if curve.threshold is None else f"threshold {curve.threshold:.4g}"
    return (
        f"Area under the ROC {_area(curve.auc)}, average precision {_area(curve.average_precision)}; {at}, with a "
        f"precision of {percent(curve.precision.share)} and a recall of {percent(curve.recall.share)}."
    )


def _area(value: float | None) -> str:
    return "not known" if value is None else f"{value:.3f}"


def _spread(points: pl.DataFrame, x: str, y: str) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two shares of the kept points, from nothing on; null where there are no positives or negatives: nothing there."""
    some = points[_kept(points, x, y)].select(x, y).drop_nulls()
    return tuple(np.concatenate([[0.0], some[name].to_numpy()]) for name in (x, y))  # type: ignore[return-value]


def _kept(points: pl.DataFrame, *columns: str) -> NDArray[np.int64]:
    """Rows that lie evenly along the curve."""
    places = points.select(columns).fill_null(0).to_numpy().astype(np.float64)
    steps = np.abs(np.diff(places, axis=0)).sum(axis=1)
    return spread(np.concatenate([[0.0], np.cumsum(steps)]) if len(places) else np.empty(0), MOST_POINTS)


def _line(x: NDArray[np.float64], y: NDArray[np.float64]) -> drawn.Points:
    return [(float(a), drawn.up(float(b))) for a, b in zip(x, y, strict=True)]


def _rest(x: NDArray[np.float64], y: NDArray[np.float64]) -> list[str]:
    """To the corner: prompts that have no score pass last and together, so that the area counts them half."""
    if (x[-1], y[-1]) in ((0, 0), (1, 1)):
        return []
    return [drawn.polyline("rest", _line(np.array([x[-1], 1]), np.array([y[-1], 1])))]


def _chance() -> str:
    return drawn.polyline("chance", [(0, drawn.up(0)), (1, drawn.up(1))])


def _dot(x: float | None, y: float | None) -> str:
    if x is None or y is None:
        return ""
    return f'<circle class="dot" cx="{drawn.across(LEFT + (1 - LEFT) * x)}" cy="{drawn.up(y)}" r="5"/>'


def _plot(lines: list[str], dot: str, axis: str, label: str) -> Markup:
    parts = [*drawn.grid(drawn.SHARES), *drawn.ticks(AXES, axis), drawn.curves(lines, start=LEFT), dot]
    return drawn.drawing(parts, label=label)
