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


def pick_embeddings(run: Path, sample_ids: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.float16]]:
    """Which of the ids (n,) have an embedding, and those (m, width), float16, in the order of the ids.

    A sample_id says where its embedding lies: the upper 32 bits are the number of its shard's file, the lower ones its
    row. Nothing else is read, and one file is open at a time. Raises ScannerError when a shard's embeddings can't be
    read.
    """
    order = np.argsort(sample_ids, kind="stable")  # so that a file is opened once, and read forwards
    numbers, starts = np.unique(sample_ids[order] >> 32, return_index=True)
    found, picked = np.zeros(len(sample_ids), np.bool_), []
    for number, start, end in zip(numbers.tolist(), starts, np.append(starts, len(order))[1:], strict=True):
        part, of_part = f"{number:05d}", order[start:end]
        if not samples_path(run, part).exists():
            continue
        stored = open_part(run, part)
        row = sample_ids[of_part] & (2**32 - 1)
        there = row < len(stored)
        found[of_part[there]] = True
        picked.append((of_part[there], stored[row[there]]))
    together = np.empty((len(sample_ids), picked[0][1].shape[1] if picked else 0), np.float16)
    for of_part, rows in picked:
        together[of_part] = rows
    return found, together[found]


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
    except (OSError, ValueError, EOFError) as error:
        raise ScannerError(f"{path} can't be read; delete samples/{part}.parquet in the run and resume it.") from error
    return embeddings


def check_rows(run: Path, part: str, samples: int, embeddings: int) -> None:
    """Raises ScannerError when a shard's two files have other numbers of rows."""
    if samples != embeddings:
        raise ScannerError(
            f"{run} has {samples} samples but {embeddings} embeddings of shard {part}; "
            f"delete samples/{part}.parquet and resume the run."
        )
