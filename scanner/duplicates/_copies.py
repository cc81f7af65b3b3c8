"""The copy model's look at a pair that thumbnails and geometry left open: the cosine of two copy embeddings.

It comes last, and only on pairs that are still apart. The geometry is the more exact of the two (it took none of 8,225
pairs of different pictures for one and 5 of 1,147 of look-alikes, `geometry`; SSCD at cosine 0.75 is right in 90 % of
the pairs of DISC2021, see `DuplicatesConfig.copy_cosine`), and what it has tied costs no copy embedding. A pair in
which it has found a part in common and not one picture (`shared`: one logo on two products) stays apart whatever the
cosine: a network trained to find copied parts gives such pairs a high one. The cosine is stored all the same.

>>> pairs = pl.DataFrame({"shared": [None, True]})
>>> looked_at(pairs, np.array([0.8, 0.8], np.float32), 0.75)["accepted"].to_list()
[True, False]
"""

from collections.abc import Callable

import numpy as np
import polars as pl
from numpy.typing import NDArray

COPY_MODEL = "copy-model"
"""What the pairs table calls this look."""

Positions = NDArray[np.integer]

CopyCosines = Callable[[Positions, Positions], NDArray[np.float32]]
"""Cosines of the copy embeddings of pairs of distinct pictures, by their positions; NaN where one has none."""

_OTHERS = ("look_distance", "worst_block", "inliers", "coverage")
"""Columns of other looks."""


def looked_at(pairs: pl.DataFrame, cosines: NDArray[np.float32], least: float) -> pl.DataFrame:
    """The pairs (rows of `PAIRS`, with `shared` as the geometry left it) with what the copy model found of them.

    A picture that can't be read any more (NaN) is like no other.
    """
    return pairs.with_columns(pl.lit(None).alias(name) for name in _OTHERS).with_columns(
        look=pl.lit(COPY_MODEL),
        copy_similarity=pl.Series(cosines, dtype=pl.Float32).fill_nan(None),
        accepted=pl.Series(cosines >= least, dtype=pl.Boolean) & ~pl.col("shared").fill_null(False),
    )
