"""The block means of all originals, 8 bits each, left in their files: a view over memory-mapped parts.

>>> Thumbnails([np.zeros((3, 3072), np.uint8)]).rows([2, 0]).shape
(2, 3072)
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray

Bytes = NDArray[np.uint8]


class Thumbnails:
    """Rows (n, side · side · 3) of uint8, part after part; only what is asked for is read."""

    def __init__(self, parts: Sequence[Bytes]) -> None:
        self._parts = [part for part in parts if len(part)]
        self.width = self._parts[0].shape[1] if self._parts else 0
        self._starts = np.cumsum([0, *(len(part) for part in self._parts)])

    def __len__(self) -> int:
        return int(self._starts[-1])

    def rows(self, numbers: Sequence[int] | NDArray[np.int64]) -> Bytes:
        """Some rows, in the order asked for; fastest in ascending order."""
        wanted = np.asarray(numbers, np.int64)
        order = np.argsort(wanted, kind="stable")
        found = torch.empty(len(wanted), self.width, dtype=torch.uint8)
        ends = np.searchsorted(wanted[order], self._starts)
        for part, start, first, last in zip(self._parts, self._starts, ends, ends[1:], strict=False):
            if last > first:
                rows = torch.from_numpy(wanted[order[first:last]] - start)
                torch.index_select(torch.from_numpy(part), 0, rows, out=found[first:last])
        if (np.diff(wanted) >= 0).all():
            return np.asarray(found)
        return np.asarray(found)[np.argsort(order)]

    def between(self, first: int, last: int) -> Bytes:
        """The rows from first up to last, last not included."""
        part = np.searchsorted(self._starts, first, side="right") - 1
        inside = slice(first - self._starts[part], last - self._starts[part])
        if last <= self._starts[part + 1]:
            return self._parts[part][inside]
        return self.rows(np.arange(first, last))
