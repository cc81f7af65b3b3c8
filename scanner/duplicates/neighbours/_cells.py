"""Cells of similar rows: each is at home in one cell and asks those that are about as near.

They are made by spherical k-means on the leading coordinates.

A row is compared with the members of the cells that it asks: its home, and every cell whose centre is hardly further
from it than the home's. Two neighbours are found when one of them asks the cell where the other is at home. A row in
the middle of its cell asks few, one at a border many, since how far apart the centres are tells how likely a neighbour
is at home elsewhere; a fixed number of cells for all, as an inverted file asks, costs twice as much at equal recall.
One cell alone, as SemDeDup (Abbas et al. 2023, https://arxiv.org/abs/2303.09540) and NeMo Curator do, loses every pair
that a border runs through. On 1,000,000 rows (planted groups, cosine 0.95), pairs of groups of 2 to 8 that no cell
holds, and pairs of rows that the cells compare:

| cells | asked | lost | compared |
|---|---|---|---|
| 1,000 | 12 each | 0.019 % | 11.7 · 10⁹ |
| 2,000 | 8 each | 0.133 % | 3.9 · 10⁹ |
| 2,000 | 16 each | 0.013 % | 7.7 · 10⁹ |
| 2,000 | 20 each | 0.006 % | 9.6 · 10⁹ |
| 2,000 | 8 in the median | 0.013 % | 4.0 · 10⁹ |
| 2,000 | 9 in the median | 0.006 % | 4.5 · 10⁹ |

    >>> rows = UnitRows.of(np.random.default_rng(0).normal(size=(5000, 16)).astype(np.float32))
    >>> cells = make_cells(rows[:], count=70, probes=8)
    >>> cells.home.shape, bool(cells.home.max() < 70), 7 <= np.median(np.diff(cells.starts)) <= 9
    ((5000,), True, np.True_)
"""

import math
from dataclasses import dataclass

import faiss
import numpy as np
import torch
from numpy.typing import NDArray

from scanner.duplicates.neighbours._rows import Floats, slices

_ROUNDS = 6
"""Rounds of k-means."""
_TRAINED_ON = 10
"""Rows for each cell that k-means sees."""
_MEASURED_ON = 4096
"""Rows that the margin is measured on: others than k-means saw, which lie nearer to their centres."""
_MOST = 4
"""A row asks at most so many times `probes` cells."""
_BLOCK = 4096
"""Rows whose cosines with all centres are held at once."""
_STRIDES = 64
"""Maxima of a row's cosines."""
_NO_CENTRE = -2.0
"""Less than any cosine."""

Places = NDArray[np.int64]


@dataclass(frozen=True, kw_only=True)
class Cells:
    """Where every row is at home, and which cells it asks."""

    count: int
    """Cells."""
    home: NDArray[np.uint16]
    """(n,): the cell each row is a member of."""
    asked: NDArray[np.uint16]
    """The cells that the rows ask, row after row; a row asks its home too."""
    starts: NDArray[np.int64]
    """(n + 1,): where each row's cells start among them."""

    def ask(self, rows: NDArray[np.integer], cells: NDArray[np.integer]) -> NDArray[np.bool_]:
        """(p,): whether each of `rows` asks the cell beside it."""
        place, last = self.starts[rows], self.starts[np.asarray(rows) + 1]
        asks = np.zeros(len(place), bool)
        waiting = np.flatnonzero(place < last)
        while len(waiting):
            asks[waiting] = self.asked[place[waiting]] == cells[waiting]
            place[waiting] += 1
            waiting = waiting[~asks[waiting] & (place[waiting] < last[waiting])]
        return asks

    def among(self, which: NDArray[np.int64], rows: int) -> "Cells":
        """The same for `rows` rows, of which these are `which`, ascending; the others are in no one's way: at home in
        the first cell, and asking none."""
        home, number = np.zeros(rows, np.uint16), np.zeros(rows, np.int64)
        home[which], number[which] = self.home, np.diff(self.starts)
        return Cells(count=self.count, home=home, asked=self.asked, starts=np.append(0, np.cumsum(number)))


def make_cells(leading: Floats, *, count: int, probes: int, seed: int = 0) -> Cells:
    """`count` cells (at most 65,535) of n rows by their (n, c) leading coordinates; half of the rows ask `probes` of
    them or more, or all where there are fewer."""
    shuffled = np.random.default_rng([seed, 2]).permutation(len(leading))
    trained = _unit(leading[np.sort(shuffled[: count * _TRAINED_ON])])
    means = faiss.Kmeans(
        trained.shape[1], count, niter=_ROUNDS, spherical=True, seed=seed + 1, min_points_per_centroid=1,
        max_points_per_centroid=_TRAINED_ON,
    )  # fmt: skip
    means.train(trained.numpy())
    centres = torch.from_numpy(means.centroids)
    margin = _margin(_unit(leading[shuffled[-_MEASURED_ON:]]) @ centres.T, probes)
    filled = torch.nn.functional.pad(centres.T, (0, -count % _STRIDES)).contiguous()
    home, asked, numbers = np.empty(len(leading), np.uint16), [np.empty(0, np.uint16)], np.empty(len(leading), np.int64)
    # made once: fresh memory costs more than a product
    room = torch.empty(_BLOCK, filled.shape[1])
    for part in slices(len(leading), _BLOCK):
        rows = _unit(leading[part])
        near = torch.mm(rows, filled, out=room[: len(rows)])
        near[:, count:] = _NO_CENTRE
        home[part], cells, numbers[part] = _asked(near, count, margin, _MOST * probes)
        asked.append(cells)
    return Cells(count=count, home=home, asked=np.concatenate(asked), starts=np.append(0, np.cumsum(numbers)))


def one_cell(count: int) -> Cells:
    """All of `count` rows in one cell: every pair is compared."""
    nothing = np.zeros(count, np.uint16)
    return Cells(count=1, home=nothing, asked=nothing, starts=np.arange(count + 1))


def _margin(near: torch.Tensor, probes: int) -> float:
    """How much less near than its home a cell may be for a row to ask it: half of the rows ask `probes` cells or more.

    A mean would be that of heavy groups, which have many centres and ask them all: with one of 50,000 copies among a
    million rows the others asked half as many cells, and 8 % of the small groups fell apart.
    """
    if probes >= near.shape[1]:
        return math.inf
    nearest = near.topk(probes, dim=1).values
    return float((nearest[:, 0] - nearest[:, -1]).median())


def _asked(
    near: torch.Tensor, count: int, margin: float, most: int
) -> tuple[NDArray[np.uint16], NDArray[np.uint16], NDArray[np.int64]]:
    """The home of each row, the cells that it asks one row after the other, and how many they are for each.

    `near`: cosines of rows and centres, filled up to whole strides with less than any. The largest of every stride is
    found first (see `_screen`).
    """
    strides = near.view(len(near), -1, _STRIDES)
    largest = strides.amax(dim=1)
    nearest = largest.amax(dim=1)
    least = nearest - margin
    row, stride = np.divmod(np.flatnonzero((largest >= least[:, None]).numpy()), _STRIDES)
    values = strides[torch.from_numpy(row), :, torch.from_numpy(stride)]
    which, turn = np.divmod(np.flatnonzero((values >= least[torch.from_numpy(row), None]).numpy()), strides.shape[1])
    value, row, cell = values.numpy()[which, turn], row[which], turn * _STRIDES + stride[which]
    kept = _nearest(value, row, most, cell < count)
    value, row, cell = value[kept], row[kept], cell[kept]
    best = np.flatnonzero(value == nearest.numpy()[row])
    home = cell[best[np.unique(row[best], return_index=True)[1]]]
    return home.astype(np.uint16), cell.astype(np.uint16), np.bincount(row, minlength=len(near))


def _nearest(value: Floats, row: Places, most: int, real: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which entries to keep: the real ones, and of a row (ascending) with more than `most` those of largest value."""
    kept = real.copy()
    crowded = np.flatnonzero(real & (np.bincount(row, weights=real)[row] > most))
    order = crowded[np.lexsort((-value[crowded], row[crowded]))]
    kept[order[np.arange(len(order)) - np.searchsorted(row[order], row[order]) >= most]] = False
    return kept


def _unit(leading: Floats) -> torch.Tensor:
    """Rows of unit length (or zero)."""
    return torch.nn.functional.normalize(torch.from_numpy(leading), dim=1)


def grouped(keys: NDArray[np.integer], count: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Positions sorted by key, and where each of `count` keys starts among them (count + 1 numbers)."""
    order = np.argsort(keys, kind="stable")
    starts = np.zeros(count + 1, np.int64)
    np.cumsum(np.bincount(keys, minlength=count), out=starts[1:])
    return order, starts
