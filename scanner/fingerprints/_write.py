"""A shard's rows on their way to disk, block by block, and there whole or not at all.

Everything goes to temporary names; when the shard is complete, its errors, carried columns, signals and embeddings get
their names first and the samples file last, since a shard counts as stored when that is there.

    >>> write_shard(run, shard, stage(dataset, shard))                      # doctest: +SKIP
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import numpy as np
import polars as pl
import pyarrow.parquet as pq
from numpy.typing import NDArray

from scanner.carried import merge_carried, write_carried
from scanner.embeddings import embeddings_path
from scanner.files import replacing
from scanner.fingerprints._seen import part_name
from scanner.fingerprints._stage import ShardRows
from scanner.samples import Shard
from scanner.tables import ERROR_PARTS, SAMPLES, SHARDS, SIGNALS


def write_shard(run: Path, shard: Shard, blocks: Iterable[ShardRows]) -> None:
    """Write the rows of one shard; `blocks` is at least one, in the order of the rows."""
    part = part_name(shard)
    errors: list[pl.DataFrame] = []
    carried: list[pl.DataFrame] = []
    signals: list[pl.DataFrame] = []
    rows_in = 0
    with ExitStack() as files:
        # entered first, so renamed last
        samples = files.enter_context(_SamplesFile.open(run / SAMPLES.path / f"{part}.parquet"))
        embeddings = files.enter_context(_EmbeddingsFile.open(embeddings_path(run, part)))
        for block in blocks:
            samples.append(block.samples)
            embeddings.append(block.embeddings)
            errors.append(block.errors)
            carried.append(block.carried)
            signals.append(block.signals)
            rows_in += block.rows_in
        ledger = pl.concat(errors)
        ERROR_PARTS.write(run, ledger, part)
        SIGNALS.write(run, pl.concat(signals), part)
        write_carried(run, part, merge_carried(carried))
        SHARDS.write(run, _count(shard, rows_in, samples.rows, ledger), part)


def _count(shard: Shard, rows_in: int, read: int, ledger: pl.DataFrame) -> pl.DataFrame:
    keyed = ledger.filter(pl.col("key") != "")
    aside = keyed.filter(pl.col("stage") == "select").height
    row = {"shard": shard.name, "rows_in": rows_in, "read": read, "set_aside": aside}
    return SHARDS.frame([row | {"failed": keyed.height - aside, "bytes": shard.size}])


class _SamplesFile:
    """A samples file that grows by row groups."""

    def __init__(self, writer: pq.ParquetWriter) -> None:
        self._writer, self.rows = writer, 0

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> "Iterator[_SamplesFile]":
        schema = SAMPLES.empty().to_arrow(compat_level=pl.CompatLevel.oldest()).schema
        with replacing(path) as temporary, pq.ParquetWriter(temporary, schema, compression="zstd") as writer:
            yield cls(writer)

    def append(self, frame: pl.DataFrame) -> None:
        self._writer.write_table(SAMPLES.conform(frame).to_arrow(compat_level=pl.CompatLevel.oldest()))
        self.rows += len(frame)


class _EmbeddingsFile:
    """A `.npy` of float16 rows that grows; numpy leaves room in its header for the number of rows."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._rows, self._width = file, 0, 0
        self._write_header()

    @classmethod
    @contextmanager
    def open(cls, path: Path) -> "Iterator[_EmbeddingsFile]":
        with replacing(path) as temporary, temporary.open("wb") as file:
            embeddings = cls(file)
            yield embeddings
            file.seek(0)
            embeddings._write_header()

    def append(self, embeddings: NDArray[np.float16]) -> None:
        rows, width = embeddings.shape
        assert not self._rows or width == self._width, "all rows of a shard have one width"
        self._rows, self._width = self._rows + rows, width
        self._file.write(np.ascontiguousarray(embeddings).tobytes())

    def _write_header(self) -> None:
        shape = (self._rows, self._width)
        np.lib.format.write_array_header_1_0(self._file, {"descr": "<f2", "fortran_order": False, "shape": shape})
