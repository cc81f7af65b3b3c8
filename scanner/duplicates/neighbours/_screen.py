"""Which pairs of rows pass the upper bound: blocks of queries against blocks of members.

The largest bound of every 64th member is found first, since a maximum is ten times as fast as a comparison that has
to be looked through; only strides that reach the threshold are looked at pair by pair. A product is made on all cores.

    >>> rows = UnitRows.of(np.eye(3, dtype=np.float32)[[0, 1, 0, 2, 1]])
    >>> heads = Heads.of(rows, width=32)
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
"""Maxima of a query: the members i, i + 64, i + 128, ... have one together. Over strides it is found three times as
fast as over blocks."""
_TALLEST = 2048
"""Queries in one product."""
_STEP = 256
"""Heights and widths of products are multiples of it: a library that compiles its product for every new shape
(bfloat16 on processors) took longer to compile than to multiply."""
_WIDEST = 8192
"""Members in one product."""

Places = NDArray[np.integer]
Found = tuple[NDArray[np.int64], NDArray[np.int64]]
"""Rows (query, member) of p pairs."""


def survivors(heads: Heads, blocks: Iterable[tuple[Places, Places]], cosine: float) -> Iterator[Found]:
    """Pairs of a query and a member of one block whose bound reaches `cosine`, in order; also a row with itself."""
    least = cosine - heads.error
    # made once: fresh memory costs more than a product
    room = torch.empty(_TALLEST * _WIDEST, dtype=heads.values.dtype)
    for queries, members in _cut(blocks):
        yield _reaching(heads, queries, members, least, room)


def _cut(blocks: Iterable[tuple[Places, Places]]) -> Iterator[tuple[Places, Places]]:
    for queries, members in blocks:
        for columns in slices(len(members), _WIDEST):
            for part in slices(len(queries), _TALLEST):
                yield queries[part], members[columns]


def _reaching(heads: Heads, queries: Places, members: Places, least: float, room: torch.Tensor) -> Found:
    right = heads.partner.index_select(0, _padded(heads, members))
    left = heads.values.index_select(0, _padded(heads, queries))
    product = room[: len(left) * len(right)].view(len(left), len(right))
    torch.mm(left, right.T, out=product)
    strides = product.view(len(product), -1, _STRIDES)
    row, stride = (strides.amax(dim=1) >= least).nonzero(as_tuple=True)
    which, turn = (strides[row, :, stride] >= least).nonzero(as_tuple=True)
    query, member = row[which].numpy(), (turn * _STRIDES + stride[which]).numpy()
    real = (query < len(queries)) & (member < len(members))
    return queries[query[real]], members[member[real]]


def _padded(heads: Heads, places: Places) -> torch.Tensor:
    """Filled up to whole steps with the zero row behind the last one."""
    extra = np.full(-len(places) % _STEP, len(heads.values) - 1)
    return torch.from_numpy(np.concatenate([places, extra]).astype(np.int64))
