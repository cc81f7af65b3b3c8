"""The embeddings that a run has stored: one file per shard, and which pictures they belong to.

    RUN/samples/00007.parquet       the samples of the shard with index 7
    RUN/embeddings/00007.npy        float16, row i belongs to row i of the samples file (clip-retrieval's layout)

The samples file is written last, so a shard counts as stored when it is there.

    >>> ids, embeddings = stored_embeddings(Path("RUN"))    # doctest: +SKIP
"""

import tempfile
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.errors import ScannerError
from scanner.samples import Shard
from scanner.tables import SAMPLES

FOLDER = "embeddings"
_IN_MEMORY = 2**30
"""Bytes of embeddings that are put together in memory."""


def part_name(shard: Shard) -> str:
    """Name of a shard's samples and embeddings files, without ending: its index, five digits."""
    return f"{shard.index:05d}"


def embeddings_path(run: Path, part: str) -> Path:
    """Where a shard's embeddings lie."""
    return run / FOLDER / f"{part}.npy"


def stored_embeddings(run: Path) -> tuple[NDArray[np.int64], NDArray[np.float16]]:
    """All of a run: sample ids (n,) ascending, and their embeddings (n, width), float16, in the same order.

    A run of one shard is memory-mapped; several are put together, in memory up to a gibibyte and beyond it in a
    memory-mapped file in the run's folder, which goes with the process. Raises ScannerError when a shard's two files do
    not belong together.
    """
    ids, blocks = [np.empty(0, np.int64)], []
    for part in _stored_parts(run):
        block = open_part(run, part)
        column = pl.read_parquet(_samples_path(run, part), columns=["sample_id"])["sample_id"]
        _check_rows(run, part, len(column), len(block))
        ids.append(column.to_numpy())
        blocks.append(block)
    if len(blocks) == 1:
        return ids[1], blocks[0]
    return np.concatenate(ids), _put_together(run, blocks) if blocks else np.empty((0, 0), np.float16)


def _put_together(run: Path, blocks: list[NDArray[np.float16]]) -> NDArray[np.float16]:
    if sum(block.nbytes for block in blocks) <= _IN_MEMORY:
        return np.concatenate(blocks)
    shape = (sum(map(len, blocks)), blocks[0].shape[1])
    with tempfile.TemporaryFile(dir=run, prefix=".embeddings-") as file:
        together = np.memmap(file, np.float16, "w+", shape=shape)
    start = 0
    for block in blocks:
        together[start : start + len(block)] = block
        start += len(block)
    return together


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
        fresh = [self._read_part(part) for part in _stored_parts(self._run) if part not in known]
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
        hashes = pl.read_parquet(_samples_path(self._run, part), columns=["pixel_sha256"])["pixel_sha256"]
        _check_rows(self._run, part, len(hashes), len(open_part(self._run, part)))
        rows = np.flatnonzero(hashes.is_not_null())  # a row without an image has no pixels
        hashes = hashes.drop_nulls()
        entries = np.empty(len(hashes), dtype=self._index.dtype)
        entries["high"] = hashes.str.slice(0, 16).str.to_integer(base=16, dtype=pl.UInt64).to_numpy()
        entries["low"] = hashes.str.slice(16, 16).str.to_integer(base=16, dtype=pl.UInt64).to_numpy()
        entries["part"], entries["row"] = len(self._parts), rows
        self._parts.append(part)
        return entries


def _samples_path(run: Path, part: str) -> Path:
    return run / SAMPLES.path / f"{part}.parquet"


def _stored_parts(run: Path) -> list[str]:
    """Names of the finished shards in the order of their index (the hundred-thousandth has six digits)."""
    parts = [path.stem for path in (run / SAMPLES.path).glob("*.parquet") if not path.name.startswith(".")]
    return sorted(parts, key=int)


def open_part(run: Path, part: str) -> NDArray[np.float16]:
    """A finished shard's embeddings, memory-mapped. Raises ScannerError when they can't be read."""
    path = embeddings_path(run, part)
    try:
        embeddings: NDArray[np.float16] = np.load(path, mmap_mode="r")
    except (OSError, ValueError, EOFError) as error:
        raise ScannerError(f"{path} can't be read; delete samples/{part}.parquet in the run and resume it.") from error
    return embeddings


def _check_rows(run: Path, part: str, samples: int, embeddings: int) -> None:
    if samples != embeddings:
        raise ScannerError(
            f"{run} has {samples} samples but {embeddings} embeddings of shard {part}; "
            f"delete samples/{part}.parquet and resume the run."
        )
