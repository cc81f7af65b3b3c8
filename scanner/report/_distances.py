"""The distance at which each attacked prompt's images begin to agree on an original, in both arms.

>>> count_distances(run, prompt_frame(run), threshold=0.12).arms[1].within.hits   # doctest: +SKIP
"""

import numpy as np
import polars as pl

from scanner.attack import agreement_levels
from scanner.report._intervals import rate
from scanner.report._plotted import BINS, WIDTH, ArmDistances, Distances
from scanner.run import Run


def count_distances(run: Run, frame: pl.DataFrame, *, threshold: float | None) -> Distances:
    """`frame` is `prompt_frame`; `threshold` is what the verdicts were read against."""
    attacked = frame.filter("attacked").select("prompt_id", "arm")
    levels = attacked.join(agreement_levels(run), on="prompt_id", how="left")
    arms = tuple(_arm(levels.filter(pl.col("arm") == arm), arm, threshold) for arm in ("risk", "control"))
    return Distances(width=WIDTH, threshold=threshold, arms=arms)


def _arm(rows: pl.DataFrame, arm: str, threshold: float | None) -> ArmDistances:
    levels = np.sort(rows["agreement_l2"].drop_nulls().to_numpy())
    edges = WIDTH * np.arange(1, BINS + 1)
    within = 0 if threshold is None else int((levels <= threshold).sum())
    return ArmDistances(
        arm=arm,
        attacked=rows.height,
        agreeing=len(levels),
        within=rate(within, rows.height),
        reached=tuple(int(count) for count in np.searchsorted(levels, edges, "right")),
    )
