"""Which pairs of rows pass the upper bound: blocks of queries against blocks of members.

The largest bound of every 64th column is found first, since a maximum is ten times as fast as a comparison that has
to be looked through; only strides that reach the threshold are looked at pair by pair. A product is made on all cores.

    >>> rows = UnitRows.of(np.eye(3, dtype=np.float32)[[0, 1, 0, 2, 1]])
    >>> heads = Heads.of(leading(rows, directions_of(rows), 32), rows.nonzero(slice(None)), width=32)
    >>> [pair.tolist() for pair in next(survivors(heads, [(np.arange(2), np.arange(5))], 0.9))]
    [[0, 0, 1, 1], [0, 2, 1, 4]]
"""

from collections.abc import Iterable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from scanner.duplicates.neighbours._bound import Heads
from scanner.duplicates.neighbours._rows import slices

_STRIDES = 64
"""Maxima of a row of a product: its columns i, i + 64, i + 128, ... have one together. Over strides it is found three
times as fast as over blocks."""
_TALLEST = 1024
"""Rows of one product."""
_WIDEST = 2048
"""Columns of one product."""
_STEPS = (32, 256)
"""Heights and widths of products are multiples of it: a library that compiles its product for every new shape took
longer to compile than to multiply."""
_AT_ONCE = 65_536
"""Survivors given at a time, or all of one product where they are more."""

Places = NDArray[np.integer]
Found = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Rows (query, member) of p pairs."""


def survivors(heads: Heads, blocks: Iterable[tuple[Places, Places]], cosine: float) -> Iterator[Found]:
    """Pairs of a query and a member of one block whose bound reaches `cosine`, in order; also a row with itself."""
    least = cosine - heads.error
    # made once: fresh memory costs more than a product
    room = torch.empty(_TALLEST * _WIDEST, dtype=heads.values.dtype)
    held, count = list[Found](), 0
    for queries, members in blocks:
        for found in _of_block(heads, queries, members, least, room):
            held.append(found)
            count += len(found[0])
            if count >= _AT_ONCE:
                yield _joined(held)
                held, count = [], 0
    if held:
        yield _joined(held)


def _joined(parts: list[Found]) -> Found:
    return np.concatenate([query for query, _ in parts]), np.concatenate([member for _, member in parts])


def _of_block(heads: Heads, queries: Places, members: Places, least: float, room: torch.Tensor) -> Iterator[Found]:
    turned = len(members) < len(queries)
    short, long = (members, queries) if turned else (queries, members)
    for part in slices(len(short), _TALLEST):
        left = heads.values.index_select(0, _padded(heads, short[part], _STEPS[0]))
        for columns in slices(len(long), _WIDEST):
            row, column = _passing(left, _right(heads, long[columns]), least, room)
            real = (row < len(short[part])) & (column < len(long[columns]))
            one, other = (side.astype(np.int64) for side in (short[part][row[real]], long[columns][column[real]]))
            yield (other, one) if turned else (one, other)


def _right(heads: Heads, places: Places) -> torch.Tensor:
    return heads.partner.index_select(0, _padded(heads, places, _STEPS[1]))


def _passing(left: torch.Tensor, right: torch.Tensor, least: float, room: torch.Tensor) -> Found:
    """Rows and columns of the product that reach the least."""
    product = room[: len(left) * len(right)].view(len(left), len(right))
    torch.mm(left, right.T, out=product)
    strides = product.view(len(product), -1, _STRIDES)
    row, stride = np.divmod(np.flatnonzero((strides.amax(dim=1) >= least).numpy()), _STRIDES)
    close = (strides[torch.from_numpy(row), :, torch.from_numpy(stride)] >= least).numpy()
    which, turn = np.divmod(np.flatnonzero(close), strides.shape[1])
    return row[which], turn * _STRIDES + stride[which]


def _padded(heads: Heads, places: Places, step: int) -> torch.Tensor:
    """Filled up to whole steps with the zero row behind the last one."""
    extra = np.full(-len(places) % step, len(heads.values) - 1)
    return torch.from_numpy(np.concatenate([places, extra]).astype(np.int64))
