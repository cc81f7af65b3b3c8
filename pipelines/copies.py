"""The looks of a copy-detection network: pictures are embedded by it once, shard by shard, then pairs compared.

    RUN/parts/copy-embeddings/00007.parquet     the copy embeddings of the shard with index 7
    RUN/pairs/copy-00000.parquet                the looks

A shard's part that holds every picture that is asked for is not made again, so that looks can be made again (their
parts removed) without embedding.

    model = open_copy_model(config)
    cosines = look_by_copy_model(run, search, model, engine)
"""

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.configs import AttackOptions, AuditConfig
from pipelines.engines import Job, LocalEngine, require
from pipelines.features import places_by_shard
from scanner.duplicates import Addition, CopyCosines, DuplicatesConfig, DuplicateSearch, prefix_of
from scanner.errors import UnusableInputError
from scanner.fingerprints import CopyModel, load_copy_model
from scanner.fingerprints.copy_model import one_core
from scanner.images import images_of
from scanner.run import Run
from scanner.samples import StoredImages, Undecodable, decode
from scanner.tables import COPY_EMBEDDINGS, PAIRS

_PART = 16_384
"""Pairs compared, and written, at a time: 64 MB of rows of 512 numbers."""
_SETTINGS = ("copy_model", "copy_threshold", "copy_preprocessing")


def open_copy_model(config: AuditConfig | AttackOptions, *, pictures: bool) -> CopyModel | None:
    """The network of `--copy-model`, or None where none is given.

    Raises UnusableInputError when it can't be had, or when there are no `pictures` that it could look at.
    """
    if config.copy_model is None:
        return None
    if not pictures:
        raise UnusableInputError("The data set is one of embeddings, with no images to read; leave --copy-model out.")
    return load_copy_model(config.copy_model, config.copy_preprocessing)


def with_copy_model(header: dict[str, Any], model: CopyModel | None) -> dict[str, Any]:
    """The header with what a resumed run must agree with: the file's content and not where it lies."""
    if model is None:
        return {name: value for name, value in header.items() if name not in _SETTINGS}
    return header | {
        "copy_model": model.name,
        "copy_model_sha256": model.checksum,
        "copy_model_width": model.width,
        "copy_preprocessing": model.preprocessing,
    }


def look_by_copy_model(
    run: Run, search: DuplicateSearch, addition: Addition, model: CopyModel, engine: LocalEngine
) -> CopyCosines:
    """Settle by the copy model what is still open; gives the cosines of all pictures that it embedded."""
    seen = (PAIRS.read(run.path, part) for part in addition.parts)
    pairs = search.unsettled(seen, DuplicatesConfig.copy_looks)
    pairs = _with_shared(run, pairs)
    _make_embeddings(run, pl.concat([pairs["left"], pairs["right"]]).unique(), model, engine)
    cosines = StoredCopies(run, search.ids, model.width)
    prefix = prefix_of(addition.number)
    parts = {f"{prefix}copy-{number:05d}": rows for number, rows in enumerate(_cut(pairs))}
    engine.progress.begin("copy model's looks", len(parts))
    for part, rows in parts.items():
        if PAIRS.exists(run.path, part):
            search.restore_by_copy_model(PAIRS.read(run.path, part))
        else:
            PAIRS.write(run.path, search.look_by_copy_model(rows, cosines), part)
        engine.progress.advance()
    engine.progress.end()
    return cosines


def _with_shared(run: Run, pairs: pl.DataFrame) -> pl.DataFrame:
    """The pairs with what the geometry says of a part in common, where it has looked."""
    closely = PAIRS.scan(run.path).filter(pl.col("look") == "geometry").select("left", "right", "shared").collect()
    return pairs.drop("shared").join(closely, on=["left", "right"], how="left", maintain_order="left")


def _cut(pairs: pl.DataFrame) -> Iterator[pl.DataFrame]:
    ordered = pairs.sort("similarity", "left", "right", descending=[True, False, False])
    return (ordered[start : start + _PART] for start in range(0, len(ordered), _PART))


def _make_embeddings(run: Run, ids: pl.Series, model: CopyModel, engine: LocalEngine) -> None:
    """Copy embeddings of these samples, unless they are there."""
    there = COPY_EMBEDDINGS.scan(run.path).select("sample_id").collect()["sample_id"]
    wanted = places_by_shard(run, ids.filter(~ids.is_in(there.implode())))
    job = Job(
        name="copy embeddings",
        shards=list(wanted),
        make=lambda: _Reader(images_of(run), wanted, model),
        done=lambda _: False,
        write=lambda part, made: _write(run, part, made),
    )
    require(engine.run(job))


class _Reader:
    """Reads and embeds the pictures of one shard, as many at once as there are cores."""

    def __init__(self, images: StoredImages, places: dict[str, pl.DataFrame], model: CopyModel) -> None:
        self._images, self._places, self._model = images, places, model

    def __call__(self, part: str) -> pl.DataFrame:
        places = self._places[part].select("sample_id", "file", "offset", "length")
        with ThreadPoolExecutor(os.cpu_count(), initializer=one_core) as pool:
            embeddings = list(pool.map(self._embedded, places.rows()))
        return places.select("sample_id", pl.Series("embedding", embeddings, dtype=pl.Binary))

    def _embedded(self, row: tuple[int, str | None, int, int | None]) -> bytes | None:
        """None where the picture can't be read any more."""
        try:
            picture = decode(self._images(*row[1:]))
        except Undecodable:
            return None
        return self._model(picture).astype("<f2").tobytes()


def _write(run: Run, part: str, made: pl.DataFrame) -> None:
    """Add to what the part holds already."""
    there = COPY_EMBEDDINGS.exists(run.path, part)
    before = COPY_EMBEDDINGS.read(run.path, part) if there else COPY_EMBEDDINGS.empty()
    COPY_EMBEDDINGS.write(run.path, pl.concat([before, made]), part)


class StoredCopies:
    """Cosines of pairs of distinct pictures by the copy embeddings that a run has stored."""

    def __init__(self, run: Run, ids: NDArray[np.int64], width: int) -> None:
        """`ids` are the sample_ids of the distinct pictures, ascending; positions are those in it."""
        stored = COPY_EMBEDDINGS.read(run.path).drop_nulls()
        rows = np.frombuffer(b"".join(stored["embedding"]), "<f2").reshape(-1, width)
        self._rows = np.concatenate([rows, np.full((1, width), np.nan, np.float16)])
        own = stored["sample_id"].to_numpy()
        place = np.searchsorted(own, ids)
        found = np.append(own, -1)[place] == ids
        self._place = np.where(found, place, len(own))

    def __call__(self, left: NDArray[np.integer], right: NDArray[np.integer]) -> NDArray[np.float32]:
        """NaN where one of the two has no embedding."""
        one, two = (self._rows[self._place[side]].astype(np.float32) for side in (left, right))
        cosines: NDArray[np.float32] = np.einsum("pd,pd->p", one, two)
        return np.where(np.isnan(cosines), cosines, cosines.clip(-1, 1))
