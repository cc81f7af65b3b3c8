"""All pairwise tile distances of many images: symmetric matrix products tile by tile, in little memory.

‖a − b‖² = ‖a‖² + ‖b‖² − 2 a·b, so the distances of n images follow from the product of the matrix of their pixels with
its own transpose, which BLAS makes with half the work (numpy asks it for a symmetric product). A tile is taken a few
rows of pixels at a time: that part of all images is made float32, centred and multiplied while it lies in the
processor's cache, and the parts are summed in float64.

    >>> pictures = np.random.default_rng(0).integers(0, 256, (5, 64, 64, 3), dtype=np.uint8)
    >>> tile_distances(pictures).shape
    (5, 5)
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from scanner.attack._distance import tile_slices

TOLERANCE = 5e-4
"""Most that a distance differs from `tile_l2` of the pair; measured, at most 2e-4. float32 rounds the squares, so it is
felt near zero alone: from 0.05 on, the least edge threshold in use, a distance is right to 5e-6."""
_PART_VALUES = 2048
"""Values of each image that are multiplied at once: 4 MB of 500 images stay in the cache, and few are summed in
float32."""


def tile_distances(images: NDArray[np.uint8] | NDArray[np.floating], tiles: int = 4) -> NDArray[np.float32]:
    """`tile_l2` of every pair, within `TOLERANCE`: (n, h, w, 3) → symmetric (n, n); equal images are exactly 0 apart.

    uint8 pixels are taken as they are, a fourth of the memory; floating-point pixels lie on [0, 1]. Beside the images
    it takes 40 n² bytes and a few MB (one row of one tile of all images, where that is more). A side that `tiles` does
    not divide is cut as in `tile_l2`, with its ValueError.
    """
    count = len(images)
    largest = np.zeros((count, count))
    if count == 0:
        return largest.astype(np.float32)
    for rows, columns in tile_slices(images.shape[1], images.shape[2], tiles):
        np.maximum(largest, _mean_squares(images[:, rows, columns]), out=largest)
    if images.dtype == np.uint8:
        largest /= 255**2
    largest[_equal(images, largest <= TOLERANCE**2)] = 0
    return np.sqrt(largest).astype(np.float32)


def _mean_squares(tile: NDArray[np.generic]) -> NDArray[np.float64]:
    """Mean squared difference of every pair: (n, h, w, 3) → (n, n), rounded below zero here and there."""
    count, height, width, channels = tile.shape
    product = np.zeros((count, count))
    rows = max(1, _PART_VALUES // (width * channels))
    for y in range(0, height, rows):
        part = tile[:, y : y + rows].astype(np.float32).reshape(count, -1)
        part -= part.mean(axis=0)  # distances do not change, rounding errors shrink
        product += part @ part.T
    norms = product.diagonal()
    return np.asarray((norms[:, None] + norms[None, :] - 2 * product) / (height * width * channels))


def _equal(images: NDArray[np.generic], near: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Which of the `near` pairs (the diagonal among them) are equal in every value: by their sha-256."""
    digests = np.zeros(len(images), "S32")
    for i in np.flatnonzero(near.sum(axis=1) > 1):
        digests[i] = hashlib.sha256(np.ascontiguousarray(images[i]).data).digest()
    return np.asarray((near & (digests[:, None] == digests[None, :])) | np.eye(len(images), dtype=bool))
