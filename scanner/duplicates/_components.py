"""Connected components over streamed pairs: union-find in one array of uint32 parents.

A billion nodes are 4 GB. Everything is vectorised; a node's representative is the smallest index of its component,
whatever the order in which pairs arrive.

    >>> import numpy as np
    >>> parents = new_forest(4)
    >>> unite(parents, np.array([3, 1]), np.array([2, 3]))
    >>> roots(parents, np.arange(4))
    array([0, 1, 1, 1], dtype=uint32)
"""

from collections.abc import Iterator
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from scanner.errors import UnusableInputError

Parents = NDArray[np.uint32]
Nodes = NDArray[np.integer]
_BLOCK = 1_000_000
"""Nodes looked up at once: 40 MB."""


def new_forest(nodes: int) -> Parents:
    """(nodes,) parents, each its own: no pair seen yet. Raises UnusableInputError from 2³² nodes on."""
    if nodes >= 2**32:
        raise UnusableInputError(f"{nodes:,} distinct pictures are more than one search holds; scan the set in parts.")
    return np.arange(nodes, dtype=np.uint32)


def roots(parents: Parents, nodes: Nodes) -> Parents:
    """The representative of each node; shortens the paths that it walks (path halving)."""
    found = parents[nodes]
    above = parents[found]
    below = np.flatnonzero(found != above)
    node, above = nodes[below], above[below]
    while len(below):
        parents[node] = above
        high = found[below] = parents[above]
        above = parents[high]
        still = np.flatnonzero(high != above)
        below, node, above = below[still], node[still], above[still]
    return found


def unite(parents: Parents, left: Nodes, right: Nodes) -> None:
    """Join the components of each pair, in place; the smaller representative stays."""
    one, two = roots(parents, left), roots(parents, right)
    while len(apart := np.flatnonzero(one != two)):
        one, two = one[apart], two[apart]
        np.minimum.at(parents, np.maximum(one, two), np.minimum(one, two))
        one, two = roots(parents, one), roots(parents, two)


def components(parents: Parents) -> Iterator[NDArray[np.int64]]:
    """The nodes of each component of two or more, ascending; components in the order of their representatives."""
    nodes, root = np.arange(len(parents), dtype=np.uint32), np.empty_like(parents)
    for start in range(0, len(nodes), _BLOCK):
        root[start : start + _BLOCK] = roots(parents, nodes[start : start + _BLOCK])
    grouped = root != nodes
    grouped[root[grouped]] = True
    members = _sorted_pairs(root[grouped], nodes[grouped])
    del nodes, root, grouped
    high = members.view("<u4")[1::2]
    cuts = np.flatnonzero(high[1:] != high[:-1]) + 1
    members &= 2**32 - 1
    ends = np.concatenate([[0], cuts, [len(members)]])
    for start, stop in pairwise(ends if len(members) else ends[:0]):
        yield members[start:stop]


def _sorted_pairs(high: Parents, low: Parents) -> NDArray[np.int64]:
    """high · 2³² + low, ascending: one sort in place, where a sort of positions takes twice the memory."""
    pairs = high.astype("<i8")
    pairs <<= 32
    pairs |= low
    pairs.sort()
    return pairs
