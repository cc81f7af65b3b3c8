"""Candidate pairs of distinct pictures: cosine or perceptual hash, whichever finds them (cosine alone without hashes).

Each way in alone loses copies: blur escapes the network, and crops escape the hash. Both are one kind of search
(`neighbours`), since hashes are vectors of ±1: a Hamming distance of b of 64 bits is a cosine of 1 − b / 32. What is
held is one block's pairs, never all.

    >>> rows = UnitRows.of(np.eye(3, dtype=np.float32))
    >>> hashes = np.array([7, 2**40 - 1, 5], np.uint64)
    >>> proposer = Proposer(rows, hashes, cosine=0.9, bits=8)
    >>> [(p.left, p.right) for part in proposer.parts for p in proposer.propose(part, lambda l, r: l >= 0) if len(p)]
    [(array([0], dtype=uint32), array([2], dtype=uint32))]
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates.neighbours import (
    Component,
    HashRows,
    NeighbourConfig,
    Neighbours,
    Rows,
    Stars,
    cosines,
    parts_of,
)

Places = NDArray[np.integer]
Which = Callable[[Places, Places], NDArray[np.bool_]]
"""Something that is true or not of p pairs (left, right)."""


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


def part_names(count: int, config: NeighbourConfig, *, known: int, hashed: bool, prefix: str = "") -> tuple[str, ...]:
    """`Proposer.parts` for `count` rows, of which the first `known` are known, without opening an index."""
    if known == count:
        return ()
    stars, pairs = parts_of(count, replace(config, fresh=known))
    return tuple(
        part
        for name in (("cosine", "hash") if hashed else ("cosine",))
        for part in (
            *(_name(prefix, name, star, leaders=True) for star in stars),
            *(_name(prefix, name, pair) for pair in pairs),
        )
    )


def _name(prefix: str, index: str, part: int, *, leaders: bool = False) -> str:
    return f"{prefix}{index}-{'leaders-' if leaders else ''}{part:05d}"


class Proposer:
    """Open indexes over embeddings and hashes: made once, then asked part by part, in order."""

    def __init__(  # noqa: PLR0913 - what to search, how near, and what to call it
        self,
        rows: Rows,
        hashes: NDArray[np.uint64] | None,
        *,
        cosine: float,
        bits: int,
        config: NeighbourConfig = NeighbourConfig(),  # noqa: B008 - frozen
        prefix: str = "",
    ) -> None:
        """`rows` (n) of unit length and `hashes` (n,) or None; a pair has at least this cosine or at most so many
        differing bits. Names of parts begin with `prefix`."""
        self._rows, self._hashes, self._cosine, self._known = rows, hashes, cosine, config.fresh
        self._indexes = {"cosine": Neighbours(rows, cosine, config)}
        if hashes is not None:
            self._indexes["hash"] = Neighbours(HashRows(hashes), 1 - bits / 32, config)
        self._parts: dict[str, tuple[str, bool, int]] = {}
        for name, index in self._indexes.items():
            self._parts |= {_name(prefix, name, part, leaders=True): (name, True, part) for part in index.star_parts}
            self._parts |= {_name(prefix, name, part): (name, False, part) for part in index.pair_parts}
        self.parts: tuple[str, ...] = tuple(self._parts)
        """Names of the parts, in the order in which they must be asked."""
        self._stars: tuple[str, Stars] | None = None

    def propose(self, part: str, is_open: Which, component: Component | None = None) -> Iterator[Proposals]:
        """The part's pairs for which `is_open`, some at a time, each pair in one part only; `component` says which
        pictures are connected, and spares comparing a heavy group with itself."""
        name, leaders, number = self._parts[part]
        if leaders:
            found = self._stars_of(part)
            wanted = is_open(found.leader, found.member)
            wanted &= np.maximum(found.leader, found.member) >= self._known  # of two known rows it has been decided
            yield self._new(name, self._proposals(found.leader[wanted], found.member[wanted], None))
            return
        for pairs in self._indexes[name].pairs(number, is_open, component):
            similarity = pairs.similarity if name == "cosine" else None
            yield self._new(name, self._proposals(pairs.left, pairs.right, similarity))

    def close(self, part: str, together: Which) -> None:
        """End a part: what `together` says of leaders and their members decides who is held."""
        name, leaders, _ = self._parts[part]
        if leaders:
            found = self._stars_of(part)
            self._indexes[name].hold(found, together(found.leader, found.member))

    def _stars_of(self, part: str) -> Stars:
        if self._stars is None or self._stars[0] != part:
            name, _, number = self._parts[part]
            self._stars = part, self._indexes[name].stars(number)
        return self._stars[1]

    def _new(self, name: str, pairs: Proposals) -> Proposals:
        """Without those that the cosine, which is asked first, has proposed already."""
        if name == "cosine":
            return pairs
        near = pairs.similarity >= self._cosine
        near[near] = self._indexes["cosine"].compares(pairs.left[near], pairs.right[near])
        return pairs.take(~near)

    def _proposals(self, one: Places, other: Places, similarity: NDArray[np.float32] | None) -> Proposals:
        left, right = np.minimum(one, other), np.maximum(one, other)
        nothing = np.zeros(len(left), np.uint8)
        return Proposals(
            left=left.astype(np.uint32),
            right=right.astype(np.uint32),
            similarity=cosines(self._rows, left, right) if similarity is None else similarity,
            hash_distance=nothing
            if self._hashes is None
            else np.bitwise_count(self._hashes[left] ^ self._hashes[right]),
        )
