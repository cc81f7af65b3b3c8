"""The embeddings that a run has stored: one file per shard, and the rows that they belong to.

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
from scanner.tables import SAMPLES

FOLDER = "embeddings"
_IN_MEMORY = 2**30
"""Bytes of embeddings that are put together in memory."""


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
    for part in stored_parts(run):
        block = open_part(run, part)
        column = pl.read_parquet(samples_path(run, part), columns=["sample_id"])["sample_id"]
        check_rows(run, part, len(column), len(block))
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


def samples_path(run: Path, part: str) -> Path:
    """Where a shard's samples lie."""
    return run / SAMPLES.path / f"{part}.parquet"


def stored_parts(run: Path) -> list[str]:
    """Names of the finished shards in the order of their index (the hundred-thousandth has six digits)."""
    parts = [path.stem for path in (run / SAMPLES.path).glob("*.parquet") if not path.name.startswith(".")]
    return sorted(parts, key=int)


def open_part(run: Path, part: str) -> NDArray[np.float16]:
    """A shard's embeddings (rows, width), memory-mapped. Raises ScannerError when the file is gone or damaged."""
    path = embeddings_path(run, part)
    try:
        embeddings: NDArray[np.float16] = np.load(path, mmap_mode="r")
    except (OSError, ValueError) as error:
        raise ScannerError(f"{path} can't be read; delete samples/{part}.parquet in the run and resume it.") from error
    return embeddings


def check_rows(run: Path, part: str, samples: int, embeddings: int) -> None:
    """Raises ScannerError when a shard's two files have other numbers of rows."""
    if samples != embeddings:
        raise ScannerError(
            f"{run} has {samples} samples but {embeddings} embeddings of shard {part}; "
            f"delete samples/{part}.parquet and resume the run."
        )
