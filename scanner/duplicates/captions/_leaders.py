"""Clusters around leaders: every member is near its leader, so that no chain of near pairs joins strangers.

Nodes are in order of rank. The first leads all nodes that are near it, the first of those that are left leads its own,
and so on (Hartigan's leader algorithm 1975, over a graph of near pairs in place of all distances).

    >>> lead(4, np.array([0, 1, 2]), np.array([1, 2, 3])).tolist()
    [0, 0, 2, 2]
"""

import numpy as np
from numpy.typing import NDArray

Nodes = NDArray[np.int64]


def lead(nodes: int, left: Nodes, right: Nodes) -> Nodes:
    """(nodes,) each node's leader, 0 to nodes − 1, its own where it leads; (left, right) are the near pairs."""
    leader = np.arange(nodes)
    better, worse = np.minimum(left, right), np.maximum(left, right)
    order = np.lexsort((worse, better))
    better, worse = better[order], worse[order]
    starts = np.flatnonzero(np.append(True, better[1:] != better[:-1])) if len(better) else order
    free = np.ones(nodes, bool)
    for first, end in zip(starts.tolist(), [*starts[1:].tolist(), len(better)], strict=False):
        node = better[first]
        if free[node]:
            near = worse[first:end]
            near = near[free[near]]
            free[near] = False
            leader[near] = node
    return leader
