"""Candidate pairs of distinct pictures: cosine or perceptual hash, whichever finds them (cosine alone without hashes).

Each way in alone loses copies: blur escapes the network, and crops escape the hash. A block of rows is compared with
all later rows, tile by tile, as one matrix product and one population count; what is held is one tile's pairs, never
all.

    >>> import numpy as np
    >>> rows, hashes = np.eye(3, dtype=np.float32), np.array([7, 2**40 - 1, 5], np.uint64)
    >>> [(pair.left, pair.right) for pair in propose(rows, hashes, range(3), cosine=0.9, bits=8)]
    [(array([0], dtype=uint32), array([2], dtype=uint32))]
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

TILE = 4096
"""Columns compared with a block of rows at once: with 1,024 rows about 60 MB."""


@dataclass(frozen=True, kw_only=True)
class Proposals:
    """p candidate pairs, left < right, as positions among the distinct pictures."""

    left: NDArray[np.uint32]
    """(p,)"""
    right: NDArray[np.uint32]
    """(p,)"""
    similarity: NDArray[np.float32]
    """(p,): cosine, −1 to 1."""
    hash_distance: NDArray[np.uint8]
    """(p,): differing bits, 0 to 64; 0 throughout where there are no hashes."""

    def __len__(self) -> int:
        return len(self.left)

    def take(self, which: NDArray[np.intp] | NDArray[np.bool_]) -> "Proposals":
        return Proposals(
            left=self.left[which],
            right=self.right[which],
            similarity=self.similarity[which],
            hash_distance=self.hash_distance[which],
        )


def joined(parts: list[Proposals]) -> Proposals:
    """Several proposals (at least one) as one, in order."""
    return Proposals(
        left=np.concatenate([part.left for part in parts]),
        right=np.concatenate([part.right for part in parts]),
        similarity=np.concatenate([part.similarity for part in parts]),
        hash_distance=np.concatenate([part.hash_distance for part in parts]),
    )


def propose(
    vectors: NDArray[np.float32], hashes: NDArray[np.uint64] | None, rows: range, *, cosine: float, bits: int
) -> Iterator[Proposals]:
    """Every pair of one of `rows` with a later row that has at least this cosine or at most so many differing bits.

    `vectors` (n, d) of unit length, `hashes` (n,) or None. Yields tile by tile, in order of the later row's tile.
    """
    block = vectors[rows.start : rows.stop]
    for start in range(rows.start, len(vectors), TILE):
        similarity = block @ vectors[start : start + TILE].T
        wanted = similarity >= cosine
        distance = _distance(hashes, rows, start)
        if distance is not None:
            wanted |= distance <= bits
        if start < rows.stop:
            wanted &= np.arange(start, start + wanted.shape[1]) > np.arange(rows.start, rows.stop)[:, None]
        left, right = np.nonzero(wanted)
        yield Proposals(
            left=(left + rows.start).astype(np.uint32),
            right=(right + start).astype(np.uint32),
            similarity=similarity[left, right],
            hash_distance=np.zeros(len(left), np.uint8) if distance is None else distance[left, right],
        )


def _distance(hashes: NDArray[np.uint64] | None, rows: range, start: int) -> NDArray[np.uint8] | None:
    """Differing bits of each of `rows` and each row of the tile at `start`."""
    if hashes is None:
        return None
    distance: NDArray[np.uint8] = np.bitwise_count(hashes[rows.start : rows.stop, None] ^ hashes[start : start + TILE])
    return distance
