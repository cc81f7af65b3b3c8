"""A lower bound of the l2 of images to every original from 160 numbers each, as one matrix product, and a closer one.

A picture is its block means and the rest, what its pixels are off from them, and of the rest the length is known. Block
means are projected on the leading principal directions of the set's own; of what is left of them, too, only the length
is kept. Products of the projections plus the products of both lengths bound the scalar product of the pictures from
above (Cauchy-Schwarz), so their l2 from below. What rounding block means to 8 bits can add is taken off by the triangle
inequality, row by row, and so is what the product's own rounding can: no original is dismissed wrongly. Where a tile of
rows is left open, further directions (`_finer`) dismiss most of it.

The product is made in bfloat16 where the processor does it faster, and has more further directions then: either way a
million rows take 850 MB.

    >>> rng = np.random.default_rng(0)
    >>> rows, queries = rng.normal(size=(50, 300)).astype(np.float32), rng.normal(size=(3, 300)).astype(np.float32)
    >>> zero = np.zeros(50, np.float32)
    >>> screen = Screen(lambda part: rows[part], zero, zero)
    >>> close = screen.queries(queries, zero[:3])
    >>> farthest = np.sqrt(np.square(queries[:, None] - rows).mean(axis=2)).max(axis=1)
    >>> products = screen.products(close, slice(0, 50))
    >>> bool((products >= screen.least(close, farthest)[:, None]).all())
    True
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from scanner.duplicates.neighbours import fast_type
from scanner.verify._directions import directions, spread, tiles
from scanner.verify._finer import Finer, FinerQueries, step_of

Vectors = NDArray[np.float32]

WIDTH = 160
"""Numbers of a row in the product."""
ROW_BYTES = 832
"""Of a row's numbers and further directions together, at most: 192 of these beside float32, 512 beside bfloat16. With
154 directions 42,000 of a million rows are left open to a scene unlike every row, with 320 10,600, with 480 3,000, with
640 800 (normalised; the demo's drawings and made scenes, tests/benchmarks/test_nearest.py)."""
USUAL_REACH = 0.25
"""Limit up to which the slack of a row is allowed for row by row; beyond it by the largest slack of all."""
_BUILT = 2048
"""Rows that are projected at once; of larger pieces the system gets some hundred MB back late."""
_FLOAT_ERROR = 2e-5
"""More than float32 can be off in a sum of squares of pictures on [0, 1]."""
_EXTRA = 6
"""Numbers that are no direction: length of the tail, of the rest, half the squared length of both sides in two each."""


@dataclass(frozen=True, kw_only=True)
class Queries:
    """Images as they enter the products."""

    values: torch.Tensor
    """(b, WIDTH)."""
    error: NDArray[np.float64]
    """(b,) by how much a product with any row may be off."""
    finer: FinerQueries
    """What the closer bound adds."""


@dataclass(frozen=True, kw_only=True)
class _Parts:
    """Pictures (m,) in terms of the directions, as root mean squares."""

    first: Vectors
    """(m, WIDTH − 4): along the leading directions, the length beyond them, and the rest."""
    further: Vectors
    """(m, k): along the further ones."""
    beyond: Vectors
    """(m,) the length beyond all directions."""
    square: Vectors
    """(m,) the squared length, with the rest."""


class Screen:
    """Bounds for one kind of vectors (plain block means, or at equal mean and contrast), made once."""

    def __init__(
        self,
        vectors: Callable[[slice], Vectors],
        rest: Vectors,
        slack: Vectors,
        kind: torch.dtype | None = None,
    ) -> None:
        """`vectors` gives rows (m, d); `rest` (n,) is the l2 of each picture to its vector, `slack` (n,) how far the
        vector may be from the one it stands for; both as root mean squares."""
        usual = torch.bfloat16 if fast_type() == torch.bfloat16 else torch.float32
        self.kind, self.count = kind or usual, len(slack)
        self.slack = slack
        sample, further = spread(vectors, self.count), ROW_BYTES - WIDTH * self.kind.itemsize
        self._centre, self._basis = directions(sample, WIDTH - _EXTRA + further)
        self._rows = torch.empty(self.count, WIDTH, dtype=self.kind)
        self._finer = Finer(count=self.count, step=step_of(self._parts(sample).further), kind=self.kind)
        self._longest = self._rounded = self._off = 0.0
        for part in tiles(self.count, _BUILT):
            seen = self._parts(vectors(part), rest[part])
            half = (seen.square / 2 - USUAL_REACH * slack[part] - np.square(slack[part]) / 2).astype(np.float32)
            self._rows[part] = self._filled(seen.first, ones=(-4, -3), halves=(-2, -1), half=half)
            self._finer.fill(part, seen.further, seen.beyond, seen.first[:, -2])
            self._note(seen.first, half, self._rows[part])

    def queries(self, vectors: Vectors, rest: Vectors) -> Queries:
        """Images (b, d) with their `rest` (b,)."""
        seen = self._parts(vectors, rest)
        half = (seen.square / 2).astype(np.float32)
        values = self._filled(seen.first, ones=(-2, -1), halves=(-4, -3), half=half)
        short = values.float().numpy()
        lost = np.linalg.norm(short[:, :-4] - seen.first, axis=1)
        error = lost * self._longest + np.linalg.norm(short[:, :-4], axis=1) * self._rounded
        error += self._off + np.abs(half - -short[:, -4:-2].sum(axis=1)) + _FLOAT_ERROR
        finer = self._finer.query(seen.further, seen.beyond, seen.first[:, -2])
        return Queries(values=values, error=error.astype(np.float64), finer=finer)

    def products(self, queries: Queries, part: slice) -> torch.Tensor:
        """(b, m): half the negative squared bound of the rows of a part to every query, slack and rounding apart."""
        return queries.values @ self._rows[part].T

    def closer(self, queries: Queries, which: torch.Tensor, part: slice) -> torch.Tensor:
        """(len(which), m) float32: the same of some queries, for the closer bound."""
        products = (queries.values[which] @ self._rows[part].T).float()
        return products.add_(self._finer.add(queries.finer, which, part))

    def least(self, queries: Queries, limits: NDArray[np.float64]) -> torch.Tensor:
        """(b,) products from which on a row's picture may lie within the limits (b,), in the products' own type: both
        are rounded to it, and rounding keeps an order."""
        return torch.from_numpy(-self._reach(queries, limits) / 2).to(self.kind)

    def least_closer(self, queries: Queries, limits: NDArray[np.float64]) -> torch.Tensor:
        """(b,) float32: the same for what `closer` gives."""
        reach = self._reach(queries, limits)
        # the product that `closer` begins with is rounded to its type; of rows in reach it lies between −reach / 2 and
        # what slack and rounding add
        rounded = torch.finfo(self.kind).eps * (reach / 2 + USUAL_REACH * self.slack.max(initial=0) + queries.error)
        return torch.from_numpy(-reach / 2 - rounded - queries.finer.error - _FLOAT_ERROR).float()

    def _reach(self, queries: Queries, limits: NDArray[np.float64]) -> NDArray[np.float64]:
        """(b,) squared bounds up to which a row's picture may lie within the limits (b,)."""
        beyond = 2 * np.maximum(limits - USUAL_REACH, 0) * (self.slack.max() if self.count else 0)
        return np.asarray(np.square(limits) + beyond + 2 * queries.error)

    def _parts(self, vectors: Vectors, rest: Vectors | float = 0.0) -> _Parts:
        centred = (vectors - self._centre) / np.float32(np.sqrt(vectors.shape[1]))
        along = np.asarray(centred @ self._basis, np.float32)
        first, further = along[:, : WIDTH - _EXTRA], along[:, WIDTH - _EXTRA :]
        square = np.einsum("ij,ij->i", centred, centred)
        left = square - np.einsum("ij,ij->i", first, first)
        long = np.zeros((len(vectors), WIDTH - 4), np.float32)
        long[:, : first.shape[1]], long[:, -2], long[:, -1] = first, _length(left), rest
        beyond = _length(left - np.einsum("ij,ij->i", further, further))
        return _Parts(first=long, further=further, beyond=beyond, square=square + np.square(long[:, -1]))

    def _filled(self, long: Vectors, *, ones: tuple[int, int], halves: tuple[int, int], half: Vectors) -> torch.Tensor:
        filled = torch.zeros(len(long), WIDTH, dtype=self.kind)
        filled[:, :-4] = torch.from_numpy(long).to(self.kind)
        filled[:, ones[0]] = filled[:, ones[1]] = 1
        high = torch.from_numpy(-half).to(self.kind)
        filled[:, halves[0]], filled[:, halves[1]] = high, torch.from_numpy(-half) - high.float()
        return filled

    def _note(self, long: Vectors, half: Vectors, filled: torch.Tensor) -> None:
        """Remember the longest row and the largest roundings."""
        short = filled.float().numpy()
        self._longest = max(self._longest, float(np.linalg.norm(long, axis=1).max(initial=0)))
        self._rounded = max(self._rounded, float(np.linalg.norm(short[:, :-4] - long, axis=1).max(initial=0)))
        self._off = max(self._off, float(np.abs(half + short[:, -2:].sum(axis=1)).max(initial=0)))


def _length(squares: Vectors) -> Vectors:
    """Lengths that rounding of the squares makes no shorter."""
    return np.asarray(np.sqrt(np.maximum(squares, 0) + np.float32(1e-6)), np.float32)
