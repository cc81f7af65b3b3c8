"""Exact duplicates: rows whose decoded pixels are equal, collapsed onto the first of them.

Equal pixels (after EXIF rotation, as RGB), not equal file bytes: a re-wrapped file is the same picture. Everything
after this works on distinct pictures and keeps their multiplicity, which removes most of the n² work.

    >>> import polars as pl
    >>> collapse(pl.DataFrame({"sample_id": [3, 5, 8], "pixel_sha256": ["a", "b", "a"]})).copies
    array([2, 1])
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Collapse:
    """The distinct pictures of a set, in the order of their first rows."""

    first: NDArray[np.int64]
    """(n,): row of each distinct picture's first copy, ascending."""
    inverse: NDArray[np.int64]
    """(rows,): which distinct picture, 0 to n − 1, each row shows."""
    copies: NDArray[np.int64]
    """(n,): rows that show each distinct picture, 1 or more."""


def collapse(samples: pl.DataFrame) -> Collapse:
    """Collapse `samples` (columns `sample_id`, ascending, and `pixel_sha256`) onto their distinct pictures."""
    assert samples["sample_id"].is_sorted(), "the samples table is sorted by its key"
    numbered = samples.select("pixel_sha256").with_row_index("row")
    first_row = numbered.select(pl.col("row").first().over("pixel_sha256")).to_series()
    first, inverse, copies = np.unique(first_row.to_numpy(), return_inverse=True, return_counts=True)
    return Collapse(first=first.astype(np.int64), inverse=inverse.astype(np.int64), copies=copies.astype(np.int64))
