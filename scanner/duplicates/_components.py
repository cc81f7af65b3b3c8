"""Connected components over streamed pairs: union-find in one array of uint32 parents.

A billion nodes are 4 GB. Everything is vectorised; a node's representative is the smallest index of its component,
whatever the order in which pairs arrive.

    >>> import numpy as np
    >>> parents = new_forest(4)
    >>> unite(parents, np.array([3, 1]), np.array([2, 3]))
    >>> roots(parents, np.arange(4))
    array([0, 1, 1, 1], dtype=uint32)
"""

import numpy as np
from numpy.typing import NDArray

from scanner.errors import UnusableInputError

Parents = NDArray[np.uint32]
Nodes = NDArray[np.integer]


def new_forest(nodes: int) -> Parents:
    """(nodes,) parents, each its own: no pair seen yet. Raises UnusableInputError from 2³² nodes on."""
    if nodes >= 2**32:
        raise UnusableInputError(f"{nodes:,} distinct pictures are more than one search holds; scan the set in parts.")
    return np.arange(nodes, dtype=np.uint32)


def roots(parents: Parents, nodes: Nodes) -> Parents:
    """The representative of each node; shortens the paths that it walks (path halving)."""
    found = parents[nodes]
    above = parents[found]
    while not np.array_equal(found, above):
        parents[nodes] = above
        found = parents[above]
        above = parents[found]
    return found


def unite(parents: Parents, left: Nodes, right: Nodes) -> None:
    """Join the components of each pair, in place; the smaller representative stays."""
    one, two = roots(parents, left), roots(parents, right)
    while len(apart := np.flatnonzero(one != two)):
        one, two = one[apart], two[apart]
        np.minimum.at(parents, np.maximum(one, two), np.minimum(one, two))
        one, two = roots(parents, one), roots(parents, two)


def components(parents: Parents) -> list[NDArray[np.int64]]:
    """The nodes of each component of two or more, ascending; components in the order of their representatives."""
    root = roots(parents, np.arange(len(parents)))
    order = np.argsort(root, kind="stable")
    starts = np.flatnonzero(np.diff(root[order], prepend=-1)) if len(order) else np.empty(0, np.int64)
    return [part for part in np.split(order, starts[1:]) if len(part) > 1]
