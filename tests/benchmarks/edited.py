"""Picture sets and the 14 edits that the benchmarks of duplicate search use; everything follows from a seed.

    >>> rows = edited_set(photo_like(120), ALL, seed=0)  # doctest: +SKIP

A set is a list of RGB pictures, each another picture; `edited_set` adds their copies, so which rows belong together is
known. `look_alikes` are pictures that resemble each other and are *not* copies.
"""

import io
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from scanner.demo import demo_pictures
from tests.benchmarks._look_alikes import look_alikes
from tests.benchmarks._scenes import scene

__all__ = [
    "ALL",
    "DISTINCT",
    "EDITS",
    "LIGHT",
    "EditedRow",
    "clip_art",
    "edited_set",
    "jpeg",
    "look_alikes",
    "photo_like",
]

REDRAWN = frozenset({76, 364, 365, 486, 696, 710, 730, 731, 1229})
"""Pictures that ship and are another one mirrored (left and right hand) or in another colour (red and green telephone).

Found by brute force over grey thumbnails and their mirror images, and the two corner ornaments by the merges of the
tools compared; all judged by eye. The outlines that openclipart files as "... in black and white" are the same kind. A
grey or mirrored copy of one is as much a copy of the other."""
DISTINCT = 1_076
"""Pictures that ship and are in no family, nor another one redrawn."""
Pixels = NDArray[np.uint8]
Edit = Callable[[Pixels, np.random.Generator], Pixels]


def jpeg(pixels: Pixels, quality: int) -> bytes:
    """The picture as a JPEG file, with full chroma from quality 90 on."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality, subsampling=0 if quality >= 90 else 2)
    return file.getvalue()


def _reencoded(quality: int) -> Edit:
    return lambda pixels, _: np.asarray(Image.open(io.BytesIO(jpeg(pixels, quality))))


def _resized(pixels: Pixels, scale: float) -> Pixels:
    height, width = pixels.shape[:2]
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.asarray(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def _cropped(share: float) -> Edit:
    """That share of each side, from anywhere."""

    def crop(pixels: Pixels, rng: np.random.Generator) -> Pixels:
        height, width = (max(1, round(side * share)) for side in pixels.shape[:2])
        top, left = (
            int(rng.integers(0, side - kept + 1)) for side, kept in zip(pixels.shape[:2], (height, width), strict=True)
        )
        return pixels[top : top + height, left : left + width].copy()

    return crop


def _edge_colour(pixels: Pixels) -> tuple[int, ...]:
    edge = np.concatenate([pixels[0], pixels[-1], pixels[:, 0], pixels[:, -1]])
    return tuple(int(value) for value in np.median(edge, axis=0))


def _brighter(pixels: Pixels, _: np.random.Generator) -> Pixels:
    return np.clip(pixels * 1.2, 0, 255).round().astype(np.uint8)


def _rotated(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Turned by 10 degrees either way on a canvas of the same size; what comes in is white or the edge's colour."""
    fill = (255, 255, 255) if rng.integers(2) else _edge_colour(pixels)
    angle = 10 if rng.integers(2) else -10
    return np.asarray(Image.fromarray(pixels).rotate(angle, Image.Resampling.BICUBIC, fillcolor=fill))


def _framed(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """A plain frame of a tenth of the longest side on every side: black, white or any colour."""
    margin = max(1, round(0.1 * max(pixels.shape[:2])))
    colour = [np.zeros(3), np.full(3, 255), rng.integers(0, 256, 3)][rng.integers(3)]
    framed = np.empty((pixels.shape[0] + 2 * margin, pixels.shape[1] + 2 * margin, 3), np.uint8)
    framed[:] = colour
    framed[margin:-margin, margin:-margin] = pixels
    return framed


def _grey(pixels: Pixels, _: np.random.Generator) -> Pixels:
    return np.asarray(Image.fromarray(pixels).convert("L").convert("RGB"))


def _watermarked(pixels: Pixels, rng: np.random.Generator) -> Pixels:
    """Half-transparent words from edge to edge across the picture, somewhere between a quarter and three quarters."""
    height, width = pixels.shape[:2]
    text = ["SAMPLE PHOTO", "stock images", "preview only", "(c) example.org"][rng.integers(4)]
    unit = ImageFont.load_default(100).getlength(text) / 100
    font = ImageFont.load_default(max(8.0, 0.85 * width / unit))
    layer = Image.new("L", (width, height))
    at = (width / 2, height * rng.uniform(0.25, 0.75))
    ImageDraw.Draw(layer).text(at, text, fill=round(255 * rng.uniform(0.4, 0.6)), font=font, anchor="mm")
    ink = Image.new("RGB", (width, height), "white" if rng.integers(2) else "black")
    return np.asarray(Image.composite(ink, Image.fromarray(pixels), layer))


def _blurred(pixels: Pixels, _: np.random.Generator) -> Pixels:
    return np.asarray(Image.fromarray(pixels).filter(ImageFilter.GaussianBlur(0.015 * max(pixels.shape[:2]))))


EDITS: dict[str, Edit] = {
    "jpeg75": _reencoded(75),
    "jpeg30": _reencoded(30),
    "half": lambda pixels, _: _resized(pixels, 0.5),
    "px64": lambda pixels, _: _resized(pixels, 64 / max(pixels.shape[:2])),
    "brighter": _brighter,
    "crop90": _cropped(0.9),
    "crop80": _cropped(0.8),
    "crop60": _cropped(0.6),
    "mirror": lambda pixels, _: pixels[:, ::-1].copy(),
    "rotate10": _rotated,
    "border": _framed,
    "grey": _grey,
    "watermark": _watermarked,
    "blur": _blurred,
}
"""What each edit makes of a picture `(height, width, 3)`; the generator decides what the edit leaves open."""
LIGHT = ("jpeg75", "jpeg30", "half", "px64", "brighter", "crop90")
ALL = tuple(EDITS)


class EditedRow(NamedTuple):
    """One picture of an edited set."""

    picture: int
    """Number of the original in the list it came from; rows with the same number belong together."""
    edit: str
    """`original`, or the edit's name."""
    pixels: Pixels
    """uint8 `(height, width, 3)`."""


def edited_set(pictures: Sequence[Pixels], edits: Sequence[str], seed: int) -> list[EditedRow]:
    """Every picture followed by one copy of it per edit; a copy depends on seed, picture number and edit only."""
    rows = []
    for number, pixels in enumerate(pictures):
        rows.append(EditedRow(number, "original", pixels))
        for edit in edits:
            rng = np.random.default_rng([seed, number, ALL.index(edit)])
            rows.append(EditedRow(number, edit, EDITS[edit](pixels, rng)))
    return rows


def clip_art(count: int, seed: int = 0) -> list[Pixels]:
    """That many pictures of those that ship, longest side 128 to 160, in random order.

    The `DISTINCT` come first; then the rest, where two pictures may be one drawing mirrored or in other colours.
    """
    pictures = demo_pictures()
    assert count <= pictures.height, f"{pictures.height} pictures ship"
    outline = pl.col("caption").str.contains("in black and white")
    alike = pl.col("family").is_not_null() | outline | pl.col("picture").is_in(list(REDRAWN))
    shuffled = np.random.default_rng(seed).permutation(pictures.height)
    last = pictures.select(alike).to_series().to_numpy()[shuffled]
    assert np.count_nonzero(~last) == DISTINCT
    chosen = shuffled[np.argsort(last, kind="stable")][:count]
    return [np.asarray(Image.open(io.BytesIO(pictures["webp"][int(row)])).convert("RGB")) for row in chosen]


def photo_like(count: int, seed: int = 0) -> list[Pixels]:
    """That many made scenes with the statistics of photographs, 200 to 320 pixels, as JPEG of quality 95 gives them."""
    pictures = (scene(np.random.default_rng([seed, number]), number) for number in range(count))
    return [np.asarray(Image.open(io.BytesIO(jpeg(pixels, 95)))) for pixels in pictures]
