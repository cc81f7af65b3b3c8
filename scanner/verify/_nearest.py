"""The nearest originals of each image: bounds dismiss, and what is left is compared in the order of its bounds.

A first product with all rows tells the least bound in each tile of them. Of the tile with the least of all, some rows
are compared at once, which brings the limit down. Then the tiles that reach within it are gone through: rows are
dismissed by the closer bound of the screen, then by their thumbnails, and the pictures of the others are compared.

    >>> nearest(space, asked, exact, kept=1, radius=2)                         # doctest: +SKIP
    [[(0.03, 17)]]
"""

from collections.abc import Callable
from math import inf

import numpy as np
import torch
from numpy.typing import NDArray

from scanner.verify._directions import tiles
from scanner.verify._space import Asked, Space

Exact = Callable[[int, NDArray[np.int64]], NDArray[np.float64]]
"""Number of an image and rows → the distances of their pictures to it."""

UNLIMITED = 2.0
"""More than any l2 of two images on [0, 1], or at equal mean and contrast."""
ROUNDING = 1e-4
"""What float32 can add to a bound or take from a distance."""
_ROOM, _MOST = 4096, 65536
"""Rows of one image that wait before the first of them are compared, and before all are."""
_FIRST, _TOGETHER, _READ = 64, 2048, 8
"""Rows whose thumbnails are compared first, and at once; pictures that are read at once."""


def nearest(  # noqa: PLR0913 - one search
    space: Space,
    asked: Asked,
    exact: Exact,
    *,
    kept: int,
    radius: float,
    original: Callable[[int], int] = int,
) -> list[list[tuple[float, int]]]:
    """Per image (distance, row), nearest first: of up to `kept` originals within the radius the nearest row each.
    `original` tells which rows are one original."""
    images = range(len(asked.vectors))
    found = [_Image(space, asked, exact, i, kept=kept, radius=radius, original=original) for i in images]
    highest = torch.stack([space.screen.products(asked.short, part).amax(dim=1) for part in tiles(space.screen.count)])
    _compare_the_most_promising(space, asked, found, highest)
    floors = space.screen.least(asked.short, _limits(found))
    for part, products in zip(tiles(space.screen.count), highest, strict=True):
        _await_the_rest(space, asked, found, torch.nonzero(products >= floors).flatten(), part)
    for image in found:
        image.settle()
    return [sorted(image.best.values())[:kept] for image in found]


def _compare_the_most_promising(space: Space, asked: Asked, found: list["_Image"], highest: torch.Tensor) -> None:
    """Of each image, rows of the tile with the least bound, so that its limit is low before others are compared."""
    floors = space.screen.least(asked.short, _limits(found))
    tile_of = highest.argmax(dim=0).masked_fill(highest.amax(dim=0) < floors, -1)
    for tile, part in enumerate(tiles(space.screen.count)):
        which = torch.nonzero(tile_of == tile).flatten()
        if len(which):
            products = space.screen.closer(asked.short, which, part)
            first = products.topk(min(_FIRST, products.shape[1]), dim=1).indices.numpy() + part.start
            for number, rows in zip(which.tolist(), first, strict=True):
                found[number].compare(rows)


def _await_the_rest(space: Space, asked: Asked, found: list["_Image"], which: torch.Tensor, part: slice) -> None:
    """Note the rows of a tile that the closer bound does not dismiss, for those images that it is open to."""
    if not len(which):
        return
    products = space.screen.closer(asked.short, which, part)
    places, rows = torch.nonzero(products >= _closer_floors(space, asked, found)[which, None], as_tuple=True)
    values = products[places, rows].numpy()
    ends = torch.bincount(places, minlength=len(which)).cumsum(0).numpy()
    for number, begin, end in zip(which.tolist(), [0, *ends[:-1]], ends, strict=True):
        if end > begin:
            found[number].wait(rows[begin:end].numpy() + part.start, values[begin:end])


def _limits(found: list["_Image"]) -> NDArray[np.float64]:
    return np.array([image.limit for image in found]) + ROUNDING


def _closer_floors(space: Space, asked: Asked, found: list["_Image"]) -> torch.Tensor:
    return space.screen.least_closer(asked.short, _limits(found))


class _Image:
    """What was found of one image so far."""

    def __init__(  # noqa: PLR0913 - one search
        self,
        space: Space,
        asked: Asked,
        exact: Exact,
        number: int,
        *,
        kept: int,
        radius: float,
        original: Callable[[int], int],
    ) -> None:
        self.space, self.asked, self.exact, self.number = space, asked, exact, number
        self.kept, self.radius, self.original = kept, radius, original
        self.limit = radius
        self.best: dict[int, tuple[float, int]] = {}
        self._waiting: list[tuple[NDArray[np.int64], NDArray[np.float32]]] = []
        self._pending, self._room = 0, _ROOM

    def wait(self, rows: NDArray[np.int64], products: NDArray[np.float32]) -> None:
        """Note rows that the screen does not dismiss. When they are many, those of the least bounds are compared, and
        what lies beyond the new limit is forgotten."""
        self._waiting.append((rows, products))
        self._pending += len(rows)
        if self._pending > self._room:
            left = self._narrowed()
            self._pending = len(left[0])
            self._waiting = [left]
            self._room = min(_MOST, max(self._room, 2 * self._pending))
            if self._pending >= self._room:
                self.settle()

    def settle(self) -> None:
        """Compare what waits, those of the least bounds first."""
        if self._waiting:
            rows, _ = self._narrowed()
            self._waiting, self._pending = [], 0
            self.compare(rows)

    def _narrowed(self) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
        """What still waits after the first of it are compared: rows and products, those of the least bounds first."""
        rows, products = (np.concatenate(arrays) for arrays in zip(*self._waiting, strict=True))
        order = np.argsort(-products, kind="stable")
        self.compare(rows[order[:_FIRST]])
        order = order[_FIRST:]
        order = order[products[order] >= float(_closer_floors(self.space, self.asked, [self])[self.number])]
        return rows[order], products[order]

    def compare(self, rows: NDArray[np.int64]) -> None:
        """Compare the pictures of those of the rows that their thumbnails do not dismiss."""
        left, bounds = list[NDArray[np.int64]](), list[NDArray[np.float32]]()
        for at in range(0, len(rows), _TOGETHER):
            part = np.sort(rows[at : at + _TOGETHER])  # read in the order in which they lie
            bound = self.space.bounds(self.asked, self.number, part)
            left.append(part[bound <= self.limit + ROUNDING])
            bounds.append(bound[bound <= self.limit + ROUNDING])
        if left:
            self._read(np.concatenate(left), np.concatenate(bounds))

    def _read(self, rows: NDArray[np.int64], bounds: NDArray[np.float32]) -> None:
        order = np.argsort(bounds, kind="stable")
        for at in range(0, len(order), _READ):
            part = order[at : at + _READ]
            part = rows[part[bounds[part] <= self.limit + ROUNDING]]
            if not len(part):
                return
            self._keep(part, self.exact(self.number, part))

    def _keep(self, rows: NDArray[np.int64], distances: NDArray[np.float64]) -> None:
        for row, distance in zip(rows.tolist(), distances.tolist(), strict=True):
            if distance <= self.radius:
                original = self.original(row)
                self.best[original] = min(self.best.get(original, (inf, 0)), (distance, row))
        if len(self.best) >= self.kept:
            self.limit = min(self.limit, sorted(distance for distance, _ in self.best.values())[self.kept - 1])
