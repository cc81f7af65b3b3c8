"""Is there a clique of at least `size` images that are all alike? (Carlini et al. 2023, section 4.2: size 10.)

Deciding that is far cheaper than finding the largest clique, which does not finish on the near-cliques that memorised
prompts give. First everything that can't be in such a clique is peeled off (fewer than size − 1 neighbours left),
then a greedy pass, which finds nearly every real one, then branch and bound with a colouring bound over bit sets
(Tomita and Seki 2003, https://doi.org/10.1007/3-540-45066-1_22; San Segundo et al. 2011,
https://doi.org/10.1016/j.cor.2010.07.019), the images in the order in which the graph falls apart.

The work is counted, not timed, so that the answer is the same on every machine: past `budget` it is `undecided`,
never a guess. No graph can make it hang: see `BUDGET` for what the budget is in seconds.

    >>> clique_of(np.ones((12, 12), bool), size=10).decision
    'yes'
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

BUDGET = 2_000_000
"""Images looked at in all branches together. One costs 0.25 to 0.4 µs among 500 images, so at most about a second on
one core that has nothing else to do. Random graphs of 500 images need 0.4 million at 30 % of all edges and 0.9 million
at 33 %; complete multipartite graphs of nine parts with 30 % of their edges gone, and joins of five-cycles, need more
and remain undecided."""


@dataclass(frozen=True, kw_only=True)
class Clique:
    """The answer, with the images that prove a yes."""

    decision: str
    """yes, no, or undecided (the budget ran out)."""
    members: tuple[int, ...]
    """Positions of the images of the clique found, at least the wanted number; empty without a yes."""


def clique_of(close: NDArray[np.bool_], *, size: int, budget: int = BUDGET) -> Clique:
    """Decide on a symmetric boolean matrix (n, n) of images that are close; its diagonal is ignored.

    Half of the budget is the greedy pass's at most, what that leaves is the search's.
    """
    order = _falling_apart(close)
    search = _Search(neighbours=_bit_rows(close[np.ix_(order, order)]), size=size, budget=budget)
    alive = _peel(search.neighbours, size - 1)
    if not search.needed(alive, size):
        return Clique(decision="no", members=())
    found = search.greedy(alive, leave=budget // 2) or search.extend([], alive)
    if found:
        members = sorted(int(order[i]) for i in search.grown(found, alive))
        return Clique(decision="yes", members=tuple(members))
    return Clique(decision="undecided" if search.budget < 0 else "no", members=())


def _falling_apart(close: NDArray[np.bool_]) -> NDArray[np.int64]:
    """The degeneracy order, backwards: the image with fewest neighbours is taken away first and comes last."""
    links = close & ~np.eye(len(close), dtype=bool)
    degree = links.sum(axis=1)
    gone = np.iinfo(np.int64).max // 2  # above any degree, also after all that is subtracted from it
    order = np.empty(len(close), np.int64)
    for last in reversed(range(len(close))):
        weakest = int(degree.argmin())
        order[last] = weakest
        degree -= links[weakest]
        degree[weakest] = gone
    return order


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


@dataclass
class _Search:
    """The search for a clique of `size` nodes, and what it may still spend."""

    neighbours: list[int]
    size: int
    budget: int

    def greedy(self, alive: int, *, leave: int) -> list[int] | None:
        """From each node, keep adding the neighbour with most neighbours among what is left; the first clique found
        before the budget is down to `leave`, or None."""
        for start in _bits(alive):
            members = self.grown([start], alive)
            if len(members) >= self.size:
                return members
            if self.budget < leave:
                return None
        return None

    def grown(self, members: list[int], alive: int) -> list[int]:
        """`members` and what the greedy rule adds to them."""
        grown, candidates = list(members), alive
        for member in members:
            candidates &= self.neighbours[member]
        while candidates:
            self.budget -= candidates.bit_count()
            best = max(_bits(candidates), key=lambda i: (self.neighbours[i] & candidates).bit_count())
            grown.append(best)
            candidates &= self.neighbours[best]
        return grown

    def extend(self, chosen: list[int], candidates: int) -> list[int] | None:
        """A clique of `size` nodes that contains `chosen` and otherwise lies in `candidates`; None where there is none
        or the budget is spent."""
        if len(chosen) == self.size:
            return chosen
        for node in reversed(self.needed(candidates, self.size - len(chosen))):
            if self.budget < 0:
                return None
            found = self.extend([*chosen, node], candidates & self.neighbours[node])
            if found:
                return found
            candidates &= ~(1 << node)
        return None

    def needed(self, candidates: int, wanted: int) -> list[int]:
        """Nodes of which any clique of `wanted` among the candidates holds at least one: those that are left when the
        candidates are coloured greedily with one colour fewer (of equally coloured nodes a clique holds one)."""
        self.budget -= candidates.bit_count()
        if candidates.bit_count() < wanted:
            return []
        for _ in range(wanted - 1):
            free = candidates
            while free:
                low = free & -free
                candidates ^= low
                free &= ~low & ~self.neighbours[low.bit_length() - 1]
        return list(_bits(candidates))
