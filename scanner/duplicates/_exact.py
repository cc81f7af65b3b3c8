"""Exact duplicates: rows whose decoded pixels are equal, collapsed onto the first of them.

Equal pixels (after EXIF rotation, as RGB), not equal file bytes: a re-wrapped file is the same picture. Everything
after this works on distinct pictures and keeps their multiplicity, which removes most of the n² work.

A row that was never decoded has no pixels. Such rows are collapsed when their embeddings are equal, bit for bit: equal
pictures have equal embeddings, but two pictures may share one, so what is counted then is distinct embeddings. An
embedding of zeros says nothing, and is like no other.

    >>> import polars as pl
    >>> collapse(pl.DataFrame({"sample_id": [3, 5, 8], "pixel_sha256": ["a", "b", "a"]})).copies
    array([2, 1])
"""

import hashlib
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.duplicates.neighbours import Stored


@dataclass(frozen=True, kw_only=True)
class Collapse:
    """The distinct pictures of a set, in the order of their first rows."""

    first: NDArray[np.int64]
    """(n,): row of each distinct picture's (or embedding's) first copy, ascending."""
    inverse: NDArray[np.int64]
    """(rows,): which distinct picture, 0 to n − 1, each row shows."""
    copies: NDArray[np.int64]
    """(n,): rows that show each distinct picture, 1 or more."""


def collapse(samples: pl.DataFrame, embeddings: Stored | None = None) -> Collapse:
    """Collapse `samples` (columns `sample_id`, ascending, and `pixel_sha256`) onto their distinct pictures.

    `embeddings` (rows, d) are read for the rows without pixels alone; without any, such a row is like no other.
    """
    assert samples["sample_id"].is_sorted(), "the samples table is sorted by its key"
    pictures = samples["pixel_sha256"].cast(pl.String)
    if pictures.null_count():
        named = [pixels or _name_of(row, embeddings) for row, pixels in enumerate(pictures)]
        pictures = pl.Series(named, dtype=pl.String)
    numbered = pl.DataFrame({"picture": pictures}).with_row_index("row")
    first_row = numbered.select(pl.col("row").first().over("picture")).to_series()
    first, inverse, copies = np.unique(first_row.to_numpy(), return_inverse=True, return_counts=True)
    return Collapse(first=first.astype(np.int64), inverse=inverse.astype(np.int64), copies=copies.astype(np.int64))


def _name_of(row: int, embeddings: Stored | None) -> str:
    """What stands for the pixels of a row that has none."""
    if embeddings is None or not (vector := embeddings[row]).any():
        return f"row {row}"
    return f"embedding {hashlib.sha256(vector.tobytes()).hexdigest()}"
