"""The first stage of an audit: a shard's images as rows with hashes, thumbnails and embeddings.

Made once (it holds the model), then called with one shard after the other. It writes nothing and catches nothing but
what a row itself is to blame for. Pictures are decoded by a few threads ahead of the model, in bounded memory: a
decoded picture lives only inside its thread, what waits for the model is the model's small input. Equal pixels are
embedded once, in the shard and, through `SeenPictures`, in the run.

    >>> stage = Fingerprinter(load_embedder("demo"), SeenPictures(run))     # doctest: +SKIP
    >>> rows = stage(dataset, dataset.shards[0])                            # doctest: +SKIP
"""

import hashlib
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
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
from scanner.tables import ERRORS, SAMPLES


@dataclass(frozen=True, kw_only=True)
class ShardRows:
    """What a shard gave: rows in = samples + errors."""

    samples: pl.DataFrame
    """One row per image that was read, in stored order; columns of `tables.SAMPLES`."""
    errors: pl.DataFrame
    """One row per input row that was not; columns of `tables.ERRORS`."""
    embeddings: NDArray[np.float16]
    """(samples, width), unit length; row i belongs to row i of the samples."""
    carried: pl.DataFrame
    """`sample_id` and the columns that are carried through, as `scanner.carried` stores them."""


@dataclass(frozen=True, kw_only=True)
class _Examined:
    """A sample whose picture was decoded."""

    row: dict[str, Any]
    """The sample's columns, but for its id."""
    carried: dict[str, Any]
    """Its columns that are carried through."""
    prepared: Tensor
    """The model's input."""


class Fingerprinter:
    """The stage: a loaded model and the index of what the run has embedded already."""

    def __init__(
        self, embedder: Embedder, seen: SeenPictures, *, carry: Sequence[str] = (), threads: int | None = None
    ) -> None:
        self._embedder = embedder
        self._seen = seen
        self._carry = carry
        self._threads = threads or min(8, os.cpu_count() or 1)

    def __call__(self, dataset: Dataset, shard: Shard) -> ShardRows:
        """Read, decode, hash and embed one shard.

        `sample_id` is the shard's index × 2³² plus the row's position among the shard's samples.
        """
        self._seen.refresh()
        batcher = _Batcher(self._embedder, self._seen)
        rows: list[dict[str, Any]] = []
        carried: list[dict[str, Any]] = []
        failures: list[Failure] = []
        for item in self._examine(dataset, shard):
            if isinstance(item, Failure):
                failures.append(item)
            else:
                carried.append(item.carried)
                rows.append({"sample_id": (shard.index << 32) | len(rows), **item.row})
                batcher.add(item.row["pixel_sha256"], item.prepared)
        return ShardRows(
            samples=SAMPLES.frame(rows),
            carried=carried_frame([row["sample_id"] for row in rows], carried, self._carry),
            errors=ERRORS.frame(map(asdict, failures)),
            embeddings=batcher.finish(),
        )

    def _examine(self, dataset: Dataset, shard: Shard) -> Iterator[_Examined | Failure]:
        """The shard's rows in stored order, decoded by threads that run a bounded way ahead."""
        waiting: deque[Future[_Examined | Failure] | Failure] = deque()
        with ThreadPoolExecutor(self._threads) as pool:
            for item in dataset.read(shard):
                ahead = pool.submit(self._decode, item) if isinstance(item, Sample) else item
                waiting.append(ahead)
                if len(waiting) > 4 * self._threads:
                    yield _result(waiting.popleft())
            while waiting:
                yield _result(waiting.popleft())

    def _decode(self, sample: Sample) -> _Examined | Failure:
        try:
            picture = decode(sample.encoded or b"")
        except Undecodable as error:
            return Failure(
                shard=sample.shard, key=sample.key, stage="decode", reason=error.reason, message=error.message
            )
        return _Examined(
            row=_identity(sample) | _fingerprints(picture),
            carried={name: sample.extra.get(name) for name in self._carry},
            prepared=self._embedder.prepare(picture),
        )


def _result(item: Future[_Examined | Failure] | Failure) -> _Examined | Failure:
    return item if isinstance(item, Failure) else item.result()


def _identity(sample: Sample) -> dict[str, Any]:
    encoded = sample.encoded or b""
    return {
        "shard": sample.shard,
        "key": sample.key,
        "url": sample.url,
        "caption": sample.caption,
        "file_sha256": hashlib.sha256(encoded).hexdigest(),
        "file": sample.file,
        "offset": sample.offset,
        "length": len(encoded),
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


class _Batcher:
    """Embeddings of one shard, each distinct picture computed or looked up once."""

    def __init__(self, embedder: Embedder, seen: SeenPictures) -> None:
        self._embedder = embedder
        self._seen = seen
        self._slots: dict[str, int] = {}
        self._rows: list[int] = []
        self._vectors: dict[int, NDArray[np.float16]] = {}
        self._batch: dict[int, Tensor] = {}

    def add(self, pixels: str, prepared: Tensor) -> None:
        """Take in the next row's picture; runs the model when a batch is full."""
        slot = self._slots.setdefault(pixels, len(self._slots))
        self._rows.append(slot)
        if slot in self._vectors or slot in self._batch:
            return
        stored = self._seen.get(pixels)
        if stored is not None:
            self._vectors[slot] = stored
            return
        self._batch[slot] = prepared
        if len(self._batch) == self._embedder.batch:
            self._run()

    def finish(self) -> NDArray[np.float16]:
        """Embeddings of all rows in order, (rows, width)."""
        self._run()
        distinct = np.empty((len(self._vectors), self._embedder.width), np.float16)
        for slot, vector in self._vectors.items():
            distinct[slot] = vector
        return distinct[self._rows]

    def _run(self) -> None:
        self._vectors.update(zip(self._batch, self._embedder.embed(list(self._batch.values())), strict=True))
        self._batch.clear()
