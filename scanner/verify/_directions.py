"""The directions in which the rows of a set differ most: what a few numbers tell about a row is in them.

>>> rows = np.random.default_rng(0).normal(size=(100, 20)).astype(np.float32)
>>> centre, basis = directions(spread(lambda part: rows[part], 100), 5)
>>> bool(np.allclose(basis.T @ basis, np.eye(5), atol=1e-5))
True
"""

from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray

Vectors = NDArray[np.float32]

TILE = 8192
"""Rows that are handled at once; their products with some hundred queries stay in the processor's cache."""
_FITTED_ON = 8192
_ITERATIONS = 6


def tiles(count: int, rows: int | None = None) -> Iterator[slice]:
    """Slices of all rows that are handled at once: TILE of them, or so many `rows`."""
    step = rows or TILE
    for at in range(0, count, step):
        yield slice(at, min(at + step, count))


def spread(vectors: Callable[[slice], Vectors], count: int) -> Vectors:
    """Some thousand rows from all over a set; `vectors` gives rows (m, d)."""
    step = max(1, count // _FITTED_ON)
    drawn = [vectors(part)[:: max(1, min(step, part.stop - part.start))] for part in tiles(count)]
    return np.concatenate(drawn)


def directions(sample: Vectors, width: int) -> tuple[Vectors, Vectors]:
    """The centre (d,) and orthonormal directions (d, up to `width`), the leading ones first, of rows (m, d), by
    subspace iteration. Bounds are correct with any directions; with good ones they dismiss more."""
    centre = sample.mean(axis=0)
    sample = sample - centre
    width = min(width, *sample.shape)
    basis = np.random.default_rng(0).standard_normal((sample.shape[1], width)).astype(np.float32)
    for _ in range(_ITERATIONS):
        basis = np.linalg.qr(sample.T @ (sample @ basis))[0].astype(np.float32)
    return centre, np.ascontiguousarray(basis)
