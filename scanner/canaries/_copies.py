"""The rows that hold a canary: one file over and over, or lightly edited copies of it.

exact   every copy has the same bytes
light   the first copy as it is, every other one re-encoded (JPEG quality 60 to 90) and brought to 75 to 100 % of its
        size, as a re-upload is

>>> [copy.key for copy in copies_of(canary, Style(width=64, height=64, format="JPEG"), seed=0)]   # doctest: +SKIP
['canary-0-0000-000', 'canary-0-0000-001']
"""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from PIL import Image

from scanner.canaries._canaries import Canary

EDITS = ("exact", "light")
"""How the copies of one canary may differ."""
QUALITY = 95
"""JPEG quality of a canary's own file."""
_SUFFIXES = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp"}
_QUALITIES, _SCALES, _LEAST_SIDE = (75, 91), (0.75, 1.0), 64


@dataclass(frozen=True, kw_only=True)
class Style:
    """What a canary's file is like: as the data set's images are."""

    width: int
    """Pixels."""
    height: int
    """Pixels."""
    format: str
    """JPEG, PNG or WEBP (lossless)."""


@dataclass(frozen=True, kw_only=True)
class Copy:
    """One row to be written."""

    canary: Canary
    """What it shows."""
    key: str
    """Its key; no other row of any data set is likely to have it."""
    encoded: bytes
    """Its image file."""
    suffix: str
    """jpg, png or webp."""
    width: int
    """Pixels."""
    height: int
    """Pixels."""

    @property
    def sha256(self) -> str:
        """Of the image file, hex."""
        return hashlib.sha256(self.encoded).hexdigest()


def copies_of(canary: Canary, style: Style, seed: int, edits: str = "exact") -> Iterator[Copy]:
    """As many rows as the canary has copies."""
    whole = Image.fromarray(canary.picture(style.width, style.height))
    first, suffix = _encode(whole, style.format, QUALITY), _SUFFIXES[style.format]
    kind, _, number = canary.name.partition("-")
    for copy in range(canary.copies):
        key = f"{kind}-{seed}-{number}-{copy:03d}"
        if edits == "exact" or copy == 0:
            shown, encoded = whole, first
        else:
            shown, quality = _edited(whole, np.random.default_rng((*canary.drawing, copy)))
            encoded = _encode(shown, style.format, quality)
        width, height = shown.size
        yield Copy(canary=canary, key=key, encoded=encoded, suffix=suffix, width=width, height=height)


def _edited(whole: Image.Image, rng: np.random.Generator) -> tuple[Image.Image, int]:
    scale = max(rng.uniform(*_SCALES), min(1, _LEAST_SIDE / min(whole.size)))
    size = round(whole.width * scale), round(whole.height * scale)
    return whole.resize(size, Image.Resampling.LANCZOS), int(rng.integers(*_QUALITIES))


def _encode(picture: Image.Image, format: str, quality: int) -> bytes:
    file = io.BytesIO()
    if format == "JPEG":
        picture.save(file, format, quality=quality, subsampling=0)
    elif format == "WEBP":
        picture.save(file, format, lossless=True)
    else:
        picture.save(file, format)
    return file.getvalue()
