"""Two hashes of a picture: one that is equal for equal pixels only, one that is close for pictures that look alike.

`perceptual_hash` is the DCT hash of pHash (Zauner 2010, *Implementation and Benchmarking of Perceptual Image Hash
Functions*, https://www.phash.org/docs/pubs/thesis_zauner.pdf), in the common form with the 8 × 8 lowest frequencies:

1. area-average the picture to 32 × 32 points, luminance 0.299 R + 0.587 G + 0.114 B;
2. take the two-dimensional DCT-II (unscaled), frequencies 0 to 7 in both directions, rounded to 0.001;
3. a bit is 1 where the coefficient is above the median of the 63 that are not the mean brightness (the DC term). That
   one is far larger than the others and would pull the median;
4. bits row by row, vertical frequency first, the DC term's as the most significant.

Rounding makes coefficients that are 0 but for rounding noise equal 0, so that flat and mirror-symmetric pictures
have the same hash on every machine.

    >>> perceptual_hash(np.zeros((48, 64, 3), np.uint8))
    0
"""

import hashlib

import numpy as np
from numpy.typing import NDArray

from scanner.fingerprints._thumbnail import SIDE, thumbnail

_LUMINANCE = np.array([0.299, 0.587, 0.114])
_LOW = 8
_DCT = np.cos(np.pi * np.outer(np.arange(_LOW), 2 * np.arange(SIDE) + 1) / (2 * SIDE))


def pixel_sha256(picture: NDArray[np.uint8]) -> str:
    """sha-256 (hex) over height and width (uint32, little-endian) and the RGB bytes, row by row."""
    height, width, _ = picture.shape
    digest = hashlib.sha256(np.array([height, width], dtype="<u4").tobytes())
    digest.update(np.ascontiguousarray(picture).data)
    return digest.hexdigest()


def perceptual_hash(picture: NDArray[np.uint8]) -> int:
    """64-bit DCT hash of a picture (uint8, height × width × 3, RGB), 0 to 2⁶⁴ − 1.

    Compare two by the number of differing bits: up to 8 for the same picture re-encoded or resized. A picture and its
    thumbnail have the same hash.
    """
    luminance = thumbnail(picture) @ _LUMINANCE
    frequencies = np.round(_DCT @ luminance @ _DCT.T, 3).ravel()
    bits = frequencies > np.median(frequencies[1:])
    return int.from_bytes(np.packbits(bits).tobytes(), "big")
