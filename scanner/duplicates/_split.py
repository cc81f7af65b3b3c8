"""Groups out of connected components, with the chained ones split.

A chain of pairs, each of them accepted, can tie together pictures that have nothing in common: the most common
complaint about tools of this kind. So every member of a component of three or more is compared with one centre
(`Judge.alike`). The centre is the medoid; where a member fails, the members with the most accepted pairs are tried too,
and the centre that most members agree with wins. The members that fail it are grouped again among themselves, by the
accepted pairs between them.

    >>> parts = split_groups(parents, links, judge, rows)         # doctest: +SKIP
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates._components import Parents, components, new_forest, unite
from scanner.duplicates._judge import Judge, Members
from scanner.duplicates.neighbours import Rows

_OTHER_CENTRES = 3
"""Members, besides the medoid, that are tried as the centre of a group in which some are unlike the medoid."""


@dataclass(frozen=True, kw_only=True)
class Linked:
    """Accepted pairs, as positions among the distinct pictures."""

    left: NDArray[np.uint32]
    """(p,)"""
    right: NDArray[np.uint32]
    """(p,)"""

    @classmethod
    def joined(cls, parts: list["Linked"]) -> "Linked":
        """All of them, sorted: the order in which they were found leaves no trace."""
        left = np.concatenate([np.empty(0, np.uint32), *(part.left for part in parts)])
        right = np.concatenate([np.empty(0, np.uint32), *(part.right for part in parts)])
        order = np.lexsort((right, left))
        return cls(left=left[order], right=right[order])

    def among(self, members: Members) -> tuple[Members, Members]:
        """The pairs inside a sorted set of members, as positions in it."""
        start, stop = np.searchsorted(self.left, [members[0], members[-1] + 1])
        left, right = self.left[start:stop], self.right[start:stop]
        places = [np.minimum(np.searchsorted(members, side), len(members) - 1) for side in (left, right)]
        inside = (members[places[0]] == left) & (members[places[1]] == right)
        return places[0][inside], places[1][inside]


@dataclass(frozen=True, kw_only=True)
class Part:
    """The distinct pictures of one group."""

    members: Members
    """Positions among the distinct pictures, ascending; one or more."""
    split_from: int | None
    """Smallest position of the chained component that it was split from; None where nothing was split."""


def medoid(vectors: NDArray[np.float32], weights: NDArray[np.int64] | None = None) -> int:
    """Which of (m, d) unit vectors is most like the (weighted) others; of equals the first.

    The sum of a vector's cosines to all others is its product with their sum: memory and time grow with m, not m².
    """
    weights = np.ones(len(vectors), np.int64) if weights is None else weights
    total = weights.astype(np.float64) @ vectors.astype(np.float64)
    return int(np.round(vectors.astype(np.float64) @ total / weights.sum(), 6).argmax())


def _core(members: Members, links: Linked, judge: Judge, rows: Rows) -> NDArray[np.bool_]:
    """Which members agree with the best centre."""
    best = judge.alike(members, medoid(rows[members]))
    if best.all():
        return best
    degree = np.bincount(np.concatenate(links.among(members)), minlength=len(members))
    for centre in np.argsort(-degree, kind="stable")[:_OTHER_CENTRES]:
        other = judge.alike(members, int(centre))
        best = other if other.sum() > best.sum() else best
    return best


def _regrouped(members: Members, links: Linked) -> list[Members]:
    """Members connected by accepted pairs among themselves; a member without any is one on its own."""
    parents = new_forest(len(members))
    unite(parents, *links.among(members))
    grouped = [*components(parents)]
    alone = np.setdiff1d(np.arange(len(members)), np.concatenate([np.empty(0, np.int64), *grouped]))
    return [members[part] for part in chain(grouped, alone[:, None])]


def split_groups(parents: Parents, links: Linked, judge: Judge, rows: Rows) -> list[Part]:
    """Every component of two or more distinct pictures, the chained ones in parts (which may be single pictures).

    `parents` is the forest of the accepted pairs `links`; `rows` (n) are the distinct pictures' embeddings.
    Ordered by smallest member.
    """

    def parts_of(component: Members) -> Iterator[Part]:
        waiting, split_from = [component], None
        while waiting:
            members = waiting.pop()
            core = _core(members, links, judge, rows) if len(members) > 2 else np.ones(len(members), bool)
            if not core.all():
                split_from = int(component[0])
                waiting += _regrouped(members[~core], links)
            yield Part(members=members[core], split_from=split_from)

    parts = [part for component in components(parents) for part in parts_of(component)]
    return sorted(parts, key=lambda part: int(part.members[0]))
