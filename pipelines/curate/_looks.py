"""The picture itself: shrunk on white, its ink and contrast, and whether it is like another one.

>>> ink_and_contrast(Image.new("RGB", (80, 80), "white"))
(0.0, 0.0)
"""

import io
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy.fft import dctn

LONGEST_SIDE = (128, 160)
"""Pixels; each picture's own value between the two comes from a checksum of its path."""
WEBP_QUALITY = 82
SMALLEST_SOURCE = 80
"""Pixels of the longest side below which a picture of the package is an icon, not a picture."""
WIDEST = 3.2
"""Largest ratio of the two sides: a longer strip is mostly padding in a square."""
NEAR_LOOK = 0.08
"""Mean absolute difference of 32 × 32 thumbnails (at mean 0, deviation 0.25) of near-duplicates, at most."""
NEAR_BOTH = (0.16, 6)
"""The same difference and the Hamming distance of 64-bit perceptual hashes, which are enough together."""


@dataclass(frozen=True, kw_only=True)
class Look:
    """What near-duplicates are told by."""

    thumbnail: NDArray[np.float32]
    """3,072 values at mean 0, deviation 0.25."""
    grey: NDArray[np.float32]
    """1,024 values at mean 0, deviation 0.25."""
    phash: NDArray[np.bool_]
    """64 bits."""


def square(image: Image.Image, side: int) -> Image.Image:
    """The picture centred on a white square, then resized to `side` × `side` pixels (Lanczos), as RGB."""
    longest = max(image.size)
    whole = Image.new("RGB", (longest, longest), "white")
    whole.paste(image, ((longest - image.width) // 2, (longest - image.height) // 2))
    return whole.resize((side, side), Image.Resampling.LANCZOS)


def picture(path: Path, name: str) -> Image.Image | None:
    """The source on white, shrunk to its own longest side; None where it is too small or too long."""
    with Image.open(path) as image:
        width, height = image.size
        if max(width, height) < SMALLEST_SOURCE or max(width / height, height / width) > WIDEST:
            return None
        whole = image.convert("RGBA")
    low, high = LONGEST_SIDE
    longest = low + zlib.crc32(name.encode()) % (high - low + 1)
    scale = longest / max(width, height)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    # with premultiplied alpha, or the colours of fully transparent pixels would bleed into the edges
    small = whole.convert("RGBa").resize(size, Image.Resampling.LANCZOS).convert("RGBA")
    white = Image.new("RGBA", size, "white")
    white.alpha_composite(small)
    return white.convert("RGB")


def webp(image: Image.Image) -> bytes:
    """The picture as it ships."""
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=WEBP_QUALITY, method=6)
    return buffer.getvalue()


def ink_and_contrast(image: Image.Image) -> tuple[float, float]:
    """Share of the 64-pixel square that is not nearly white, and its standard deviation, both 0 to 1."""
    values = np.asarray(square(image, 64), dtype=np.float32) / 255
    return float((values.min(axis=2) < 0.85).mean()), float(values.std())


def look(image: Image.Image) -> Look:
    """Thumbnails and perceptual hash of a picture padded to a white square."""
    small = square(image, 32)
    grey = np.asarray(small.convert("L"), dtype=np.float64)
    waves = dctn(grey)[:8, :8].reshape(-1)
    return Look(thumbnail=_levelled(np.asarray(small)), grey=_levelled(grey), phash=waves > np.median(waves[1:]))


def _levelled(values: NDArray[Any]) -> NDArray[np.float32]:
    """All values in one row at mean 0, deviation 0.25; of a flat picture, zeros."""
    flat = values.reshape(-1).astype(np.float64)
    levelled: NDArray[np.float32] = ((flat - flat.mean()) / max(float(flat.std()), 1e-6) * 0.25).astype(np.float32)
    return levelled


def near(one: Look, thumbnails: NDArray[np.float32], hashes: NDArray[np.bool_]) -> bool:
    """Whether the picture is a near-duplicate of any of the (n, 3072) thumbnails and (n, 64) hashes."""
    difference = np.abs(thumbnails - one.thumbnail).mean(axis=1)
    both = (difference <= NEAR_BOTH[0]) & ((hashes != one.phash).sum(axis=1) <= NEAR_BOTH[1])
    return bool((both | (difference <= NEAR_LOOK)).any())


def nearest(greys: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mean absolute difference of each of the (n, 1024) grey thumbnails to the one most like it."""
    found = np.zeros(len(greys), dtype=np.float32)
    for turn, grey in enumerate(greys):
        difference = np.abs(greys - grey).mean(axis=1)
        difference[turn] = np.inf
        found[turn] = difference.min()
    return found
