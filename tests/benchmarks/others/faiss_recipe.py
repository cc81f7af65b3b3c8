"""The usual faiss recipe: k nearest neighbours from an inverted file, a cosine threshold, connected components.

Parameters are those of common recipes: about 2 √n lists, 4 probes, k = 32. A group larger than k hangs together only
through neighbours of neighbours.

    python -m tests.benchmarks.others.faiss_recipe VECTORS.npy 0.95
"""

import sys

import faiss
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

NEIGHBOURS = 32
PROBES = 4
TRAINING_ROWS_PER_LIST = 64
BLOCK = 10_000
"""Queries per call, so that the neighbours of all rows never stand in memory together."""


def lists_for(rows: int) -> int:
    """2,000 lists at a million rows, fewer in proportion to √n below."""
    return min(rows, max(1, round(2 * rows**0.5)))


def inverted_file(vectors: NDArray[np.float32], lists: int | None = None) -> faiss.IndexIVFFlat:
    """The index with every row added, its lists trained on a sample."""
    rows, width = vectors.shape
    lists = lists or lists_for(rows)
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, lists, faiss.METRIC_INNER_PRODUCT)
    sample = np.random.default_rng(0).permutation(rows)[: TRAINING_ROWS_PER_LIST * lists]
    index.cp.min_points_per_centroid = 1
    index.train(vectors[sample])
    index.add(vectors)
    index.nprobe = PROBES
    return index


def pairs(vectors: NDArray[np.float32], cosine: float) -> NDArray[np.int64]:
    """Neighbour pairs `(pairs, 2)` at or above the cosine; both directions may be there."""
    index = inverted_file(vectors)
    found = []
    for start in range(0, len(vectors), BLOCK):
        similarity, neighbour = index.search(vectors[start : start + BLOCK], min(NEIGHBOURS, len(vectors)))
        row, place = np.nonzero((similarity >= cosine) & (neighbour >= 0))
        found.append(np.stack([row + start, neighbour[row, place]], axis=1))
    both = np.concatenate(found)
    return both[both[:, 0] != both[:, 1]]


def groups(vectors: NDArray[np.float32], cosine: float) -> NDArray[np.int32]:
    """Label `(n,)` of each unit vector's connected component."""
    left, right = pairs(vectors, cosine).T
    graph = coo_array((np.ones(len(left), np.bool_), (left, right)), shape=(len(vectors),) * 2)
    return np.asarray(connected_components(graph, directed=False)[1], np.int32)


if __name__ == "__main__":
    labels = groups(np.load(sys.argv[1]).astype(np.float32), float(sys.argv[2]))
    print(f"{len(labels)} rows, {labels.max() + 1} groups and single rows")
