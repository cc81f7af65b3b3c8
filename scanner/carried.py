"""Columns of the data set that a run carries through: `carried/00007.parquet` beside `samples/00007.parquet`.

They keep their names. Each shard's file has the types that its own values have (whole numbers, numbers, true or false,
text; lists and objects as JSON text); read together, they get the narrowest type that holds all.

    >>> read_carried(Path("RUN")).columns                       # doctest: +SKIP
    ['sample_id', 'punsafe', 'LICENSE']
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import polars as pl

from scanner.files import replacing

FOLDER = "carried"


def carried_frame(sample_ids: Sequence[int], rows: Sequence[Mapping[str, Any]], names: Sequence[str]) -> pl.DataFrame:
    """`sample_id` and the named columns of each row; null where a row lacks one."""
    columns = [pl.Series(name, [_plain(row.get(name)) for row in rows], strict=False) for name in names]
    return pl.DataFrame([pl.Series("sample_id", sample_ids, pl.Int64), *columns])


def write_carried(run: Path, part: str, frame: pl.DataFrame) -> None:
    """Write a shard's columns whole or not at all; nothing where none is carried."""
    if frame.width == 1:
        return
    path = run / FOLDER / f"{part}.parquet"
    with replacing(path) as temporary:
        frame.write_parquet(temporary, compression="zstd")


def merge_carried(blocks: Sequence[pl.DataFrame]) -> pl.DataFrame:
    """Frames one below the other, each column with the narrowest type that holds all its values."""
    return pl.concat(blocks, how="diagonal_relaxed")


def scan_carried(run: Path) -> pl.LazyFrame:
    """All of a run as a lazy frame; no column but `sample_id` where none was carried."""
    parts = sorted(path for path in (run / FOLDER).glob("*.parquet") if not path.name.startswith("."))
    if not parts:
        return pl.LazyFrame(schema={"sample_id": pl.Int64})
    return pl.concat([pl.scan_parquet(part) for part in parts], how="diagonal_relaxed")


def read_carried(run: Path) -> pl.DataFrame:
    """The same in memory, sorted by `sample_id`."""
    return scan_carried(run).collect().sort("sample_id")


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    return json.dumps(value, default=str) if isinstance(value, dict | list | tuple) else str(value)
