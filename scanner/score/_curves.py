"""ROC and precision-recall curves of the scores that verdicts rest on, and a threshold for a wanted precision.

Positives are attacked prompts whose picture was planted as often as --memorised-from says, negatives those planted
once at most, never, or drawn as controls; what lies between is left out. A prompt without a score (no two images that
show one original, no clique) passes no threshold: it counts as the least suspicious. The area under the ROC counts ties
half; the average precision is the sum of each threshold's precision by the recall that it adds, without interpolation.

A precision holds for the mix of prompts that it was measured on, and a threshold chosen on the same prompts flatters
it: the interval is that of the counts alone.

    >>> points = curve(np.array([0.9, 0.8, 0.3]), np.array([0.5, 0.1]))
    >>> [(point.threshold, point.true, point.false) for point in points][:2]
    [(0.9, 1, 0), (0.8, 2, 0)]
    >>> average_precision(points, 3)
    0.9166666666666666
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.attack import agreement_levels
from scanner.report import auc, passing, rate
from scanner.run import Run
from scanner.score._model import ScoreCurve
from scanner.score._verdicts import negatives, positives
from scanner.tables import CANDIDATES, HITS

SCORES = {
    "agreement_l2": -1,
    "normalised_l2": -1,
    "reconstruction_l2": -1,
    "tile_l2": -1,
    "l2": -1,
    "paper_l2": -1,
    "agreeing": 1,
    "copy_similarity": 1,
    "clique_mean_distance": -1,
}
"""Scores of an attacked prompt, and whether larger (1) or smaller (−1) is more suspicious. `agreement_l2` is the
normalised l2 at which two full-step images show one original, which is what the verdict cuts; `clique_mean_distance`
is candidates.parquet's mean_distance; the others are columns of hits.parquet."""


@dataclass(frozen=True)
class Point:
    """One threshold of a curve; larger is more suspicious here."""

    threshold: float
    """Scores of this and more pass."""
    true: int
    """Positives that pass."""
    false: int
    """Negatives that pass."""

    @property
    def precision(self) -> float:
        return self.true / (self.true + self.false)


def curve(positive: NDArray[np.float64], negative: NDArray[np.float64]) -> list[Point]:
    """A point for every score that occurs, the strictest first; −∞ passes no threshold."""
    both = np.concatenate([positive, negative])
    at = np.unique(both[np.isfinite(both)])[::-1]
    counts = zip(at, passing(positive, at), passing(negative, at), strict=True)
    return [Point(float(threshold), int(true), int(false)) for threshold, true, false in counts]


def average_precision(points: Sequence[Point], positive: int) -> float | None:
    """Area under the precision-recall curve, by steps; None without positives."""
    if not positive:
        return None
    gained = np.diff([0, *(point.true for point in points)])
    return float(sum(gain * point.precision for gain, point in zip(gained, points, strict=True)) / positive)


def threshold_for(points: Sequence[Point], precision: float) -> Point | None:
    """The threshold of this precision or more that most positives pass, the strictest of these; None without one."""
    fit = [point for point in points if point.true and point.precision >= precision]
    return max(fit, key=lambda point: (point.true, point.threshold), default=None)


def prompt_scores(run: Run) -> pl.DataFrame:
    """`prompt_id` and every score of SCORES as Float64, of each prompt that images were made of; null where it has
    none."""
    hits = run.read(HITS)
    named = [name for name in SCORES if name in hits.columns]
    cliques = run.read(CANDIDATES).select("prompt_id", clique_mean_distance="mean_distance")
    frame = cliques.join(hits.select("prompt_id", *named), on="prompt_id", how="left")
    frame = frame.join(agreement_levels(run), on="prompt_id", how="left")
    missing = [pl.lit(None, pl.Float64).alias(name) for name in SCORES if name not in frame.columns]
    return frame.with_columns(missing).select("prompt_id", pl.col(*SCORES).cast(pl.Float64).fill_nan(None))


def curves(
    run: Run, prompts: pl.DataFrame, memorised_from: int, precision: float
) -> tuple[tuple[ScoreCurve, ...], pl.DataFrame]:
    """Every score that some prompt has, and the points of all curves as a table; `prompts` is `prompts_of`."""
    scored = prompts.filter("attacked").join(prompt_scores(run), on="prompt_id", how="left")
    kinds = [scored.filter(kind) for kind in (positives(memorised_from), negatives())]
    found, tables = [], [points_table([], 0, 0, sign=1, score="")]
    for name, sign in SCORES.items():
        if scored[name].null_count() == scored.height:
            continue
        positive, negative = ((part[name] * sign).fill_null(-np.inf).to_numpy() for part in kinds)
        points = curve(positive, negative)
        found.append(_curve(name, positive, negative, points=points, precision=precision))
        tables.append(points_table(points, len(positive), len(negative), sign=sign, score=name))
    return tuple(found), pl.concat(tables)


def _curve(
    name: str,
    positive: NDArray[np.float64],
    negative: NDArray[np.float64],
    *,
    points: Sequence[Point],
    precision: float,
) -> ScoreCurve:
    at = threshold_for(points, precision)
    true, false = (at.true, at.false) if at else (0, 0)
    return ScoreCurve(
        score=name,
        passes="at least" if SCORES[name] > 0 else "at most",
        positives=len(positive),
        negatives=len(negative),
        scored=int(np.isfinite(positive).sum() + np.isfinite(negative).sum()),
        auc=auc(positive, negative),
        average_precision=average_precision(points, len(positive)),
        wanted_precision=precision,
        threshold=None if at is None else at.threshold * SCORES[name],
        precision=rate(true, true + false),
        recall=rate(true, len(positive)),
        false_positives=rate(false, len(negative)),
    )


POINTS = {
    **{"threshold": pl.Float64, "true_positives": pl.Int64, "false_positives": pl.Int64, "positives": pl.Int64},
    **{"negatives": pl.Int64, "recall": pl.Float64, "false_positive_rate": pl.Float64, "precision": pl.Float64},
}
"""Columns of a curve's points: recall over false_positive_rate is the ROC, precision over recall the other one."""


def points_table(points: Sequence[Point], positives: int, negatives: int, *, sign: int, **names: str) -> pl.DataFrame:
    """The points as rows of `names` and POINTS; `sign` −1 turns thresholds back to a score of which less is more."""
    rows = [
        (
            *(point.threshold * sign, point.true, point.false, positives, negatives),
            *(point.true / positives if positives else None, point.false / negatives if negatives else None),
            point.precision,
        )
        for point in points
    ]
    named = [pl.lit(text, pl.String).alias(name) for name, text in names.items()]
    return pl.DataFrame(rows, schema=POINTS, orient="row").select(*named, *POINTS)
