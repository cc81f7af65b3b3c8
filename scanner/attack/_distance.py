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
    """The largest `l2` over tiles × tiles pairs of corresponding tiles; broadcasts; 0 to 1.

    A side that `tiles` does not divide is spread as evenly as whole pixels allow, the first tiles being one larger (the
    paper's images divide). Raises ValueError for a side of fewer pixels than tiles.
    """
    cut = tile_slices(a.shape[-3], a.shape[-2], tiles)
    return np.asarray(np.max([l2(a[..., y, x, :], b[..., y, x, :]) for y, x in cut], axis=0))


def block_means(images: NDArray[np.floating], side: int = 16) -> NDArray[np.float32]:
    """Means of side × side blocks: (..., h, w, 3) → (..., side · side · 3).

    The l2 of block means is a lower bound of the l2 of the images (a mean of squares is at least the square of the
    mean), which lets a search dismiss most originals without reading them. That needs blocks of equal size: raises
    ValueError where `side` does not divide both sides.
    """
    *front, height, width, channels = images.shape
    if height % side or width % side:
        raise ValueError(f"{height} × {width} can't be cut into {side} × {side} equal blocks")
    blocks = images.reshape(*front, side, height // side, side, width // side, channels)
    means = blocks.mean(axis=(-4, -2), dtype=np.float64)
    return np.asarray(means.reshape(*front, side * side * channels), np.float32)


def tile_slices(height: int, width: int, tiles: int) -> list[tuple[slice, slice]]:
    """Rows and columns of each tile, as `np.array_split` would cut them; raises ValueError as `tile_l2` says."""
    if min(height, width) < tiles:
        raise ValueError(f"{height} × {width} can't be cut into {tiles} × {tiles} tiles; give images of more pixels")
    return [(rows, columns) for rows in _spread(height, tiles) for columns in _spread(width, tiles)]


def _spread(pixels: int, parts: int) -> list[slice]:
    least, larger = divmod(pixels, parts)
    ends = np.cumsum([least + (part < larger) for part in range(parts)])
    return [slice(int(end) - least - (part < larger), int(end)) for part, end in enumerate(ends)]
