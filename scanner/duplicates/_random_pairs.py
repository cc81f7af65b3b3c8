"""Random pairs of distinct pictures, block by block, their cosines, and which of them are known as copies.

>>> [block.left.shape for block in blocks(5, 10, seed=0)], [block.left.shape for block in blocks(5, 4, seed=0)]
([(4, 1)], [(4,)])
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.duplicates._calibration import Kind
from scanner.duplicates._config import DuplicatesConfig
from scanner.duplicates._exact import Collapse
from scanner.duplicates._whiten import whiten
from scanner.errors import UnusableInputError

_BLOCK_PAIRS = 1 << 18
_AT_ONCE = 4096
"""Pairs gathered at once, 8 MB of each side at a width of 512; 16,384 took 30 % longer. 10 million pairs of a million
rows of 512 numbers took 55 s of one core in both spaces, whitening included, and 2.3 GB."""

Rows = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Scanned:
    """What a run holds."""

    samples: pl.DataFrame
    """The samples table, sorted by sample_id: `sample_id, pixel_sha256, phash`."""
    embeddings: NDArray[np.floating]
    """(rows, d), float16 or float32, row i of row i."""
    members: pl.DataFrame | None = None
    """The members table; None where the groups are not made yet."""
    groups: pl.DataFrame | None = None
    """The groups table."""
    pairs: pl.DataFrame | None = None
    """The pairs table."""


def pairs_of(count: int) -> int:
    """How many pairs so many pictures have."""
    return count * (count - 1) // 2


@dataclass(frozen=True, kw_only=True)
class Block:
    """Pairs of distinct pictures: b of them, or a whole block of the matrix of all pairs."""

    left: Rows
    """(b,) or (b, 1)."""
    right: Rows
    """(b,) or (1, m)."""


def block_count(count: int, pairs: int) -> int:
    """How many blocks `blocks` gives."""
    if pairs_of(count) <= pairs:
        return -(-(count - 1) // _rows_at_once(count))
    return -(-pairs // _BLOCK_PAIRS)


def _rows_at_once(count: int) -> int:
    return max(1, _BLOCK_PAIRS // count)


def blocks(count: int, pairs: int, *, seed: int) -> Iterator[Block]:
    """All pairs of `count` pictures, each once where `right` is larger, or `pairs` of them drawn independently."""
    if pairs_of(count) <= pairs:
        for start in range(0, count - 1, _rows_at_once(count)):
            rows = np.arange(start, min(start + _rows_at_once(count), count - 1))
            yield Block(left=rows[:, None], right=np.arange(start + 1, count)[None, :])
        return
    rng = np.random.default_rng(seed)
    for start in range(0, pairs, _BLOCK_PAIRS):
        size = min(_BLOCK_PAIRS, pairs - start)
        left, right = rng.integers(count, size=size), rng.integers(count - 1, size=size)
        yield Block(left=left, right=right + (right >= left))


@dataclass(frozen=True, kw_only=True)
class Space:
    """The vectors in which one kind of cosine is taken."""

    kind: Kind
    """proposes or decides."""
    vectors: NDArray[np.floating]
    """(rows, d): as stored, or whitened."""
    rows: Rows
    """(n,): row of `vectors` of each distinct picture."""
    whitened: bool
    """Whether they are."""
    note: str
    """What was done to them, in words."""

    def unit(self, pictures: Rows) -> NDArray[np.float32]:
        """(n, d): the vectors of these pictures at length 1; one that was zero stays zero."""
        rows = np.asarray(self.vectors[self.rows[pictures]], np.float32)
        length = np.sqrt(np.einsum("nd,nd->n", rows, rows))[:, None]
        unit: NDArray[np.float32] = np.divide(rows, length, out=np.zeros_like(rows), where=length > 1e-6)
        return unit

    def cosines(self, left: Rows, right: Rows) -> NDArray[np.float32]:
        """Of the pairs of a block, in its shape."""
        if left.ndim == 2:
            product: NDArray[np.float32] = self.unit(left[:, 0]) @ self.unit(right[0]).T
            return product
        found = np.empty(len(left), np.float32)
        for start in range(0, len(left), _AT_ONCE):
            some = slice(start, start + _AT_ONCE)
            found[some] = np.einsum("nd,nd->n", self.unit(left[some]), self.unit(right[some]))
        return found


def spaces_of(scanned: Scanned, found: Collapse, config: DuplicatesConfig) -> tuple[Space, Space]:
    """The whitened vectors that propose, and the stored ones that decide. Raises UnusableInputError on NaN."""
    whitened = whiten(scanned.embeddings, found.first, config)
    everyone = np.arange(len(found.first))
    proposes = Space(
        kind="proposes", vectors=whitened.vectors, rows=everyone, whitened=whitened.whitened, note=whitened.note
    )
    as_stored = "the embeddings as they are"
    decides = Space(kind="decides", vectors=scanned.embeddings, rows=found.first, whitened=False, note=as_stored)
    return proposes, decides


class Copies:
    """What the run knows to be one picture."""

    def __init__(self, scanned: Scanned, found: Collapse, config: DuplicatesConfig) -> None:
        """Raises UnusableInputError when groups or pairs name samples that the run does not have."""
        self._ids = scanned.samples["sample_id"].to_numpy()
        self._inverse = found.inverse
        self.pictures = scanned.samples["pixel_sha256"].null_count() < len(scanned.samples)
        self._bits = config.hash_distance
        self._hashes: NDArray[np.uint64] | None = None
        self._group = np.full(len(found.first), -1, np.int64)
        self.accepted = self.to_medoid = np.empty((2, 0), np.int64)
        if scanned.members is None:
            self._use_hashes(scanned, found)
            return
        self.known_by = "groups" if self.pictures else "similarity"
        self._group[self._picture(scanned.members["sample_id"])] = scanned.members["group_id"].to_numpy()
        if scanned.groups is not None:
            self.to_medoid = self._with_medoids(scanned.groups)
        if scanned.pairs is not None:
            rows = scanned.pairs.filter("accepted")
            self.accepted = np.stack([self._picture(rows["left"]), self._picture(rows["right"])])

    def _use_hashes(self, scanned: Scanned, found: Collapse) -> None:
        hashes = scanned.samples["phash"][found.first]
        self.known_by = "nothing" if hashes.null_count() else "hashes"
        self._hashes = None if hashes.null_count() else hashes.to_numpy().astype(np.uint64)

    def _picture(self, sample_ids: pl.Series) -> Rows:
        """Which distinct picture each sample shows."""
        wanted = sample_ids.to_numpy()
        at = np.minimum(np.searchsorted(self._ids, wanted), len(self._ids) - 1)
        if not np.array_equal(self._ids[at], wanted):
            raise UnusableInputError("The run's groups name samples that it does not have; give its audit again.")
        return self._inverse[at]

    def _with_medoids(self, groups: pl.DataFrame) -> Rows:
        """(2, m): the distinct members of each group but its medoid, and the medoid."""
        medoids, names = self._picture(groups["medoid"]), groups["group_id"].to_numpy()
        order = np.argsort(names)
        members = np.flatnonzero(self._group >= 0)
        medoid = medoids[order][np.searchsorted(names[order], self._group[members])]
        apart = members != medoid
        return np.stack([members[apart], medoid[apart]])

    def known(self, left: Rows, right: Rows) -> NDArray[np.bool_]:
        """Which pairs are of one picture; broadcasts."""
        if self._hashes is not None:
            near: NDArray[np.bool_] = np.bitwise_count(self._hashes[left] ^ self._hashes[right]) <= self._bits
            return near
        together: NDArray[np.bool_] = (self._group[left] == self._group[right]) & (self._group[left] >= 0)
        return together
