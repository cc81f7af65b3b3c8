"""Embeddings that somebody has made already, given to the rows of a data set that has the images.

They are looked up by key: that of a row whose data set has a column of the same name as the embeddings' key (`uid` of
DataComp, `key` of img2dataset), or else the row's own; where the embeddings have nothing but the image's path, by its
last part without the image's ending. A key that two embeddings have is of no use, since either may be meant.

    >>> given = GivenEmbeddings(open_embeddings("laion-embeddings/"))                # doctest: +SKIP
    >>> dataset = WithEmbeddings(dataset=open_dataset("laion/"), given=given)        # doctest: +SKIP
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import PurePosixPath
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scanner.errors import UnusableInputError
from scanner.samples._around import Around
from scanner.samples._embeddings import EmbeddingRoles, EmbeddingSet, Part
from scanner.samples._parquet import parquet_file
from scanner.samples._place import Place, open_place, relative
from scanner.samples._rows import said_of_data
from scanner.samples._sample import Dataset, Failure, Sample, Shard, unread
from scanner.samples._sidecar import IMAGE_SUFFIXES
from scanner.samples._vectors import UnitRows, VectorFile, VectorStream, unit_rows

_BLOCK_ROWS = 1024
_KEPT_BLOCKS = 16
"""Blocks in memory: a data set's rows mostly come in the order in which they were embedded."""
_KEYS_AT_ONCE = 65_536


@dataclass(frozen=True, kw_only=True)
class Given:
    """An embedding that was looked up."""

    vector: NDArray[np.float16] | None
    """(width,), of unit length; None where it holds nothing usable."""
    length: float | None
    """Its length as it was stored, where that was not 1."""


class GivenEmbeddings:
    """An index of embeddings by key: 24 bytes of memory a row; the embeddings stay where they lie."""

    def __init__(self, found: EmbeddingSet) -> None:
        """Raises UnusableInputError where the rows have no keys, or these can't be read."""
        self._found = found
        self._parts = list(found.parts.values())
        index = np.concatenate([_keys(found.root, part, number) for number, part in enumerate(self._parts)])
        index.sort(order=["high", "low", "part", "row"])
        same = index[["high", "low"]][1:] == index[["high", "low"]][:-1]
        twice = np.zeros(len(index), bool)
        twice[1:] |= same
        twice[:-1] |= same
        self._index = index[~twice]
        self._roles = self._parts[0].roles
        self.rows = len(index)
        """Embeddings that have a key."""
        self.ambiguous = int(twice.sum())
        """Those whose key another one has: they are given to no row."""
        self.width = self._parts[0].vectors.width
        """Numbers in an embedding."""
        self.fingerprint = hashlib.sha256("".join(shard.fingerprint for shard in found.shards).encode()).hexdigest()
        """sha-256, hex, of the states of all their files."""

    def __reduce__(self) -> tuple[Any, ...]:
        return GivenEmbeddings, (self._found,)

    def __str__(self) -> str:
        return str(self._found.root)

    @contextmanager
    def reading(self) -> Iterator[Callable[[Sample], Given | None]]:
        """A function from a row to its embedding, or to None where there is none; files are open meanwhile."""
        with ExitStack() as files:
            reader = _Reader([part.vectors for part in self._parts], files)

            def find(sample: Sample) -> Given | None:
                found = map(self._look_up, _candidates(sample, self._roles))
                entry = next((entry for entry in found if entry is not None), None)
                return None if entry is None else reader(int(entry["part"]), int(entry["row"]))

            yield find

    def _look_up(self, key: str) -> np.void | None:
        high, low = _digest(key)
        at = int(np.searchsorted(self._index["high"], np.uint64(high)))
        while at < len(self._index) and self._index["high"][at] == high:
            if self._index["low"][at] == low:
                found: np.void = self._index[at]
                return found
            at += 1
        return None


class _Reader:
    """Single embeddings of several files, of which the one read last is open; blocks of rows are kept."""

    def __init__(self, files: Sequence[VectorFile], opened: ExitStack) -> None:
        self._files, self._opened = files, opened
        self._blocks: OrderedDict[tuple[int, int], UnitRows] = OrderedDict()
        self._stream: tuple[int, VectorStream] | None = None

    def __call__(self, file: int, row: int) -> Given:
        block, within = divmod(row, _BLOCK_ROWS)
        if (file, block) not in self._blocks:
            count = min(_BLOCK_ROWS, self._files[file].rows - block * _BLOCK_ROWS)
            self._blocks[file, block] = unit_rows(self._open(file).take(block * _BLOCK_ROWS, count))
            if len(self._blocks) > _KEPT_BLOCKS:
                self._blocks.popitem(last=False)
        self._blocks.move_to_end((file, block))
        unit = self._blocks[file, block]
        if within >= len(unit.vectors) or not unit.usable[within]:
            return Given(vector=None, length=None)
        return Given(vector=unit.vectors[within], length=float(unit.length[within]) if unit.changed[within] else None)

    def _open(self, file: int) -> VectorStream:
        if self._stream is None or self._stream[0] != file:
            self._opened.close()
            self._stream = file, self._opened.enter_context(self._files[file].open())
        return self._stream[1]


@dataclass(frozen=True, kw_only=True)
class WithEmbeddings(Around):
    """A data set whose rows carry the embeddings that were given, where there are any for them; itself one."""

    dataset: Dataset
    """The data set, which has the images."""
    given: GivenEmbeddings
    """The embeddings."""

    @property
    def shards(self) -> tuple[Shard, ...]:
        return self.dataset.shards

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        """Every row of the shard once, and remarks on rows for which no embedding was given, or one of no use."""
        with self.given.reading() as find:
            yield from self._read(shard, find)

    def _read(self, shard: Shard, find: Callable[[Sample], Given | None]) -> Iterator[Sample | Failure]:
        without = rows = 0
        scaled = False
        for item in self.dataset.read(shard):
            if isinstance(item, Failure):
                yield item
                continue
            rows += 1
            given = find(item)
            if given is None or given.vector is None:
                without += 1
                yield item
                continue
            if given.length is not None and not scaled:
                scaled = True
                yield _remark(shard, "not_unit_length", _of_length(item.key, given.length))
            yield replace(item, embedding=given.vector)
        if without:
            message = f"For {without:,} of {rows:,} rows no usable embedding was given; the model embedded them."
            yield _remark(shard, "no_embedding_given", message)


def _remark(shard: Shard, reason: str, message: str) -> Failure:
    return unread(shard, "", reason, message)


def _of_length(key: str, length: float) -> str:
    return f"Embeddings were given that are not of unit length (the first, of {key}, is {length:.4g}); brought to it."


def _candidates(sample: Sample, roles: EmbeddingRoles) -> Iterator[str]:
    """The keys under which the row's embedding may stand, the surest first."""
    if roles.key is None:
        yield short(sample.key)
        return
    named = sample.extra.get(roles.key)
    if named is not None:
        yield str(named)
    yield sample.key


def short(path: str) -> str:
    """The last part of an image's path, without an image's ending.

    >>> short("photos/000000012.jpg")
    '000000012'
    """
    pure = PurePosixPath(path.replace("\\", "/"))
    return pure.stem if pure.suffix[1:].lower() in IMAGE_SUFFIXES else pure.name


def _keys(root: Place, part: Part, number: int) -> NDArray[np.void]:
    """The digests of a part's keys, with its number and their rows."""
    name = part.roles.key or part.roles.path
    if name is None:
        raise UnusableInputError(
            f"{relative(part.metadata, root)} has neither keys nor paths of images, so that no row can be found in it."
        )
    entries = np.empty(part.vectors.rows, [("high", "<u8"), ("low", "<u8"), ("part", "<u4"), ("row", "<u4")])
    known = np.zeros(len(entries), bool)
    row = 0
    try:
        with open_place(part.metadata) as file:
            for batch in parquet_file(file).iter_batches(_KEYS_AT_ONCE, columns=[name], use_threads=False):
                for value in batch.column(0).to_pylist():
                    if value is not None and value != "":
                        key = str(value) if part.roles.key is not None else short(value)
                        entries[row] = (*_digest(key), number, row)
                        known[row] = True
                    row += 1
    except (pa.ArrowException, OSError, ValueError) as error:
        where, said = relative(part.metadata, root), said_of_data(error)
        raise UnusableInputError(f"The keys in {where} can't be read ({said}); get the file again.") from error
    return entries[known]


def _digest(key: str) -> tuple[int, int]:
    """128 bits of a key: a chance agreement is out of the question."""
    digest = hashlib.blake2b(key.encode("utf-8", "surrogatepass"), digest_size=16).digest()
    return int.from_bytes(digest[:8], "little"), int.from_bytes(digest[8:], "little")
