"""Each detector's scores of the high-risk prompts against those of the control prompts, at every threshold.

A run knows no truth, so this is no ROC of memorised against other prompts: it says how far the two arms lie apart, and
what another threshold would have let through. `scanner lab score` draws the ROC where the truth is known.

    >>> detector_curves(run, prompt_frame(run))[0].higher                       # doctest: +SKIP
"""

import numpy as np
import polars as pl

from scanner.report._plotted import MOST_POINTS, DetectorCurve, ScorePoint
from scanner.report._roc import Scores, auc, passing, spread
from scanner.run import Run
from scanner.tables import TRIAGE


def detector_curves(run: Run, frame: pl.DataFrame) -> tuple[DetectorCurve, ...]:
    """One for every detector that scored a prompt, by name; `frame` is `prompt_frame`."""
    scores = run.read(TRIAGE).select("prompt_id", "detector", "score", "threshold")
    rows = scores.join(frame.select("prompt_id", "arm", "hit"), on="prompt_id")
    return tuple(
        _curve(str(name), part) for (name,), part in sorted(rows.partition_by("detector", as_dict=True).items())
    )


def _curve(name: str, rows: pl.DataFrame) -> DetectorCurve:
    risk = pl.col("arm") == "risk"
    kinds = [_scores(rows.filter(kind)) for kind in (risk, pl.col("arm") == "control", risk & pl.col("hit"))]
    threshold = rows["threshold"].drop_nans().drop_nulls().first()
    return DetectorCurve(
        detector=name,
        risk=len(kinds[0]),
        control=len(kinds[1]),
        verified=len(kinds[2]),
        higher=auc(kinds[0], kinds[1]),
        used=None if threshold is None else _used(kinds, float(str(threshold))),
        points=_points(kinds),
    )


def _scores(rows: pl.DataFrame) -> Scores:
    """As thresholds see them: what is no finite number lies above all others."""
    scores = rows["score"].to_numpy().astype(np.float64)
    return np.where(np.isfinite(scores), scores, np.inf)


def _used(kinds: list[Scores], threshold: float) -> ScorePoint:
    risk, control, verified = (int((scores > threshold).sum()) for scores in kinds)
    return ScorePoint(score=threshold, risk=risk, control=control, verified=verified)


def _points(kinds: list[Scores]) -> tuple[ScorePoint, ...]:
    """A point for every score that occurs; of many, some that lie evenly along the curve of the two arms."""
    at = np.unique(np.concatenate(kinds[:2]))[::-1]
    risk, control, verified = (passing(scores, at) for scores in kinds)
    along = risk / max(len(kinds[0]), 1) + control / max(len(kinds[1]), 1)
    return tuple(
        ScorePoint(
            score=float(at[i]) if np.isfinite(at[i]) else None,
            risk=int(risk[i]),
            control=int(control[i]),
            verified=int(verified[i]),
        )
        for i in spread(along, MOST_POINTS)
    )
