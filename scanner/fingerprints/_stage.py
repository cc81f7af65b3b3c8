"""The first stage of an audit: a shard's images as rows with hashes, thumbnails and embeddings.

Made once (it holds the model), then called with one shard after the other. It writes nothing and catches nothing but
what a row itself is to blame for. A shard comes in blocks of a few thousand rows, so that memory does not grow with
it. Pictures are decoded by threads in chunks; a decoded picture lives only inside its thread, what waits for the model
is the model's small input. Equal pixels are embedded once, in the shard and, through `SeenPictures`, in the run.

The next chunk is decoded while the model runs.

A row of which the data set holds an embedding needs no model, and without an image nothing is decoded either.

    >>> stage = Fingerprinter(load_embedder("demo"), SeenPictures(run))     # doctest: +SKIP
    >>> for rows in stage(dataset, dataset.shards[0]): ...                  # doctest: +SKIP
"""

import hashlib
import os
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from torch import Tensor

from scanner.carried import carried_frame
from scanner.fingerprints._embed import Embedder
from scanner.fingerprints._hashes import perceptual_hash, pixel_sha256
from scanner.fingerprints._seen import SeenPictures
from scanner.fingerprints._thumbnail import thumbnail
from scanner.samples import Dataset, Failure, Sample, Shard, Undecodable, decode
from scanner.signals import Signal, signals_of
from scanner.tables import ERRORS, SAMPLES, SIGNALS

BLOCK_ROWS = 4096
"""Rows given back at once: 14 MB of thumbnails."""
_CHUNK_ROWS = 128
_CHUNK_BYTES = 64 << 20
"""Rows, or encoded bytes, that are decoded together."""


@dataclass(frozen=True, kw_only=True)
class ShardRows:
    """Some consecutive rows of a shard: rows in = samples + errors that have a key."""

    samples: pl.DataFrame
    """One row per image that was read, in stored order; columns of `tables.SAMPLES`."""
    errors: pl.DataFrame
    """One row per input row that was not; columns of `tables.ERRORS`."""
    embeddings: NDArray[np.float16]
    """(samples, width), unit length; row i belongs to row i of the samples."""
    carried: pl.DataFrame
    """`sample_id` and the columns that are carried through, as `scanner.carried` stores them."""
    signals: pl.DataFrame
    """What the rows' columns and files say about their images; columns of `tables.SIGNALS`."""
    rows_in: int
    """Rows that the reader gave since the last block, some of which may still come: over a shard it is their number."""


@dataclass(frozen=True, kw_only=True)
class Tally:
    """How far a shard is, since the last tally."""

    rows: int
    """Rows read."""
    size: int
    """Bytes of their images, or of their embeddings where they have no images."""
    errors: int
    """Rows that failed; those set aside are none."""
    part: float
    """Part of the shard's bytes that is behind, 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class _Examined:
    """A sample that can be stored."""

    row: dict[str, Any]
    """The sample's columns, but for its id."""
    carried: dict[str, Any]
    """Its columns that are carried through."""
    signals: Sequence[Signal]
    """What its columns and its file say about it."""
    prepared: Tensor | None
    """The model's input; None where the data set has the embedding."""
    vector: NDArray[np.float16] | None
    """The data set's embedding."""


class Fingerprinter:
    """The stage: a loaded model and the index of what the run has embedded already."""

    def __init__(
        self,
        embedder: Embedder | None,
        seen: SeenPictures,
        *,
        width: int = 0,
        carry: Sequence[str] = (),
        progress: Callable[[Tally], None] | None = None,
    ) -> None:
        """`embedder` is None for a data set that has all its embeddings, which are `width` numbers wide; `carry` names
        columns to carry through."""
        self._embedder, self._seen, self._carry = embedder, seen, tuple(dict.fromkeys(carry))
        self._width = width if embedder is None else embedder.width
        self._progress = progress or (lambda _: None)
        self._threads = min(8, os.cpu_count() or 1)

    def __call__(self, dataset: Dataset, shard: Shard) -> Iterator[ShardRows]:
        """Read, decode, hash and embed one shard; at least one block, which may be empty.

        `sample_id` is the shard's index × 2³² plus the row's position among the shard's samples.
        """
        self._seen.refresh()
        vectors = _Vectors(self._embedder, self._seen, self._width)
        block, next_id = _Block(self._carry), shard.index << 32
        given = _Counted(dataset.read(shard))
        for item in self._examine(given, shard):
            block.add(next_id, item)
            if isinstance(item, _Examined):
                vectors.add(item)
                next_id += 1
            if len(block) == BLOCK_ROWS:
                yield block.rows(vectors.take(), given.take())
                block = _Block(self._carry)
        yield block.rows(vectors.take(), given.take())

    def _examine(self, items: Iterable[Sample | Failure], shard: Shard) -> Iterator[_Examined | Failure]:
        """The shard's rows in stored order, a chunk of them decoded at a time."""
        size, read = max(1, shard.size), 0
        with ThreadPoolExecutor(self._threads) as pool:
            chunks = (self._decode_chunk(pool, chunk) for chunk in _chunks(items))
            for encoded, decoded in _ahead(chunks):
                done = list(decoded)
                yield from done
                read += encoded
                failed = sum(isinstance(item, Failure) and item.stage != "select" for item in done)
                self._progress(Tally(rows=len(done), size=encoded, errors=failed, part=min(1.0, read / size)))

    def _decode_chunk(
        self, pool: Executor, chunk: Sequence[Sample | Failure]
    ) -> tuple[int, Iterable[_Examined | Failure]]:
        """Bytes of the chunk's images, and its rows as the threads get them done."""
        encoded = sum(_bytes(item) for item in chunk)
        return encoded, pool.map(self._one, chunk)

    def _one(self, item: Sample | Failure) -> _Examined | Failure:
        if isinstance(item, Failure):
            return item
        try:
            picture = None if item.encoded is None else decode(item.encoded)
        except Undecodable as error:
            return Failure(shard=item.shard, key=item.key, stage="decode", reason=error.reason, message=error.message)
        return _Examined(
            row=_identity(item) | ({} if picture is None else _fingerprints(picture)),
            carried={name: item.fields.get(name) for name in self._carry},
            signals=signals_of(item.extra, item.encoded),
            prepared=None if picture is None or item.embedding is not None else self._prepare(picture),
            vector=item.embedding,
        )

    def _prepare(self, picture: NDArray[np.uint8]) -> Tensor:
        assert self._embedder is not None, "a row without an embedding of its own needs the model"
        return self._embedder.prepare(picture)


class _Counted:
    """What a reader gives, counted before anything is done with it; a remark about the shard is no row."""

    def __init__(self, items: Iterable[Sample | Failure]) -> None:
        self._items, self._rows = items, 0

    def __iter__(self) -> Iterator[Sample | Failure]:
        for item in self._items:
            self._rows += isinstance(item, Sample) or item.key != ""
            yield item

    def take(self) -> int:
        """Rows since the last time."""
        rows, self._rows = self._rows, 0
        return rows


def _chunks(items: Iterable[Sample | Failure]) -> Iterator[list[Sample | Failure]]:
    """Rows together that are decoded together: as many as fit, at least one."""
    chunk: list[Sample | Failure] = []
    size = 0
    for item in items:
        chunk.append(item)
        size += _bytes(item)
        if len(chunk) == _CHUNK_ROWS or size >= _CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def _bytes(item: Sample | Failure) -> int:
    """What was read of a row: its image, or its embedding where there is no image."""
    if isinstance(item, Failure):
        return 0
    if item.encoded is None and item.embedding is not None:
        return item.embedding.nbytes
    return len(item.encoded or b"")


def _ahead(chunks: Iterator[Any]) -> Iterator[Any]:
    """The same, each one asked for before the one in front of it is used."""
    waiting = next(chunks, None)
    while waiting is not None:
        following = next(chunks, None)
        yield waiting
        waiting = following


def _identity(sample: Sample) -> dict[str, Any]:
    # A data set's own `sha256` is not taken for this: img2dataset's is of the file as it was downloaded, not as it is
    # stored, and hashing costs next to nothing (36 µs for a JPEG of 72 kB that takes 820 µs to decode).
    encoded = sample.encoded
    return {
        "shard": sample.shard,
        "key": sample.key,
        "url": sample.url,
        "caption": sample.caption,
        "file_sha256": None if encoded is None else hashlib.sha256(encoded).hexdigest(),
        "file": sample.file,
        "offset": sample.offset,
        "length": None if encoded is None else len(encoded),
    }


def _fingerprints(picture: NDArray[np.uint8]) -> dict[str, Any]:
    height, width, _ = picture.shape
    small = thumbnail(picture)
    return {
        "width": width,
        "height": height,
        "pixel_sha256": pixel_sha256(picture),
        "phash": perceptual_hash(small),
        "thumbnail": small.tobytes(),
    }


class _Block:
    """Rows on their way into tables."""

    def __init__(self, carry: Sequence[str]) -> None:
        self._carry = carry
        self._rows: list[dict[str, Any]] = []
        self._carried: list[dict[str, Any]] = []
        self._signals: list[dict[str, Any]] = []
        self._failures: list[Failure] = []

    def __len__(self) -> int:
        return len(self._rows) + len(self._failures)

    def add(self, sample_id: int, item: _Examined | Failure) -> None:
        """Take in the next row; `sample_id` is for a sample."""
        if isinstance(item, Failure):
            self._failures.append(item)
        else:
            self._rows.append({"sample_id": sample_id, **item.row})
            self._carried.append(item.carried)
            self._signals += ({"sample_id": sample_id, **asdict(one)} for one in item.signals)

    def rows(self, embeddings: NDArray[np.float16], rows_in: int) -> ShardRows:
        ids = [row["sample_id"] for row in self._rows]
        return ShardRows(
            samples=SAMPLES.frame(self._rows),
            errors=ERRORS.frame(map(asdict, self._failures)),
            embeddings=embeddings,
            carried=carried_frame(ids, self._carried, self._carry),
            signals=SIGNALS.frame(self._signals).unique(SIGNALS.key, keep="first", maintain_order=True),
            rows_in=rows_in,
        )


class _Vectors:
    """Embeddings of one shard, each distinct picture computed or looked up once."""

    def __init__(self, embedder: Embedder | None, seen: SeenPictures, width: int) -> None:
        self._embedder, self._seen, self._width = embedder, seen, width
        self._known: dict[str, NDArray[np.float16]] = {}
        self._batch: dict[str, Tensor] = {}
        self._rows: list[str | NDArray[np.float16]] = []

    def add(self, item: _Examined) -> None:
        """Take in the next row; runs the model when enough wait for it."""
        if item.vector is not None:
            assert len(item.vector) == self._width, "all embeddings of a run have one width"
            self._rows.append(item.vector)
            return
        assert item.prepared is not None
        assert self._embedder is not None
        pixels: str = item.row["pixel_sha256"]
        self._rows.append(pixels)
        if pixels in self._known or pixels in self._batch:
            return
        stored = self._seen.get(pixels)
        if stored is not None:
            self._known[pixels] = stored
            return
        self._batch[pixels] = item.prepared
        if len(self._batch) == self._embedder.at_once:
            self._run()

    def take(self) -> NDArray[np.float16]:
        """Embeddings (rows, width) of the rows taken in since the last time, in order."""
        self._run()
        out = np.empty((len(self._rows), self._width), np.float16)
        for position, row in enumerate(self._rows):
            out[position] = self._known[row] if isinstance(row, str) else row
        self._rows.clear()
        return out

    def _run(self) -> None:
        if self._batch and self._embedder is not None:
            self._known.update(zip(self._batch, self._embedder.embed(list(self._batch.values())), strict=True))
            self._batch.clear()
