"""Further numbers of each row, 8 bits each, for those tiles of rows that the screen's own do not dismiss.

The screen bounds the product of what two pictures are beyond its directions by the product of their lengths there. Here
follow further directions: their part of the product is added, from numbers rounded to 8 bits, and only what is
beyond these too, and what the rounding lost, is bounded by lengths (Cauchy-Schwarz). Each direction has a step of its
own; what exceeds 127 steps is cut and counts as lost, row by row, so that one odd row makes no other bound looser.

    >>> finer = Finer(count=2, step=np.full(3, 0.01, np.float32), kind=torch.float32)
    >>> finer.fill(slice(0, 2), np.eye(2, 3, dtype=np.float32), np.ones(2, np.float32), np.ones(2, np.float32))
    >>> finer.add(finer.query(np.eye(1, 3, dtype=np.float32), np.ones(1, np.float32), np.ones(1, np.float32)),
    ...           torch.tensor([0]), slice(0, 2)).round(decimals=2).tolist()
    [[1.0, 0.0]]
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

LENGTHS = 3
"""Further columns: what rounding lost, the length beyond all directions, the length beyond the screen's."""
_LARGEST = 127
_DEVIATIONS = 8
"""Deviations of a direction that fit into 127 steps."""


def step_of(sample: Vectors) -> Vectors:
    """The step (k,) of each direction, from some rows (m, k)."""
    deviation = sample.std(axis=0) if len(sample) else np.ones(sample.shape[1])
    return np.asarray(np.maximum(deviation, 1e-6) * (_DEVIATIONS / _LARGEST), np.float32)


@dataclass(frozen=True, kw_only=True)
class FinerQueries:
    """Images as they enter the product."""

    values: torch.Tensor
    """(b, k + LENGTHS)."""
    error: NDArray[np.float64]
    """(b,) by how much a product with any row may be off."""


class Finer:
    """The further numbers of all rows."""

    def __init__(self, *, count: int, step: Vectors, kind: torch.dtype) -> None:
        self.kind, self._step = kind, step
        self._codes = torch.empty(count, len(step), dtype=torch.int8)
        self._lengths = torch.empty(count, LENGTHS, dtype=torch.float32)
        self._unit = float(torch.finfo(kind).eps) / 2
        self._longest = np.zeros(1 + LENGTHS)
        """The greatest length of a row's rounded numbers, and of its LENGTHS."""

    def fill(self, part: slice, along: Vectors, beyond: Vectors, before: Vectors) -> None:
        """Rows (m, k) along the directions, with their lengths (m,) beyond them and beyond the screen's directions."""
        codes = np.clip(np.rint(along / self._step), -_LARGEST, _LARGEST)
        rounded = codes * self._step
        lost = np.linalg.norm(along - rounded, axis=1)
        lengths = np.stack([lost, beyond, before], axis=1)
        self._codes[part] = torch.from_numpy(codes.astype(np.int8))
        self._lengths[part] = torch.from_numpy(lengths)
        found = [np.linalg.norm(rounded, axis=1).max(initial=0), *lengths.max(axis=0, initial=0)]
        self._longest = np.maximum(self._longest, found)

    def query(self, along: Vectors, beyond: Vectors, before: Vectors) -> FinerQueries:
        """Images (b, k) along the directions, with the same lengths (b,)."""
        exact = np.concatenate([along * self._step, np.stack([_norm(along), beyond, -before], axis=1)], axis=1)
        values = torch.from_numpy(exact).to(self.kind)
        off = values.float().numpy() - exact
        error = np.linalg.norm(off[:, :-LENGTHS] / self._step, axis=1) * self._longest[0]
        sizes = np.abs(np.stack([_norm(along), _norm(along), beyond, before], axis=1)) @ self._longest
        # the lengths of both sides, and the product itself, are rounded to `kind`: four times half a unit at most
        return FinerQueries(values=values, error=(error + 4 * self._unit * sizes).astype(np.float64))

    def add(self, queries: FinerQueries, which: torch.Tensor, part: slice) -> torch.Tensor:
        """(len(which), m) float32: what the screen's products of some images with the rows of a part are too large."""
        codes, lengths = self._codes[part], self._lengths[part]
        rows = torch.empty(len(codes), codes.shape[1] + LENGTHS, dtype=self.kind)
        rows[:, : codes.shape[1]] = codes
        rows[:, codes.shape[1] :] = lengths
        return (queries.values[which] @ rows.T).float()


def _norm(vectors: Vectors) -> Vectors:
    return np.asarray(np.linalg.norm(vectors, axis=1), np.float32)
