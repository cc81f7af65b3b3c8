"""SemDeDup's way to duplicates: k-means cells, exact cosines inside each cell, a threshold.

Abbas et al. 2023, https://arxiv.org/abs/2303.09540. A pair across the border of two cells is not seen. The paper keeps
one row of those that resemble each other; here the pairs at or above the threshold are joined into groups, so that the
result can be measured against planted groups. Cells come from spherical k-means with faiss, √n of them, so that the
work inside the cells grows as n^1.5 (the paper takes a fixed number for each of its data sets).

    python -m tests.benchmarks.others.semdedup VECTORS.npy 0.95
"""

import sys

import faiss
import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ROUNDS = 10
TRAINING_ROWS_PER_CELL = 64
BLOCK = 2_048
"""Rows of a cell that are multiplied with the whole cell at a time."""


def cells_of(vectors: NDArray[np.float32], cells: int | None = None) -> NDArray[np.int64]:
    """The k-means cell `(n,)` of each unit vector; √n cells unless told."""
    rows, width = vectors.shape
    cells = cells or max(1, round(rows**0.5))
    means = faiss.Kmeans(
        width,
        cells,
        niter=ROUNDS,
        seed=0,
        spherical=True,
        min_points_per_centroid=1,
        max_points_per_centroid=TRAINING_ROWS_PER_CELL,
    )
    means.train(vectors)
    return np.asarray(means.index.search(vectors, 1)[1][:, 0])


def _linked(labels: NDArray[np.int32], left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int32]:
    """Labels after joining those of each pair of rows."""
    graph = coo_array((np.ones(len(left), np.bool_), (labels[left], labels[right])), shape=(len(labels),) * 2)
    return np.asarray(connected_components(graph, directed=False)[1][labels], np.int32)


def _joined(vectors: NDArray[np.float32], cosine: float) -> NDArray[np.int32]:
    """Component `(rows,)` of each row of one cell.

    Every pair is scored; first each row is joined with the first row it resembles, then pairs count only where they
    still join two components: 20,000 copies are not listed as 200 million pairs.
    """
    labels = np.arange(len(vectors), dtype=np.int32)
    for start in range(0, len(vectors), BLOCK):
        end = min(start + BLOCK, len(vectors))
        alike = vectors[start:end] @ vectors[:end].T >= cosine
        rows = np.arange(start, end)
        alike[rows - start, rows] = True
        labels = _linked(labels, rows, alike.argmax(axis=1))
        row, column = np.nonzero(alike & (labels[start:end, None] != labels[:end]))
        if len(row):
            labels = _linked(labels, row + start, column)
    return labels


def groups(vectors: NDArray[np.float32], cosine: float) -> NDArray[np.int32]:
    """Label `(n,)` of each unit vector's group: pairs at or above the cosine inside one cell, joined."""
    cells = cells_of(vectors)
    order = np.argsort(cells, kind="stable")
    labels, known = np.empty(len(vectors), np.int32), 0
    for members in np.split(order, np.flatnonzero(np.diff(cells[order])) + 1):
        found = _joined(np.ascontiguousarray(vectors[members]), cosine)
        labels[members] = np.unique(found, return_inverse=True)[1] + known
        known = int(labels[members].max()) + 1
    return labels


if __name__ == "__main__":
    labels = groups(np.load(sys.argv[1]).astype(np.float32), float(sys.argv[2]))
    print(f"{len(labels)} rows, {labels.max() + 1} groups and single rows")
