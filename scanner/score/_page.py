"""The page of a score: what was planted and what came back, error rates, and the curves of every score and detector.

>>> score_page(scored).startswith("<!doctype html>")                          # doctest: +SKIP
True
"""

from collections.abc import Mapping
from functools import partial
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

import polars as pl
from markupsafe import Markup

from scanner.report import figure, render_page
from scanner.score._charts import detector_roc, precision_chart, roc_chart
from scanner.score._funnel import STEPS

if TYPE_CHECKING:
    from scanner.score._score import Scored


def score_page(scored: "Scored") -> str:
    """The page; it needs nothing else."""
    found = scored.score
    charts = {}
    for one in found.curves:
        points = scored.points.filter(pl.col("score") == one.score)
        charts[one.score] = (roc_chart(points, one), precision_chart(points, one))
    return render_page(
        "scanner.score",
        "score.html.j2",
        styles=("score.css",),
        found=found,
        figure=partial(figure, found),
        truth=Path(scored.names[0]).name,
        run=Path(scored.names[1]).name,
        steps=STEPS if found.attacked else STEPS[: STEPS.index("tried")],
        charts=charts,
        detectors=_detector_charts(scored),
    )


def _detector_charts(scored: "Scored") -> Mapping[str, Markup]:
    """By name: against all that was planted often enough, and against what was verified."""
    charts = {}
    for name, rocs in groupby(scored.score.detectors, key=lambda one: one.detector):
        first, *_, last = several = tuple(rocs)
        points = scored.detector_points.filter(pl.col("detector") == name)
        charts[name] = detector_roc(points, (first, last) if len(several) > 1 else (first,))
    return charts
