"""Features of the pictures that are looked at closely: each picture is read once, shard by shard.

    RUN/parts/features/00007.bin         the features of the shard with index 7, one behind the other
    RUN/parts/features/00007.parquet     whose they are, and where

make_features(run, ids, engine)
StoredFeatures(run)(sample_id)    # Features or None
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
import polars as pl

from pipelines.engines import Job, LocalEngine, require
from scanner.duplicates import addition_of, prefix_of
from scanner.duplicates.geometry import Features, GeometryConfig, features
from scanner.files import replacing
from scanner.images import image_places, images_of
from scanner.run import Run
from scanner.samples import StoredImages, Undecodable, decode
from scanner.tables import FEATURES

_KEPT = 2048
"""Features kept in memory: 80 MB."""
_SHARD = 2**32
"""A sample_id is its shard's index × 2³² + its row."""


def make_features(run: Run, ids: pl.Series, engine: LocalEngine, addition: int = 0) -> None:
    """Features of these samples, unless their shard's are there. Of shards that were added (`addition` 1, 2, ...) the
    search asks for pictures of earlier ones too: those that were described before them are not again."""
    described = _stored(run).filter(pl.col("part").map_elements(addition_of, return_dtype=pl.Int64) < addition)
    ids = ids.filter(~ids.is_in(described["sample_id"].implode()))
    found = {f"{prefix_of(addition)}{part}": rows for part, rows in places_by_shard(run, ids).items()}
    job = Job(
        name="features",
        shards=list(found),
        make=lambda: _Reader(images_of(run), found),
        done=lambda part: FEATURES.exists(run.path, part),
        write=lambda part, made: _write(run.path, part, made),
    )
    require(engine.run(job))


def _stored(run: Run) -> pl.DataFrame:
    """The features table with the `part` that each row lies in."""
    table = FEATURES.scan(run.path, file_column="part").collect()
    stem = pl.col("part").map_elements(lambda path: Path(path).stem, return_dtype=pl.String)
    table = table.with_columns(stem) if "part" in table.columns else table.with_columns(part=pl.lit("", pl.String))
    return table.sort(FEATURES.key)


def places_by_shard(run: Run, ids: pl.Series) -> dict[str, pl.DataFrame]:
    """Where the images of these samples lie, in parts that are named after the index of their shard."""
    places = image_places(run).filter(pl.col("sample_id").is_in(ids.implode())).collect().sort("sample_id")
    shards = places.group_by(pl.col("sample_id") // _SHARD, maintain_order=True)
    return {f"{index:05d}": rows for (index,), rows in shards}


class _Reader:
    """Reads and describes the pictures of one shard."""

    def __init__(self, images: StoredImages, places: dict[str, pl.DataFrame]) -> None:
        self._images, self._places = images, places
        self._config = GeometryConfig()

    def __call__(self, part: str) -> list[tuple[int, bytes]]:
        rows = self._places[part].select("sample_id", "file", "offset", "length").rows()
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return [made for made in pool.map(self._describe, rows) if made is not None]

    def _describe(self, row: tuple[int, str | None, int, int | None]) -> tuple[int, bytes] | None:
        """None where the picture can't be read any more: it is like no other then."""
        try:
            return row[0], features(decode(self._images(*row[1:])), self._config).to_bytes()
        except Undecodable:
            return None


def _write(run: Path, part: str, made: Sequence[tuple[int, bytes]]) -> None:
    with replacing(run / FEATURES.path / f"{part}.bin") as temporary:
        temporary.write_bytes(b"".join(stored for _, stored in made))
    lengths = np.array([len(stored) for _, stored in made], np.int64)
    rows = {"sample_id": [sample for sample, _ in made], "offset": np.cumsum(lengths) - lengths, "length": lengths}
    FEATURES.write(run, pl.DataFrame(rows, schema=FEATURES.schema), part)


class StoredFeatures:
    """The features that a run has stored, read one by one; those used last are kept. Several threads may ask."""

    def __init__(self, run: Run) -> None:
        self._folder = run.path / FEATURES.path
        table = _stored(run)
        self._parts = table["part"].cast(pl.Categorical)
        self._ids, self._offsets, self._lengths = (table[name].to_numpy() for name in FEATURES.columns)
        self._read = lru_cache(maxsize=_KEPT)(self._load)

    def __call__(self, sample: int) -> Features | None:
        """None where there are none of it."""
        place = int(np.searchsorted(self._ids, sample))
        return self._read(place) if place < len(self._ids) and self._ids[place] == sample else None

    def _load(self, place: int) -> Features:
        with (self._folder / f"{self._parts[place]}.bin").open("rb") as file:
            file.seek(self._offsets[place])
            return Features.from_bytes(file.read(int(self._lengths[place])))
