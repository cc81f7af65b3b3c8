"""The pictures of a review: an original as it lies in the data set now, and how a generation differs from it.

An original is only shown as what was audited when its pixels are still those; one that is gone, has changed or can't be
decoded says so, and its 32 × 32 thumbnail in the samples table is what is left.

    >>> pictures = Pictures(run, MadeImages(run))                                # doctest: +SKIP
    >>> pictures.original(17).state                                              # doctest: +SKIP
    'as_audited'
"""

from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.fingerprints import pixel_sha256
from scanner.images import image_places, images_of
from scanner.review._made import MadeImages
from scanner.run import Run
from scanner.samples import Undecodable, decode
from scanner.tables import SAMPLES
from scanner.targets import Transform

THUMBNAIL_SIDE = 32
AMPLIFIED = 3
"""How much brighter a difference is shown than it is."""

Pixels = NDArray[np.uint8]
"""(height, width, 3) RGB."""


@dataclass(frozen=True, kw_only=True)
class Original:
    """An image of the data set, as far as it can still be had."""

    state: str
    """as_audited, changed, undecodable, gone, or none (the data set holds only its embedding)."""
    sentence: str
    """What is wrong with it; empty where nothing is."""
    pixels: Pixels | None
    """The picture that was audited; None where it can't be had."""
    thumbnail: Pixels | None
    """What the run itself holds of it, 32 × 32; None where no picture was read."""


class Pictures:
    """The pictures of a run; several threads may ask."""

    def __init__(self, run: Run, made: MadeImages) -> None:
        self._run, self._images, self._made = run, images_of(run), made
        stored = (run.part_config("attack") or {}).get("transform")
        self.transform = None if stored is None else Transform(**stored)
        """The target's training transform; None where no attack has recorded it."""

    def original(self, sample_id: int) -> Original:
        """An original, checked against its hash of pixels."""
        row = SAMPLES.scan(self._run.path).filter(pl.col("sample_id") == sample_id).select("thumbnail").collect()
        thumbnail = _thumbnail(row.item()) if row.height else None
        state, sentence, pixels = self._look_up(sample_id)
        return Original(state=state, sentence=sentence, pixels=pixels, thumbnail=thumbnail)

    def _look_up(self, sample_id: int) -> tuple[str, str, Pixels | None]:
        place = image_places(self._run).filter(pl.col("sample_id") == sample_id)
        found = place.select("pixel_sha256", "file", "offset", "length").collect()
        if found.is_empty():
            return "gone", f"The run has no sample {sample_id}.", None
        digest, file, offset, length = found.row(0)
        if file is None:
            return "none", "The data set holds an embedding of this row, but no picture.", None
        try:
            encoded = self._images(file, offset, length)
        except Undecodable as error:
            return "gone", f"The original is gone: {error.message}", None
        try:
            pixels = decode(encoded)
        except Undecodable as error:
            return "undecodable", f"What lies at the original's place can't be decoded: {error.message}", None
        if digest is not None and pixel_sha256(pixels) != digest:
            return "changed", "What lies at the original's place now is another picture than the one audited.", None
        return "as_audited", "", pixels

    def generation(self, prompt_id: str | None, image_index: int) -> Pixels | None:
        """A generated image; without a prompt one of a model that takes none. None where it is not stored, or can't be
        decoded."""
        png = self._made.png(prompt_id, image_index)
        try:
            return None if png is None else decode(png)
        except Undecodable:
            return None

    def as_compared(self, original: Pixels) -> Pixels | None:
        """An original as the attack compared it: by the target's training transform. None where that is not known."""
        compared: Pixels | None = None if self.transform is None else self.transform(original)
        return compared


def difference(one: Pixels, other: Pixels) -> Pixels | None:
    """|one − other| of every colour, AMPLIFIED times as bright (black: equal); None where their sizes differ."""
    if one.shape != other.shape:
        return None
    apart = np.abs(one.astype(np.int16) - other.astype(np.int16))
    brighter: Pixels = np.minimum(apart * AMPLIFIED, 255).astype(np.uint8)
    return brighter


def _thumbnail(stored: bytes | None) -> Pixels | None:
    if stored is None:
        return None
    return np.frombuffer(stored, np.uint8).reshape(THUMBNAIL_SIDE, THUMBNAIL_SIDE, 3)
