"""Planted truth for the duplicate search: drawn pictures, light edits of them, and embeddings that agree with both."""

import hashlib
import io

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from scanner.fingerprints import perceptual_hash, thumbnail

Picture = NDArray[np.uint8]


def draw(number: int, side: int = 144) -> Picture:
    """Picture `number`: a dozen coloured shapes on white, different for every number."""
    rng = np.random.default_rng([number, 77])
    image = Image.new("RGB", (side, side * 3 // 4), "white")
    pen = ImageDraw.Draw(image)
    for shape in range(12):
        x, y = rng.uniform(0, 0.8, 2) * image.size
        width, height = rng.uniform(0.1, 0.45, 2) * image.size
        colour = tuple(int(value) for value in rng.integers(0, 230, 3))
        (pen.ellipse if shape % 2 else pen.rectangle)((x, y, x + width, y + height), fill=colour)
    return np.asarray(image)


def jpeg(picture: Picture, quality: int) -> Picture:
    file = io.BytesIO()
    Image.fromarray(picture).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def resized(picture: Picture, longest: int) -> Picture:
    image = Image.fromarray(picture)
    image.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    return np.asarray(image)


def brightened(picture: Picture, factor: float) -> Picture:
    return (picture.astype(float) * factor).round().clip(0, 255).astype(np.uint8)


def cropped(picture: Picture, share: float, top: float, left: float) -> Picture:
    """`share` of each side; `top` and `left` say where, 0 to 1."""
    height, width = (round(side * share) for side in picture.shape[:2])
    y, x = round((picture.shape[0] - height) * top), round((picture.shape[1] - width) * left)
    return picture[y : y + height, x : x + width]


def light_edits(picture: Picture) -> dict[str, Picture]:
    """The edits that a copy must survive."""
    return {
        "q75": jpeg(picture, 75),
        "q30": jpeg(picture, 30),
        "half": resized(picture, max(picture.shape) // 2),
        "64": resized(picture, 64),
        "brighter": brightened(picture, 1.2),
        "darker": brightened(picture, 0.8),
        "crop": cropped(picture, 0.9, 0.2, 0.7),
    }


def planes(*pictures: Picture) -> NDArray[np.uint8]:
    """(n, 3, 32, 32) thumbnails."""
    return np.stack([thumbnail(picture).transpose(2, 0, 1) for picture in pictures])


def samples(pictures: list[Picture], captions: list[str | None] | None = None) -> pl.DataFrame:
    """The columns of the samples table that the search reads; sample ids 10, 20, 30, ..."""
    return pl.DataFrame(
        {
            "sample_id": pl.Series(range(10, 10 * len(pictures) + 10, 10), dtype=pl.Int64),
            "pixel_sha256": [hashlib.sha256(repr(p.shape).encode() + p.tobytes()).hexdigest() for p in pictures],
            "phash": pl.Series([perceptual_hash(picture) for picture in pictures], dtype=pl.UInt64),
            "thumbnail": pl.Series([thumbnail(picture).tobytes() for picture in pictures], dtype=pl.Binary),
            "caption": pl.Series(captions or [None] * len(pictures), dtype=pl.String),
        }
    )


def embeddings(kinds: list[int], spread: float = 0.2, width: int = 64, seed: int = 0) -> NDArray[np.float16]:
    """(n, width): rows of one kind have a cosine of about 1 − spread², rows of two kinds about 0."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(max(kinds, default=0) + 1, width))
    rows = centres[kinds] + spread * rng.normal(size=(len(kinds), width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)
