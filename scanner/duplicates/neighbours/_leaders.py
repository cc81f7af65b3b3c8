"""Heavy groups held by one of their members, so that 50,000 copies are not 1.25 · 10⁹ pairs.

In every cell a few rows are tried as leaders. Members within a small angle of a leader are its own, once they
are found to be copies of it: they leave the search, and the leader stands for them. A neighbour of such a member may
lie beyond the threshold of the leader, by at most that angle; where the cosine decides, the leader's threshold is
lowered by so much, and what falls between is compared with the members themselves (`_between`).

A known row (one searched before) holds known rows alone: two known rows are not compared again, so a known leader
would keep its fresh members from the other known rows. A fresh leader holds both.

    >>> leader_slack(0.95, 0.1) > 0.03
    True
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates.neighbours._bound import Heads
from scanner.duplicates.neighbours._rows import Floats, Rows
from scanner.duplicates.neighbours._screen import survivors

TRIED = 48
"""Rows of a cell that are tried as leaders, evenly spaced; a group of a fiftieth of the cell is met."""
LEAST = 8
"""Members that make a leader."""
_WIDEST = 0.16
"""Largest angle between a leader and a member, radians (cosine 0.987)."""
_NARROWEST = 0.0015
"""Smallest one (cosine 1 − 10⁻⁶): equal rows may be so far apart by rounding."""


def leader_angle(cosine: float) -> float:
    """Angle, radians, within which members are held at this threshold: half its own at most, so that any two members
    of one leader are neighbours."""
    return max(min(math.acos(min(cosine, 1.0)) / 2, _WIDEST), _NARROWEST)


def leader_slack(cosine: float, angle: float) -> float:
    """By how much the threshold is lowered for a pair with a leader; twice that for two leaders."""
    threshold = math.acos(min(cosine, 1.0))
    one, two = (math.cos(min(threshold + turns * angle, math.pi)) for turns in (1, 2))
    return max(cosine - one, (cosine - two) / 2)


@dataclass(frozen=True, kw_only=True)
class Stars:
    """p pairs of a leader and a row that it may hold; no row is in two stars."""

    leader: NDArray[np.int64]
    """(p,) rows."""
    member: NDArray[np.int64]
    """(p,) rows."""
    similarity: Floats
    """(p,): cosines."""

    @classmethod
    def joined(cls, parts: list["Stars"]) -> "Stars":
        nothing = cls(leader=np.empty(0, np.int64), member=np.empty(0, np.int64), similarity=np.empty(0, np.float32))
        parts = [nothing, *parts]
        return cls(
            leader=np.concatenate([part.leader for part in parts]),
            member=np.concatenate([part.member for part in parts]),
            similarity=np.concatenate([part.similarity for part in parts]),
        )


def stars(rows: Rows, heads: Heads, cell: NDArray[np.int64], cosine: float, fresh: int = 0) -> Stars:
    """The leaders among the members of a cell (ascending rows), those with most members first, but fresh ones (from row
    `fresh` on) before known ones."""
    if len(cell) <= LEAST:
        return Stars.joined([])
    known = int(np.searchsorted(cell, fresh))
    tried = np.union1d(_spaced(0, len(cell)), _spaced(known, len(cell)))
    near = np.zeros((len(tried), len(cell)), bool)
    for query, member in survivors(heads, [(cell[tried], cell)], cosine):
        near[np.searchsorted(cell[tried], query), np.searchsorted(cell, member)] = True
    free, found = np.ones(len(cell), bool), list[Stars]()
    for number in np.lexsort((-near.sum(1), tried < known)):
        end = known if tried[number] < known else len(cell)
        place = np.flatnonzero(near[number, :end] & free[:end])
        place = place[place != tried[number]]
        if len(place) < LEAST or not free[tried[number]]:
            continue
        leader = cell[tried[number]]
        similarity = rows[cell[place]] @ rows[np.array([leader])][0]
        close = similarity >= cosine
        if close.sum() >= LEAST:
            member = cell[place[close]]
            found.append(Stars(leader=np.full(len(member), leader), member=member, similarity=similarity[close]))
            free[place[close]] = free[tried[number]] = False
    return Stars.joined(found)


def _spaced(first: int, last: int) -> NDArray[np.int64]:
    """At most `TRIED` places from `first` up to `last`, evenly spaced."""
    return np.unique(np.linspace(first, last - 1, TRIED).astype(np.int64)) if last > first else np.empty(0, np.int64)
