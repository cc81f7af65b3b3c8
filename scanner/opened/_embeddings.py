"""The embeddings of a run as they lie on disk: memory-mapped shard by shard, and only what is asked for is read.

>>> vectors = RunEmbeddings(Path("RUN"))                                     # doctest: +SKIP
>>> vectors.sample_ids[5], vectors[5]                                        # doctest: +SKIP
>>> vectors.of([17, 18]) @ vectors[:1000].T                                  # doctest: +SKIP
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.embeddings import check_rows, open_part, samples_path, stored_parts
from scanner.errors import UnusableInputError


class RunEmbeddings:
    """Row i is the embedding of the sample `sample_ids[i]`: float16, unit length, memory-mapped."""

    def __init__(self, run: Path) -> None:
        """Opens the files and reads the sample ids; raises ScannerError when a shard's two files do not belong
        together."""
        self._run, self._names = run, stored_parts(run)
        self._blocks = [open_part(run, name) for name in self._names]
        self._starts = np.cumsum([0, *map(len, self._blocks)])

    @cached_property
    def sample_ids(self) -> NDArray[np.int64]:
        """The rows' sample ids (n,), ascending."""
        ids = [self._ids(name, len(block)) for name, block in zip(self._names, self._blocks, strict=True)]
        return np.concatenate(ids) if ids else np.empty(0, np.int64)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows, and numbers in each."""
        return len(self), self._blocks[0].shape[1] if self._blocks else 0

    def __len__(self) -> int:
        return int(self._starts[-1])

    def __getitem__(self, rows: Any) -> NDArray[np.float16]:
        """One row (width,), or the rows of a slice or of an array of positions (m, width), read from the disk."""
        positions = np.arange(len(self))[rows]
        found = self._read(np.atleast_1d(positions))
        return found if np.ndim(positions) else found[0]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        """All rows in memory."""
        if copy is False:
            raise ValueError("The embeddings lie in several files; as one array they are a copy.")
        whole = np.concatenate(self._blocks) if self._blocks else np.empty((0, 0), np.float16)
        return whole if dtype is None else whole.astype(dtype)

    def __repr__(self) -> str:
        rows, width = self.shape
        return f"RunEmbeddings of {rows:,} rows, {width:,} numbers each (float16, in {len(self._blocks):,} files)"

    def of(self, sample_ids: Sequence[int] | pl.Series) -> NDArray[np.float16]:
        """The embeddings (m, width) of these samples, in their order. Raises UnusableInputError when there is no such
        sample."""
        wanted = np.asarray(sample_ids, np.int64)
        positions = np.searchsorted(self.sample_ids, wanted)
        known = positions < len(self)
        known[known] = self.sample_ids[positions[known]] == wanted[known]
        if not known.all():
            raise UnusableInputError(f"{self._run} has no embedding of sample {wanted[~known][0]}.")
        return self._read(positions)

    def parts(self) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float16]]]:
        """Shard by shard: its sample ids, and its embeddings as they are mapped, for work that goes through all."""
        for start, block in zip(self._starts, self._blocks, strict=False):
            yield self.sample_ids[start : start + len(block)], block

    def _read(self, positions: NDArray[np.int64]) -> NDArray[np.float16]:
        found = np.empty((len(positions), self.shape[1]), np.float16)
        parts = np.searchsorted(self._starts, positions, side="right") - 1
        for part in np.unique(parts):
            here = parts == part
            found[here] = self._blocks[part][positions[here] - self._starts[part]]
        return found

    def _ids(self, name: str, rows: int) -> NDArray[np.int64]:
        ids = pl.read_parquet(samples_path(self._run, name), columns=["sample_id"])["sample_id"]
        check_rows(self._run, name, len(ids), rows)
        return ids.to_numpy()
