"""All pairs of rows with at least a given cosine, part by part, in memory that grows with the rows.

Small sets are compared row by row, all of them; large ones in cells (`_cells`). Either way an upper bound dismisses
most pairs (`_bound`, `_screen`) and what is left is compared exactly. Every pair is given once. The caller says which
pairs are still open (two rows that are known to belong together need no comparing), and which of a leader's members
it holds (`_leaders`). A pair of a leader and a row that it may hold is given by `stars`, and not again by `pairs`.

    >>> rows = UnitRows.of(np.eye(3, dtype=np.float32)[[0, 1, 0, 2, 1]])
    >>> search = Neighbours(rows, 0.9)
    >>> found = [pairs for part in search.pair_parts for pairs in search.pairs(part, lambda left, right: left >= 0)]
    >>> [(pairs.left.tolist(), pairs.right.tolist()) for pairs in found if len(pairs)]
    [([0, 1], [2, 4])]
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates.neighbours._bound import Heads, choose_width, directions_of, leading
from scanner.duplicates.neighbours._cells import Cells, grouped, make_cells, one_cell
from scanner.duplicates.neighbours._config import NeighbourConfig, parts_of
from scanner.duplicates.neighbours._leaders import LEAST, Buckets, Stars, leader_angle, leader_slack, stars
from scanner.duplicates.neighbours._rows import Floats, Rows, cosines
from scanner.duplicates.neighbours._screen import survivors

Places = NDArray[np.int64]
Open = Callable[[Places, Places], NDArray[np.bool_]]
"""Which of p pairs of rows (left, right) are worth comparing."""
Component = Callable[[Places], NDArray[np.integer]]
"""Of each of p rows, which of the sets of rows that are known to belong together it is in."""

_CELLS = 2
"""Cells for the square root of the rows: fewer make longer products, more take longer to choose among."""
_MOST_CELLS = 65_535
_MANY = 64
"""Members of a cell in one component from which its rows are not compared with one another at all."""
PARALLEL = 1 - 1e-6
"""Rows of this cosine are equal: rounding takes no more from the cosine of a float32 row with itself."""


@dataclass(frozen=True, kw_only=True)
class Pairs:
    """p pairs of rows, left < right."""

    left: Places
    """(p,)"""
    right: Places
    """(p,)"""
    similarity: Floats
    """(p,): cosine, −1 to 1."""

    def __len__(self) -> int:
        return len(self.left)


class Neighbours:
    """An open index over rows: made once, then asked for its parts in order, those of leaders first."""

    def __init__(self, rows: Rows, cosine: float, config: NeighbourConfig = NeighbourConfig()) -> None:  # noqa: B008 - frozen
        """`rows` (n) of unit length; `cosine`, above 0 to 1 (equal but for rounding), makes a pair."""
        self._rows, self._cosine, self._config = rows, min(cosine, PARALLEL), config
        count = len(rows)
        self._held_by = np.arange(count, dtype=np.uint32)
        self._leads = np.zeros(count, bool)
        self._given = np.empty(0, np.int64)
        self._cells, self._slack = one_cell(count), 0.0
        self._uncut: Floats | None = None
        self.star_parts, self.pair_parts = parts_of(count, config)
        if count < 2:
            return
        whole = count <= config.exhaustive_rows
        directions = directions_of(rows, config.seed)
        share = 1.0 if whole else min(config.probes / _cells_of(count), 1.0)
        width = choose_width(rows, directions, cosine, share=share, seed=config.seed)
        short = leading(rows, directions, width)
        self._heads = Heads.of(short, rows.nonzero(slice(None)), width=width)
        self._buckets = Buckets.of(short, config.seed)
        self._uncut = None if whole else short
        self._homes: tuple[Places, Places] | None = None
        self._askers: tuple[NDArray[np.uint32], Places] | None = None
        self._angle = leader_angle(self._cosine)
        self._slack = leader_slack(self._cosine, self._angle) if config.decides else 0.0

    def stars(self, part: int) -> Stars:
        """Leaders of a part, and the rows that they may hold or, where the cosine decides, that are near them."""
        least = self._cosine if self._config.decides else math.cos(self._angle)
        buckets = self._buckets.part(part, self._config.part_rows)
        return stars(self._rows, self._heads, buckets, least, self._config.fresh)

    def hold(self, found: Stars, together: NDArray[np.bool_]) -> None:
        """Take the members of `found` that are known to belong with their leader out of the search."""
        held = together & (found.similarity >= math.cos(self._angle))
        leaders, members = np.unique(found.leader[held], return_counts=True)
        leaders = leaders[members >= LEAST]
        held &= np.isin(found.leader, leaders)
        self._held_by[found.member[held]] = found.leader[held]
        self._leads[leaders] = True
        self._given = np.union1d(self._given, self._keys(found.leader[~held], found.member[~held]))
        if self._slack:
            self._heads.lower(leaders, self._slack)

    def pairs(self, part: int, is_open: Open, component: Component | None = None) -> Iterator[Pairs]:
        """The part's open pairs of at least the cosine, some at a time; `is_open` is asked again each time.

        `component`, where given, saves comparing the rows of a heavy group with one another: of two rows in the same
        one no pair is open.
        """
        self._cut()
        for query, member in survivors(self._heads, self._units(part, component), self._cosine):
            yield from self._compared(*self._once(query, member, is_open), is_open)

    def compares(self, left: NDArray[np.integer], right: NDArray[np.integer]) -> NDArray[np.bool_]:
        """Which pairs of rows the parts compare at all, once all stars are held."""
        self._cut()
        home, held = self._cells.home, self._held_by
        asked = self._cells.ask(left, home[right]) | self._cells.ask(right, home[left])
        live: NDArray[np.bool_] = (held[left] == left) & (held[right] == right)
        return asked & live

    def _cut(self) -> None:
        """Cut the cells, the first time. They are those of the rows that no leader holds: copies of one picture would
        have many centres to themselves."""
        if self._uncut is None:
            return
        live = self._live(np.arange(len(self._rows)))
        short, self._uncut = self._uncut[live], None
        found = make_cells(short, count=_cells_of(len(live)), probes=self._config.probes, seed=self._config.seed)
        self._cells = found.among(live, len(self._rows))
        self._homes = grouped(self._cells.home, self._cells.count)
        self._askers = _askers(self._cells)

    def _live(self, rows: NDArray[np.integer]) -> Places:
        live: Places = rows[self._held_by[rows] == rows].astype(np.int64)
        return live

    def _units(self, part: int, component: Component | None) -> Iterator[tuple[Places, Places]]:
        """Queries and members to be compared."""
        fresh = self._config.fresh
        for queries, members in self._blocks(part):
            for some, others in _apart(queries, members, component):
                old, new = (slice(0, np.searchsorted(some, fresh)), slice(np.searchsorted(some, fresh), None))
                split = np.searchsorted(others, fresh)
                yield some[new], others[:split] if self._config.across else others
                if fresh:
                    yield some[old], others[split:]

    def _blocks(self, part: int) -> Iterator[tuple[Places, Places]]:
        if self._askers is None or self._homes is None:
            first = self._config.fresh + part * self._config.block_rows
            last = min(first + self._config.block_rows, len(self._rows))
            yield self._live(np.arange(first, last)), self._live(np.arange(last))
            return
        askers, starts = self._askers
        members, begins = self._homes
        some = [part * self._config.part_rows, (part + 1) * self._config.part_rows]
        for cell in range(*np.searchsorted(begins[:-1], some).tolist()):
            yield (
                self._live(askers[starts[cell] : starts[cell + 1]]),
                self._live(members[begins[cell] : begins[cell + 1]]),
            )

    def _once(self, query: Places, member: Places, is_open: Open) -> tuple[Places, Places]:
        """Open pairs (left, right) that no other query gives, left < right."""
        wanted = np.flatnonzero(query != member)
        wanted = wanted[is_open(query[wanted], member[wanted])]
        query, member = query[wanted], member[wanted]
        home = self._cells.home
        at_query, at_member = home[query], home[member]
        twice = np.where(at_query == at_member, member >= query, at_query < at_member)
        again = np.flatnonzero(twice & (at_query != at_member))
        twice[again] = self._cells.ask(member[again], at_query[again])
        left, right = np.minimum(query, member)[~twice], np.maximum(query, member)[~twice]
        keys = self._keys(left, right)
        place = np.searchsorted(self._given, keys)
        new = np.append(self._given, -1)[place] != keys
        return left[new], right[new]

    def _keys(self, one: Places, other: Places) -> Places:
        """A number for each pair, whichever comes first."""
        keys: Places = np.minimum(one, other) * len(self._rows) + np.maximum(one, other)
        return keys

    def _compared(self, left: Places, right: Places, is_open: Open) -> Iterator[Pairs]:
        """The near ones among open pairs: of each row's pairs one first, since it may settle the others."""
        for first in (True, False):
            waiting = is_open(left, right)
            left, right = left[waiting], right[waiting]
            chosen = np.unique(left, return_index=True)[1] if first else np.arange(len(left))
            similarity = cosines(self._rows, left[chosen], right[chosen])
            near = similarity >= self._cosine
            yield Pairs(left=left[chosen[near]], right=right[chosen[near]], similarity=similarity[near])
            if self._slack:
                yield from self._between(left[chosen[~near]], right[chosen[~near]], similarity[~near], is_open)
            left, right = np.delete(left, chosen), np.delete(right, chosen)

    def _between(self, left: Places, right: Places, similarity: Floats, is_open: Open) -> Iterator[Pairs]:
        """Pairs with the members of leaders that are themselves not near enough."""
        slack = self._slack * (self._leads[left].astype(np.float32) + self._leads[right])
        possible = (slack > 0) & (similarity >= self._cosine - slack)
        left, right = left[possible], right[possible]
        leader = np.where(self._leads[left], left, right)
        other = left + right - leader
        for one in np.unique(leader):
            others = other[leader == one]
            stars = [self._held(two) for two in others[self._leads[others]]]
            yield from self._ties(self._held(one), np.concatenate([others[~self._leads[others]], *stars]), is_open)

    def _held(self, leader: int) -> Places:
        return np.flatnonzero(self._held_by == leader)

    def _ties(self, star: Places, others: Places, is_open: Open) -> Iterator[Pairs]:
        """For every other row (or star) its nearest pair with a star, if it is near enough: one pair ties all of both.

        The others are compared together: one at a time took 27 of 38 s on 60,000 whitened rows at 0.85.
        """
        tied = np.empty(0, np.uint32)
        for query, member in survivors(self._heads, [(others, star)], self._cosine):
            wanted = is_open(query, member) & ~np.isin(self._held_by[query], tied)
            wanted &= np.maximum(query, member) >= self._config.fresh
            left, right = np.minimum(query, member)[wanted], np.maximum(query, member)[wanted]
            similarity, owner = cosines(self._rows, left, right), self._held_by[query[wanted]]
            order = np.lexsort((-similarity, owner))
            best = order[np.unique(owner[order], return_index=True)[1]]
            best = best[similarity[best] >= self._cosine]
            tied = np.union1d(tied, owner[best])
            yield Pairs(left=left[best], right=right[best], similarity=similarity[best])


def _cells_of(rows: int) -> int:
    """How many cells so many rows are cut into."""
    return max(min(round(_CELLS * math.sqrt(rows)), -(-rows // 4), _MOST_CELLS), 1)


def _askers(cells: Cells) -> tuple[NDArray[np.uint32], Places]:
    """The rows that ask each cell, ascending, cell after cell, and where each cell's start (count + 1 numbers)."""
    order, starts = grouped(cells.asked, cells.count)
    rows = np.repeat(np.arange(len(cells.home), dtype=np.uint32), np.diff(cells.starts))
    return rows[order], starts


def _apart(queries: Places, members: Places, component: Component | None) -> Iterator[tuple[Places, Places]]:
    """The same comparisons in blocks, without those inside a component that has many of the members."""
    if component is None or len(members) < _MANY:
        yield queries, members
        return
    of_query, of_member = component(queries), component(members)
    names, number = np.unique(of_member, return_counts=True)
    heavy = names[number >= _MANY]
    for name in heavy:
        yield queries[of_query == name], members[of_member != name]
    yield queries[~np.isin(of_query, heavy)], members
