"""The pictures that the page shows, decoded and encoded again, so that no byte of a stranger's file reaches a browser.

of a pair:  original, compared (as the model saw it), made/INDEX, difference/INDEX
of a group: member/SAMPLE, apart/SAMPLE (how it differs from the medoid)
"""

import io
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, replace
from threading import Lock
from typing import Any

import numpy as np
from PIL import Image

from scanner.review import MadeImages, Original, Pictures, difference
from scanner.run import Run

LONGEST_SIDE = 1024
"""Of an original as it is shown, pixels."""
MEMBER_SIDE = 512
"""Of a group's member, pixels."""
APART_SIDE = 256
"""Of a difference of two members, which need not be of one size, pixels."""
KEPT = 48
"""Originals that are kept decoded."""


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A picture for the page."""

    content: bytes | None
    """PNG; None where there is nothing to show."""
    state: str
    """That of the original (see `scanner.review.Original`), or of a generation: as_generated, not_stored."""
    sentence: str
    """What is to be said of it; empty where nothing is."""


class PictureDesk:
    """Gives pictures by name; several threads may ask."""

    def __init__(self, run: Run, made: MadeImages) -> None:
        self._pictures = Pictures(run, made)
        self._kept: OrderedDict[int, Original] = OrderedDict()
        self._lock = Lock()

    @property
    def compares(self) -> bool:
        """Whether generations and originals can be laid on one another: the attack has recorded the transform."""
        return self._pictures.transform is not None

    def __call__(self, item: Mapping[str, Any], name: str, number: int | None, *, mirrored: bool) -> Shown:
        """A picture of an item; `mirrored` turns an original left to right, alone and in a difference."""
        if name in ("original", "compared"):
            return self._original_of(item, mirrored=mirrored, as_compared=name == "compared")
        if number is not None and name in ("made", "difference"):
            return (
                self._difference(item, number, mirrored=mirrored) if name == "difference" else self._made(item, number)
            )
        if number is not None and name in ("member", "apart"):
            return self._apart(item["sample_id"], number) if name == "apart" else self._member(number)
        return Shown(content=None, state="gone", sentence="There is no such picture.")

    def _original_of(self, item: Mapping[str, Any], *, mirrored: bool, as_compared: bool) -> Shown:
        if item["sample_id"] is None:
            return Shown(content=None, state="gone", sentence="No original is known of this image.")
        found = self._original(item["sample_id"])
        if not as_compared or found.pixels is None:
            return _shown(found, LONGEST_SIDE, mirrored=mirrored)
        compared = self._pictures.as_compared(found.pixels)
        if compared is None:
            said = "The run does not say how the model saw its training images; this is the original as it is."
            return replace(_shown(found, LONGEST_SIDE, mirrored=mirrored), sentence=said)
        return Shown(content=_png(_turned(compared, mirrored=mirrored)), state=found.state, sentence="")

    def _made(self, item: Mapping[str, Any], number: int) -> Shown:
        pixels = self._pictures.generation(item["prompt_id"], number)
        if pixels is None:
            return Shown(content=None, state="not_stored", sentence="This generation is not stored in the run.")
        return Shown(content=_png(_small(pixels, LONGEST_SIDE)), state="as_generated", sentence="")

    def _difference(self, item: Mapping[str, Any], number: int, *, mirrored: bool) -> Shown:
        found = self._original(item["sample_id"]) if item["sample_id"] is not None else None
        made = self._pictures.generation(item["prompt_id"], number)
        if found is None or found.pixels is None or made is None:
            missing = "generation is not stored" if made is None else "original can't be had"
            return Shown(content=None, state="gone", sentence=f"No difference to show: the {missing}.")
        compared = self._pictures.as_compared(found.pixels)
        apart = None if compared is None else difference(made, _turned(compared, mirrored=mirrored))
        if apart is None:
            sentence = "No difference to show: the run does not say how the original was laid on an image of this size."
            return Shown(content=None, state="gone", sentence=sentence)
        return Shown(content=_png(_small(apart, LONGEST_SIDE)), state=found.state, sentence="")

    def _member(self, sample_id: int) -> Shown:
        return _shown(self._original(sample_id), MEMBER_SIDE, mirrored=False)

    def _apart(self, medoid: int | None, sample_id: int) -> Shown:
        if medoid is None:
            return Shown(content=None, state="gone", sentence="No difference to show: the group has no medoid.")
        both = [self._original(sample) for sample in (sample_id, medoid)]
        squares = [_square(one.pixels if one.pixels is not None else one.thumbnail) for one in both]
        if squares[0] is None or squares[1] is None:
            return Shown(content=None, state="gone", sentence="No difference to show: a picture can't be had.")
        worst = next((one for one in both if one.pixels is None), both[0])
        apart = difference(squares[0], squares[1])
        assert apart is not None
        return Shown(content=_png(apart), state=worst.state, sentence=worst.sentence)

    def _original(self, sample_id: int) -> Original:
        with self._lock:
            if sample_id in self._kept:
                self._kept.move_to_end(sample_id)
                return self._kept[sample_id]
        found = self._pictures.original(sample_id)
        with self._lock:
            self._kept[sample_id] = found
            while len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return found


def _shown(found: Original, side: int, *, mirrored: bool) -> Shown:
    """An original, or its thumbnail where it can't be had; the sentence says so."""
    if found.pixels is not None:
        content = _png(_turned(_small(found.pixels, side), mirrored=mirrored))
        return Shown(content=content, state=found.state, sentence=found.sentence)
    if found.thumbnail is None:
        return Shown(content=None, state=found.state, sentence=found.sentence)
    content = _png(_turned(found.thumbnail, mirrored=mirrored))
    return Shown(content=content, state=found.state, sentence=f"{found.sentence} Shown is its 32 × 32 thumbnail.")


def _turned(pixels: Any, *, mirrored: bool) -> Any:
    return pixels[:, ::-1] if mirrored else pixels


def _small(pixels: Any, side: int) -> Any:
    """The picture, made smaller where its longest side exceeds `side`."""
    if max(pixels.shape[:2]) <= side:
        return pixels
    image = Image.fromarray(pixels)
    image.thumbnail((side, side), Image.Resampling.LANCZOS)
    return np.asarray(image)


def _square(pixels: Any) -> Any:
    if pixels is None:
        return None
    return np.asarray(Image.fromarray(pixels).resize((APART_SIDE, APART_SIDE), Image.Resampling.BOX))


def _png(pixels: Any) -> bytes:
    file = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(pixels)).save(file, "PNG", compress_level=1)
    return file.getvalue()
