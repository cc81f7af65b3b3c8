"""Is there a clique of at least `size` images that are all alike? (Carlini et al. 2023, section 4.2: size 10.)

Deciding that is far cheaper than finding the largest clique, which does not finish on the near-cliques that memorised
prompts give. First everything that can't be in such a clique is peeled off (fewer than size − 1 neighbours left),
then a greedy pass, which finds nearly every real one, then branch and bound with a colouring bound over bit sets.
Past `budget` branches the answer is `undecided`, never a guess.

    >>> clique_of(np.ones((12, 12), bool), size=10).decision
    'yes'
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, kw_only=True)
class Clique:
    """The answer, with the images that prove a yes."""

    decision: str
    """yes, no, or undecided (the budget ran out)."""
    members: tuple[int, ...]
    """Positions of the images of the clique found, at least the wanted number; empty without a yes."""


def clique_of(close: NDArray[np.bool_], *, size: int, budget: int = 200_000) -> Clique:
    """Decide on a symmetric boolean matrix (n, n) of images that are close; its diagonal is ignored."""
    neighbours = _bit_rows(close)
    alive = _peel(neighbours, size - 1)
    if alive.bit_count() < size:
        return Clique(decision="no", members=())
    members = _greedy(neighbours, alive, size)
    if members:
        return Clique(decision="yes", members=tuple(sorted(members)))
    search = _Search(neighbours=neighbours, size=size, budget=budget)
    found = search.extend([], alive)
    if found:
        return Clique(decision="yes", members=tuple(sorted(_grow(neighbours, found, alive))))
    return Clique(decision="undecided" if search.budget < 0 else "no", members=())


def _bit_rows(close: NDArray[np.bool_]) -> list[int]:
    packed = np.packbits(close & ~np.eye(len(close), dtype=bool), axis=1, bitorder="little")
    return [int.from_bytes(row.tobytes(), "little") for row in packed]


def _bits(mask: int) -> Iterator[int]:
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def _peel(neighbours: list[int], least: int) -> int:
    """The k-core: nodes that keep at least `least` neighbours inside it."""
    alive = (1 << len(neighbours)) - 1
    while True:
        weak = sum(1 << i for i in _bits(alive) if (neighbours[i] & alive).bit_count() < least)
        if not weak:
            return alive
        alive &= ~weak


def _greedy(neighbours: list[int], alive: int, size: int) -> list[int]:
    """From each node, keep adding the neighbour with most neighbours among what is left; the first clique found."""
    for start in _bits(alive):
        members = _grow(neighbours, [start], alive)
        if len(members) >= size:
            return members
    return []


def _grow(neighbours: list[int], members: list[int], alive: int) -> list[int]:
    grown, candidates = list(members), alive
    for member in members:
        candidates &= neighbours[member]
    while candidates:
        best = max(_bits(candidates), key=lambda i: (neighbours[i] & candidates).bit_count())
        grown.append(best)
        candidates &= neighbours[best]
    return grown


@dataclass
class _Search:
    """Branch and bound for a clique of `size` nodes."""

    neighbours: list[int]
    size: int
    budget: int

    def extend(self, chosen: list[int], candidates: int) -> list[int] | None:
        """A clique of `size` nodes that contains `chosen` and otherwise lies in `candidates`, or None."""
        if len(chosen) == self.size:
            return chosen
        for node, colour in reversed(self._coloured(candidates)):
            if len(chosen) + colour < self.size:
                return None
            self.budget -= 1
            if self.budget < 0:
                return None
            found = self.extend([*chosen, node], candidates & self.neighbours[node])
            if found or self.budget < 0:
                return found
            candidates &= ~(1 << node)
        return None

    def _coloured(self, candidates: int) -> list[tuple[int, int]]:
        """Nodes with a greedy colour each: a clique among the first of them is no larger than the last's colour."""
        ordered, colour = [], 0
        while candidates:
            colour, free = colour + 1, candidates
            while free:
                low = free & -free
                node = low.bit_length() - 1
                ordered.append((node, colour))
                candidates ^= low
                free &= ~low & ~self.neighbours[node]
        return ordered
