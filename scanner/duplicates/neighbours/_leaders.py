"""Heavy groups held by one of their members, so that 50,000 copies are not 1.25 · 10⁹ pairs.

Rows that random planes through the origin do not part are put into one bucket (Charikar 2002,
https://doi.org/10.1145/509907.509965: a plane parts two rows with a probability of their angle / π, so that 16 planes
leave 43 % of the rows at 0.16 radians of a leader with it, 66 % at half of that), and a few rows of each are tried as
leaders. Members within a small angle of a leader are its own, once they are found to be copies
of it: they leave the search, and the leader stands for them. A neighbour of such a member may
lie beyond the threshold of the leader, by at most that angle; where the cosine decides, the leader's threshold is
lowered by so much, and what falls between is compared with the members themselves (`_between`).

A known row (one searched before) holds known rows alone: two known rows are not compared again, so a known leader
would keep its fresh members from the other known rows. A fresh leader holds both.

    >>> leader_slack(0.95, 0.1) > 0.03
    True
    >>> Buckets.of(np.repeat(np.eye(3, dtype=np.float32), [10, 2, 30], axis=0)).starts
    array([ 0, 30, 40])
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from scanner.duplicates.neighbours._bound import Heads
from scanner.duplicates.neighbours._rows import Floats, Rows, cosines, product, slices

Places = NDArray[np.int64]

_FEWEST_PLANES, _PLANES = 8, 32
"""Planes that cut the buckets: as many as it takes until half of all rows are"""
_CROWD = 32
"""in buckets of so many rows at most. With fewer planes rows that are not alike share a bucket, more part those that
are."""
_MEANT = 32
"""Coordinates that the mean of a bucket is taken of."""
_TRIED = 3
"""Rows of a bucket that are tried as leaders."""
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


@dataclass(frozen=True, kw_only=True)
class Buckets:
    """Rows on the same side of every one of some random planes through the origin, where more than `LEAST` are."""

    rows: NDArray[np.int64]
    """(m,): bucket after bucket."""
    starts: NDArray[np.int64]
    """(b + 1,): where each bucket starts among them."""

    @classmethod
    def of(cls, leading: Floats, seed: int = 0) -> "Buckets":
        """Buckets of n rows by their (n, c) leading coordinates."""
        planes = np.random.default_rng([seed, 4]).normal(size=(leading.shape[1], _PLANES)).astype(np.float32)
        codes = np.zeros(len(leading), np.uint32)
        for part in slices(len(leading)):
            for side in (product(leading[part], planes) > 0).T:
                codes[part] = codes[part] << np.uint32(1) | side
        order = np.argsort(codes, kind="stable")
        codes = codes[order] >> np.uint32(_PLANES - _planes(codes[order]))
        number = np.diff(np.flatnonzero(np.diff(codes, prepend=~codes[:1], append=~codes[-1:])))
        large = number > LEAST
        return cls(rows=order[np.repeat(large, number)], starts=np.append(0, np.cumsum(number[large])))

    def part(self, number: int, size: int) -> "Buckets":
        """The buckets that start among the rows from `number` · `size` on, `size` of them."""
        one, two = np.searchsorted(self.starts[:-1], [number * size, (number + 1) * size])
        starts = self.starts[one : two + 1]
        return Buckets(rows=self.rows[starts[0] : starts[-1]], starts=starts - starts[0])


def _planes(codes: NDArray[np.uint32]) -> int:
    """How many of the first planes, that is of the bits of sorted codes, part most rows from most others."""
    for planes in range(_FEWEST_PLANES, _PLANES):
        ends = np.flatnonzero(np.diff(codes >> np.uint32(_PLANES - planes)))
        number = np.diff(np.concatenate([[-1], ends, [len(codes) - 1]]))
        if np.median(np.repeat(number, number)) <= _CROWD:
            return planes
    return _PLANES


def stars(rows: Rows, heads: Heads, buckets: Buckets, cosine: float, fresh: int = 0) -> Stars:
    """Leaders in some buckets, each with `LEAST` rows or more of at least the cosine.

    In every bucket the row nearest to its mean is tried, a fresh one (from row `fresh` on) where there is one, then
    another among those that are left.
    """
    member, found = buckets.rows, list[Stars]()
    bucket = np.repeat(np.arange(len(buckets.starts) - 1), np.diff(buckets.starts))
    for _ in range(_TRIED):
        enough = np.bincount(bucket, minlength=len(buckets.starts))[bucket] > LEAST
        member, bucket = member[enough], bucket[enough]
        if not len(member):
            break
        leader = _most_central(heads, member, bucket, fresh)
        possible = (member != leader) & ((leader >= fresh) | (member < fresh))
        star = _near(rows, heads, leader[possible], member[possible], cosine)
        found.append(star)
        left = ~np.isin(member, star.member) & (member != leader)
        member, bucket = member[left], bucket[left]
    return Stars.joined(found)


def _most_central(heads: Heads, member: Places, bucket: Places, fresh: int) -> Places:
    """For each row the one of its bucket that is nearest to the bucket's mean, among fresh ones where there are any."""
    short = heads.values[torch.from_numpy(member), :_MEANT].float().numpy()
    begins = np.flatnonzero(np.diff(bucket, prepend=-1))
    number = np.cumsum(np.diff(bucket, prepend=-1) > 0) - 1
    nearness = np.einsum("nd,nd->n", short, np.add.reduceat(short, begins)[number])
    best = np.lexsort((-nearness, member < fresh, bucket))[begins]
    leader: Places = member[best][number]
    return leader


def _near(rows: Rows, heads: Heads, leader: Places, member: Places, cosine: float) -> Stars:
    """The pairs of at least the cosine, where a leader has `LEAST` of them."""
    possible = heads.pair_bounds(leader, member) >= cosine
    leader, member = leader[possible], member[possible]
    similarity = cosines(rows, leader, member)
    near = similarity >= cosine
    near[near] = np.isin(leader[near], _frequent(leader[near]))
    return Stars(leader=leader[near], member=member[near], similarity=similarity[near])


def _frequent(leaders: Places) -> Places:
    one, number = np.unique(leaders, return_counts=True)
    return one[number >= LEAST]
