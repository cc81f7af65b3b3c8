"""One way to look at the originals: their pixels as they are, or at equal mean and contrast; at two levels of detail.

>>> space = Space(blocks, normalised=True)                                     # doctest: +SKIP
>>> space.bounds(space.queries(images), 0, rows)                               # doctest: +SKIP
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from scanner.attack import DEVIATION, LEAST_DEVIATION, block_means, normalise
from scanner.verify._blocks import Blocks, rest_of
from scanner.verify._screen import Queries, Screen

Floats = NDArray[np.float32]

COARSE = 16
_FLOAT_ERROR = 4e-6
"""What float32 can be off in the squared distance of two thumbnails, in units of 1 plus the row's gain."""


@dataclass(frozen=True, kw_only=True)
class Asked:
    """Images that are looked up."""

    images: Floats
    """(b, size, size, 3) as the space sees them."""
    vectors: Floats
    """(b, d) block means."""
    rest: Floats
    """(b,) l2 to them."""
    short: Queries
    """What the screen multiplies."""


class Space:
    """The index seen in one way; its screen is made once."""

    def __init__(self, blocks: Blocks, *, normalised: bool, side: int | None = None) -> None:
        """Raises ValueError for another `side` than that of the thumbnails or `COARSE`; at the latter a vector is all
        there is of a picture, so bounds are distances of block means."""
        self.blocks, self.normalised = blocks, normalised
        count = len(blocks.sample_id)
        contrast = np.maximum(blocks.deviation, np.float32(LEAST_DEVIATION))
        self.gain: Floats = np.asarray(DEVIATION / contrast if normalised else np.ones(count), np.float32)
        self.mean: Floats = blocks.mean if normalised else np.zeros(count, np.float32)
        self._stored = round((blocks.thumbnails.width / 3) ** 0.5)
        self.side = side or self._stored
        if self.side not in {COARSE, self._stored}:
            raise ValueError(f"Thumbnails of {self._stored} × {self._stored} blocks give no {side} × {side}")
        self.whole = side is None
        self.rest: Floats = self.gain * blocks.rest * np.float32(self.whole)
        self.slack: Floats = self.gain * blocks.rounding * np.float32(self.whole)
        self._squares = np.empty(count, np.float32)
        self.screen = Screen(self._vectors, self.rest, self.slack)

    def queries(self, images: Floats) -> Asked:
        """Images (b, size, size, 3) on [0, 1]."""
        seen = normalise(images) if self.normalised else images
        vectors = block_means(seen, self.side)
        rest = rest_of(seen, self.side) * np.float32(self.whole)
        return Asked(images=seen, vectors=vectors, rest=rest, short=self.screen.queries(vectors, rest))

    def bounds(self, asked: Asked, image: int, rows: NDArray[np.int64]) -> Floats:
        """(m,) lower bounds of the l2 of an image to some rows' pictures, from their thumbnails and rests."""
        query = asked.vectors[image]
        thumbnails = torch.from_numpy(self._cut(self.blocks.thumbnails.rows(rows))).float()
        values = torch.mv(thumbnails, torch.from_numpy(query)).numpy() / np.float32(255)
        dots = self.gain[rows] * (values - self.mean[rows] * query.sum(dtype=np.float64)) / len(query)
        squares = np.square(query).mean(dtype=np.float64) + self._squares[rows] - 2 * dots
        squares += np.square(asked.rest[image] - self.rest[rows]) - _FLOAT_ERROR * (1 + self.gain[rows])
        return np.asarray(np.sqrt(np.maximum(squares, 0)) - self.slack[rows], np.float32)

    def distances(self, asked: Asked, image: int, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """(m,) l2 of an image's block means to those of some rows, as they are stored."""
        vectors = self._of(self.blocks.thumbnails.rows(rows), rows)
        return np.asarray(np.sqrt(np.square(vectors - asked.vectors[image], dtype=np.float64).mean(axis=1)))

    def _vectors(self, part: slice) -> Floats:
        vectors = self._of(self.blocks.thumbnails.between(part.start, part.stop), part)
        self._squares[part] = np.einsum("ij,ij->i", vectors, vectors) / vectors.shape[1]
        return vectors

    def _of(self, thumbnails: NDArray[np.uint8], rows: slice | NDArray[np.int64]) -> Floats:
        vectors = self._cut(thumbnails).astype(np.float32)
        vectors *= (self.gain[rows] / np.float32(255))[:, None]
        vectors -= (self.gain[rows] * self.mean[rows])[:, None]
        return vectors

    def _cut(self, thumbnails: NDArray[np.uint8]) -> NDArray[np.uint8] | Floats:
        if self.side == self._stored:
            return thumbnails
        return block_means(thumbnails.reshape(-1, self._stored, self._stored, 3).astype(np.float32), self.side)
