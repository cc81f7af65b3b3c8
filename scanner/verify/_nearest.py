"""The nearest originals of each image: bounds dismiss, and what is left is compared in the order of its bounds.

Tile by tile, the row of the least bound is compared at once, so that the limit falls early; rows whose bounds lie
beyond it are dismissed, first by the screen, then by their thumbnails, and the pictures of the others are compared.

    >>> nearest(space, asked, exact, kept=1, radius=2)                         # doctest: +SKIP
    [[(0.03, 17)]]
"""

from collections.abc import Callable
from math import inf

import numpy as np
import torch
from numpy.typing import NDArray

from scanner.verify._screen import tiles
from scanner.verify._space import Asked, Space

Exact = Callable[[int, NDArray[np.int64]], NDArray[np.float64]]
"""Number of an image and rows → the distances of their pictures to it."""

UNLIMITED = 2.0
"""More than any l2 of two images on [0, 1], or at equal mean and contrast."""
ROUNDING = 1e-4
"""What float32 can add to a bound or take from a distance."""
_PENDING = 50_000
"""Rows of one image that wait to be compared."""
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
    for part in tiles(space.screen.count):
        products = space.screen.products(asked.short, part)
        open_ = torch.nonzero(products.amax(dim=1) >= _floors(space, asked, found)).flatten()
        if not len(open_):
            continue
        products = products[open_]
        chosen = [found[i] for i in open_.tolist()]
        for image, best in zip(chosen, products.argmax(dim=1).tolist(), strict=True):
            image.compare(np.array([part.start + best]))
        left = products >= _floors(space, asked, found)[open_][:, None]
        for place, image in enumerate(chosen):
            rows = torch.nonzero(left[place]).flatten()
            image.wait(rows.numpy() + part.start, products[place, rows].float().numpy())
    for image, floor in zip(found, _floors(space, asked, found).float().tolist(), strict=True):
        image.settle(floor)
    return [sorted(image.best.values())[:kept] for image in found]


def _floors(space: Space, asked: Asked, found: list["_Image"]) -> torch.Tensor:
    return space.screen.least(asked.short, np.array([image.limit for image in found]) + ROUNDING)


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

    def wait(self, rows: NDArray[np.int64], products: NDArray[np.float32]) -> None:
        """Rows that the screen does not dismiss."""
        self._waiting.append((rows, products))
        if sum(len(rows) for rows, _ in self._waiting) > _PENDING:
            self.settle(-inf)

    def settle(self, floor: float) -> None:
        """Compare what waits with products from `floor` on, those of the least bounds first."""
        if not self._waiting:
            return
        rows, products = (np.concatenate(arrays) for arrays in zip(*self._waiting, strict=True))
        self._waiting = []
        rows, products = rows[products >= floor], products[products >= floor]
        rows = rows[np.argsort(-products, kind="stable")]
        self.compare(rows[:_FIRST])
        self.compare(rows[_FIRST:])

    def compare(self, rows: NDArray[np.int64]) -> None:
        """Compare the pictures of those of the rows that their thumbnails do not dismiss."""
        left, bounds = list[NDArray[np.int64]](), list[NDArray[np.float32]]()
        for at in range(0, len(rows), _TOGETHER):
            part = rows[at : at + _TOGETHER]
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
