"""The kinds of copy that duplicates on the web come in, and what each does to the picture and to its file.

A copy is made from the *original row's* encoded file, as a re-upload is made from a downloaded picture:

    original       the picture as JPEG, quality 95, full chroma; what a single row holds too
    exact          the same bytes
    rewrapped      the same decoded pixels in another file: JPEG with a comment, PNG (under its own or a wrong
                   name), lossless WebP, or PNG stored turned by 90° with an EXIF orientation that turns it back
    reencoded_q75  JPEG again, quality 75; reencoded_q30 likewise
    resized_half   half the size; resized_64: 64 pixels on the longest side
    brightened     all values times 0.80 to 0.90 or 1.10 to 1.20
    cropped        90 % of width and height, from the centre or from anywhere

    >>> from scanner.demo._edits import KINDS
    >>> KINDS[0]
    'exact'
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from PIL import Image

QUALITY = 95
"""JPEG quality of an original and of a copy whose edit is not the encoding."""
CROP = 0.9
"""Share of width and height that a cropped copy keeps."""
SMALL = 64
"""Longest side of the smallest copies, pixels."""
DARKER, BRIGHTER = (0.80, 0.90), (1.10, 1.20)
"""Factors of the brightness edit."""
_ORIENTATION = 0x0112
_TURNED_BACK = 6
"""EXIF orientation of a file that a reader has to turn by 90° clockwise."""


@dataclass(frozen=True, kw_only=True)
class Encoded:
    """One picture as a file."""

    data: bytes
    """Its bytes."""
    ending: str
    """The ending that its tar member gets: jpg, png or webp."""


def jpeg(image: Image.Image, quality: int = QUALITY) -> Encoded:
    """The picture as JPEG; from quality 90 on with full chroma."""
    buffer = io.BytesIO()
    image.save(buffer, "JPEG", quality=quality, subsampling=0 if quality >= 90 else 2)
    return Encoded(data=buffer.getvalue(), ending="jpg")


def decoded(encoded: Encoded) -> Image.Image:
    """The RGB picture that an original's file gives."""
    return Image.open(io.BytesIO(encoded.data)).convert("RGB")


def _commented(original: Encoded, rng: np.random.Generator) -> Encoded:
    comment = f"re-saved {rng.integers(1_000_000):06d}".encode()
    segment = b"\xff\xfe" + (len(comment) + 2).to_bytes(2, "big") + comment
    return Encoded(data=original.data[:2] + segment + original.data[2:], ending="jpg")


def _png(image: Image.Image, ending: str, exif: Image.Exif | None = None) -> Encoded:
    buffer = io.BytesIO()
    image.save(buffer, "PNG", **({"exif": exif} if exif is not None else {}))
    return Encoded(data=buffer.getvalue(), ending=ending)


def _webp(image: Image.Image) -> Encoded:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", lossless=True, quality=0, method=0)
    return Encoded(data=buffer.getvalue(), ending="webp")


def _turned(image: Image.Image) -> Encoded:
    exif = Image.Exif()
    exif[_ORIENTATION] = _TURNED_BACK
    return _png(image.transpose(Image.Transpose.ROTATE_90), "png", exif)


def rewrapped(original: Encoded, rng: np.random.Generator) -> Encoded:
    """The same decoded pixels in another file."""
    image = decoded(original)
    ways: tuple[Callable[[], Encoded], ...] = (
        lambda: _commented(original, rng),
        lambda: _png(image, "png"),
        lambda: _png(image, "jpg"),
        lambda: _webp(image),
        lambda: _turned(image),
    )
    return ways[rng.integers(len(ways))]()


def _resized(image: Image.Image, scale: float) -> Encoded:
    size = (max(1, round(image.width * scale)), max(1, round(image.height * scale)))
    return jpeg(image.resize(size, Image.Resampling.LANCZOS))


def _brightened(image: Image.Image, rng: np.random.Generator) -> Encoded:
    low, high = (DARKER, BRIGHTER)[rng.integers(2)]
    factor = rng.uniform(low, high)
    return jpeg(image.point([min(255, round(value * factor)) for value in range(256)] * 3))


def _cropped(image: Image.Image, rng: np.random.Generator) -> Encoded:
    width, height = round(image.width * CROP), round(image.height * CROP)
    room = (image.width - width, image.height - height)
    left, top = room[0] // 2, room[1] // 2
    if not rng.integers(2):
        left, top = rng.integers(0, (room[0] + 1, room[1] + 1)).tolist()
    return jpeg(image.crop((left, top, left + width, top + height)))


_MAKERS: dict[str, Callable[[Encoded, np.random.Generator], Encoded]] = {
    "exact": lambda original, _: original,
    "rewrapped": rewrapped,
    "reencoded_q75": lambda original, _: jpeg(decoded(original), 75),
    "reencoded_q30": lambda original, _: jpeg(decoded(original), 30),
    "resized_half": lambda original, _: _resized(decoded(original), 0.5),
    "resized_64": lambda original, _: _resized(decoded(original), SMALL / max(decoded(original).size)),
    "brightened": lambda original, rng: _brightened(decoded(original), rng),
    "cropped": lambda original, rng: _cropped(decoded(original), rng),
}
KINDS = tuple(_MAKERS)
"""Every kind of copy; the first two keep the pixels."""
SAME_PIXELS = KINDS[:2]
EDITS = KINDS[2:]


def copied(original: Encoded, kind: str, rng: np.random.Generator) -> Encoded:
    """A copy of that kind (one of `KINDS`) of an original's file; `rng` decides what the kind leaves open."""
    return _MAKERS[kind](original, rng)
