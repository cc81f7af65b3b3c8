"""How well the detectors of triage tell memorised prompts from others.

What is memorised is known in two ways, and both are given: by the truth, prompts whose picture stands in the training
set as often as --memorised-from says (and each number of copies by itself); and by the attack, prompts that were
verified. The second is measured among attacked prompts only: where triage chose them, it favours the detector that
chose. Negatives are prompts whose picture was planted once at most: controls, twins, and captions that the truth gives
one copy. A threshold at 1 % false positives needs 100 negatives; with fewer the finest rate that they support is used.

    >>> detectors(run.read(TRIAGE), prompts, 8)[0].auc                          # doctest: +SKIP
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.report import Rate, auc, rate
from scanner.score._curves import curve, points_table
from scanner.score._model import Roc
from scanner.score._ranges import ranges
from scanner.triage import control_threshold

FALSE_POSITIVE_RATE = 0.01
"""At which the true-positive rate is given, as in the detectors' papers."""

Scores = NDArray[np.float64]


def detectors(triage: pl.DataFrame, prompts: pl.DataFrame, memorised_from: int) -> tuple[Roc, ...]:
    """Every detector of the triage table against every kind of positives; `prompts` is `prompts_of`."""
    return tuple(
        _roc(name, positives_are, rows.filter(positive), rows.filter(negative), rows)
        for name, rows in _by_detector(triage, prompts)
        for positives_are, positive, negative in _kinds(rows, memorised_from)
    )


def detector_points(triage: pl.DataFrame, prompts: pl.DataFrame, memorised_from: int) -> pl.DataFrame:
    """The points of every detector's ROC against every kind of positives, a row a threshold (see POINTS)."""
    tables = [points_table([], 0, 0, sign=1, detector="", positives_are="")]
    for name, rows in _by_detector(triage, prompts):
        for kind, positive, negative in _kinds(rows, memorised_from):
            scores, others = (_ranked(rows.filter(chosen)) for chosen in (positive, negative))
            points = curve(scores, others)
            tables.append(points_table(points, len(scores), len(others), sign=1, detector=name, positives_are=kind))
    return pl.concat(tables)


def _by_detector(triage: pl.DataFrame, prompts: pl.DataFrame) -> Iterator[tuple[str, pl.DataFrame]]:
    scored = triage.join(prompts.filter("tried"), on="prompt_id")
    for (name,), rows in sorted(scored.partition_by("detector", as_dict=True).items()):
        yield str(name), rows


def _ranked(rows: pl.DataFrame) -> Scores:
    """As thresholds see them: what is no number lies above all others."""
    scores = rows["score"].to_numpy().astype(np.float64)
    return np.where(np.isfinite(scores), scores, np.inf)


def _kinds(rows: pl.DataFrame, memorised_from: int) -> Iterator[tuple[str, pl.Expr, pl.Expr]]:
    """Names of kinds of positives, and which rows are positives and negatives."""
    planted = pl.col("planted").fill_null(False)
    once = pl.col("copies").fill_null(0) <= 1
    negative = once & (pl.col("copies").is_not_null() | (pl.col("arm") == "control"))
    yield f"{memorised_from:,} copies or more", planted & (pl.col("copies") >= memorised_from), negative
    for name, inside in ranges(rows.filter(planted & (pl.col("copies") > 1))["copies"]):
        yield f"{name} copies", planted & inside, negative
    yield "verified", pl.col("verified"), pl.col("attacked") & ~pl.col("verified")


def _roc(name: str, positives_are: str, positive: pl.DataFrame, negative: pl.DataFrame, rows: pl.DataFrame) -> Roc:
    scores, others = positive["score"].to_numpy(), negative["score"].to_numpy()
    found, supported = _at_threshold(scores, others)
    return Roc(
        detector=name,
        positives_are=positives_are,
        positives=len(scores),
        negatives=len(others),
        auc=auc(scores, others),
        tpr=found,
        false_positive_rate=supported,
        evaluations=float(rows["evaluations"].mean() or 0),  # type: ignore[arg-type]
    )


def _at_threshold(positives: Scores, negatives: Scores) -> tuple[Rate, float | None]:
    """Positives above the threshold that the negatives set, and the false-positive rate that they support."""
    if not len(negatives):
        return rate(0, 0), None
    threshold = control_threshold(negatives.tolist(), rate=FALSE_POSITIVE_RATE)
    return rate(int((positives > threshold.value).sum()), len(positives)), threshold.rate
