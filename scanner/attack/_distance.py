"""Distances between images, all on [0, 1] pixels and all root mean squares, so that sizes can be compared.

`l2` is the paper's distance. It is fooled by flat backgrounds: simple pictures on white lie within 0.15 of each
other. Two remedies, both used here: the largest l2 over 4 × 4 tiles (Carlini et al. 2023, section 4.2), and l2 at
equal mean and contrast (`normalised_l2`).

    >>> black, white = np.zeros((64, 64, 3)), np.ones((64, 64, 3))
    >>> float(l2(black, white))
    1.0
"""

import numpy as np
from numpy.typing import NDArray

Images = NDArray[np.float32]

DEVIATION = 0.25
"""Standard deviation that `normalise` brings an image to: about that of natural images on [0, 1]."""
LEAST_DEVIATION = 0.01
"""An image with less contrast than this (2.5 of 255 grey levels) is flat: its noise is not blown up to a picture."""


def as_unit(pictures: NDArray[np.uint8]) -> Images:
    """uint8 pixels to float32 on [0, 1]."""
    return pictures.astype(np.float32) / np.float32(255)


def l2(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """sqrt(mean((a − b)²)) over the last three axes (height, width, channel); broadcasts; 0 to 1."""
    return np.asarray(np.sqrt(np.square(a - b, dtype=np.float64).mean(axis=(-3, -2, -1))))


def normalise(images: NDArray[np.floating]) -> Images:
    """Images (..., h, w, 3) at mean 0 and standard deviation 0.25, taken over all pixels and channels."""
    mean = images.mean(axis=(-3, -2, -1), keepdims=True, dtype=np.float64)
    deviation = images.std(axis=(-3, -2, -1), keepdims=True, dtype=np.float64)
    scaled = (images - mean) * (DEVIATION / np.maximum(deviation, LEAST_DEVIATION))
    return np.asarray(scaled, np.float32)


def normalised_l2(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float64]:
    """`l2` of both images at mean 0 and deviation 0.25; broadcasts; 0 to about 0.5."""
    return l2(normalise(a), normalise(b))


def tile_l2(a: NDArray[np.floating], b: NDArray[np.floating], tiles: int = 4) -> NDArray[np.float64]:
    """The largest `l2` over tiles × tiles pairs of corresponding tiles; broadcasts; 0 to 1."""
    squared = np.square(a - b, dtype=np.float64)
    return np.asarray(np.sqrt(_tiled(squared, tiles).mean(axis=(-4, -2, -1)).max(axis=(-2, -1))))


def block_means(images: NDArray[np.floating], side: int = 16) -> NDArray[np.float32]:
    """Means of side × side blocks: (..., h, w, 3) → (..., side · side · 3).

    The l2 of block means is a lower bound of the l2 of the images (a mean of squares is at least the square of the
    mean), which lets a search dismiss most originals without reading them.
    """
    means = _tiled(images, side).mean(axis=(-4, -2), dtype=np.float64)
    return np.asarray(means.reshape(*images.shape[:-3], side * side * 3), np.float32)


def _tiled(images: NDArray[np.floating], tiles: int) -> NDArray[np.floating]:
    """(..., h, w, c) → (..., tiles, h/tiles, tiles, w/tiles, c), as (..., ty, y, tx, x, c)."""
    *front, height, width, channels = images.shape
    if height % tiles or width % tiles:
        raise ValueError(f"{height} × {width} can't be cut into {tiles} × {tiles} equal tiles")
    return images.reshape(*front, tiles, height // tiles, tiles, width // tiles, channels)


def tile_distances(images: NDArray[np.floating], tiles: int = 4) -> NDArray[np.float32]:
    """`tile_l2` of every pair: (n, h, w, 3) → symmetric (n, n) with zeros on the diagonal.

    One matrix product a tile, so memory is n² plus one tile of all images.
    """
    count = len(images)
    largest = np.zeros((count, count), np.float32)
    if count == 0:
        return largest
    tiled = _tiled(images, tiles)
    for row in range(tiles):
        for column in range(tiles):
            flat = np.ascontiguousarray(tiled[:, row, :, column]).reshape(count, -1).astype(np.float32)
            flat -= flat.mean(axis=0)  # distances do not change, rounding errors shrink
            norms = np.einsum("ij,ij->i", flat, flat)
            squared = (norms[:, None] + norms[None, :] - 2 * (flat @ flat.T)) / flat.shape[1]
            np.maximum(largest, squared, out=largest)
    np.fill_diagonal(largest, 0)
    largest = np.maximum(largest, largest.T)
    return np.asarray(np.sqrt(largest))
