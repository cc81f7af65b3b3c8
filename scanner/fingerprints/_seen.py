"""Which pictures a run has embedded already, so that none is embedded twice.

>>> SeenPictures(Path("RUN")).get("9f86d0...")           # doctest: +SKIP
"""

from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.embeddings import check_rows, open_part, samples_path, stored_parts
from scanner.samples import Shard


def part_name(shard: Shard) -> str:
    """Name of a shard's samples and embeddings files, without ending: its index, five digits."""
    return f"{shard.index:05d}"


class SeenPictures:
    """An index of a run's finished shards, from a picture's `pixel_sha256` to its stored embedding.

    24 bytes of memory per stored row; the embeddings stay on disk.
    """

    def __init__(self, run: Path) -> None:
        self._run = run
        self._parts: list[str] = []
        # Half a sha-256 in two numbers, sorted by the first; a chance agreement of 128 bits is out of the question.
        self._index = np.empty(0, dtype=[("high", "<u8"), ("low", "<u8"), ("part", "<u4"), ("row", "<u4")])
        self.refresh()

    def __len__(self) -> int:
        return len(self._index)

    def refresh(self) -> None:
        """Take in the shards that were finished since the last time."""
        known = set(self._parts)
        fresh = [self._read_part(part) for part in stored_parts(self._run) if part not in known]
        if fresh:
            self._index = np.sort(np.concatenate([self._index, *fresh]), order=["high", "low", "part", "row"])

    def get(self, pixel_sha256: str) -> NDArray[np.float16] | None:
        """The stored embedding (width,) of the picture with these pixels, or None."""
        high, low = (np.uint64(int(pixel_sha256[start : start + 16], 16)) for start in (0, 16))
        position = int(np.searchsorted(self._index["high"], high))
        while position < len(self._index) and self._index["high"][position] == high:
            entry = self._index[position]
            if entry["low"] == low:
                return np.array(open_part(self._run, self._parts[entry["part"]])[entry["row"]])
            position += 1
        return None

    def _read_part(self, part: str) -> NDArray[np.void]:
        hashes = pl.read_parquet(samples_path(self._run, part), columns=["pixel_sha256"])["pixel_sha256"]
        check_rows(self._run, part, len(hashes), len(open_part(self._run, part)))
        rows = np.flatnonzero(hashes.is_not_null())  # a row without an image has no pixels
        hashes = hashes.drop_nulls()
        entries = np.empty(len(hashes), dtype=self._index.dtype)
        entries["high"] = hashes.str.slice(0, 16).str.to_integer(base=16, dtype=pl.UInt64).to_numpy()
        entries["low"] = hashes.str.slice(16, 16).str.to_integer(base=16, dtype=pl.UInt64).to_numpy()
        entries["part"], entries["row"] = len(self._parts), rows
        self._parts.append(part)
        return entries
