"""Templates: one layout, many pictures that differ in one region, all under one caption.

What Webster 2023 (https://arxiv.org/abs/2305.08694) calls template verbatims: a model gives the layout back, and what
it paints into the region is its own. A variant is a picture of the data set with a panel on it, whose colour and bars,
as of lettering, are the variant's own; the panel's place is the layout's.

    >>> [variant.caption for variant in variants(a_mug, 3, numpy_generator(0, "template 0"))]  # doctest: +SKIP
    ['a mug', 'a mug', 'a mug']
"""

import dataclasses
import io

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scanner.samples import Sample, decode

SIDES = (0.35, 0.5)
"""Sides of the panel, in sides of the picture: it covers 12 to 25 % of it."""
ROWS = 3
"""Rows of bars on a panel."""


def variants(layout: Sample, count: int, rng: np.random.Generator) -> list[Sample]:
    """`count` pictures (PNG) of one template, with the layout's caption. Raises Undecodable."""
    picture = _on_white(decode(layout.encoded or b""))
    height, width = picture.shape[:2]
    sides = (rng.uniform(*SIDES, 2) * (height, width)).round().astype(int)
    top, left = (int(rng.integers(0, whole - side + 1)) for whole, side in zip((height, width), sides, strict=True))
    panel = (slice(top, top + int(sides[0])), slice(left, left + int(sides[1])))
    return [dataclasses.replace(layout, encoded=_painted(picture, panel, rng)) for _ in range(count)]


def _on_white(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """(side, side, 3), the picture in the middle: as the lab's targets see it."""
    height, width = picture.shape[:2]
    side = max(height, width)
    square = np.full((side, side, 3), 255, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = picture
    return square


def _painted(picture: NDArray[np.uint8], panel: tuple[slice, slice], rng: np.random.Generator) -> bytes:
    painted = picture.copy()
    ground = rng.integers(0, 256, 3)
    painted[panel] = ground
    inside = painted[panel]  # a view
    height, width = inside.shape[:2]
    for row in range(ROWS):
        top = round((row + 0.3) * height / ROWS)
        left, right = np.sort(rng.integers(0, width + 1, 2))
        inside[top : top + max(1, round(0.4 * height / ROWS)), left:right] = (ground + 128) % 256
    stored = io.BytesIO()
    Image.fromarray(painted).save(stored, "PNG")
    return stored.getvalue()
