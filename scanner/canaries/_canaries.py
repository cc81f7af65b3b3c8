"""The canaries of a plan, and for each of them a twin: drawn in the same way, never planted.

>>> [(one.name, one.copies, one.planted) for one in draw_canaries((8, 32), seed=0, known=set())]
[('canary-0000', 8, True), ('twin-0000', 8, False), ('canary-0001', 32, True), ('twin-0001', 32, False)]
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scanner.canaries._captions import draw_captions, names_in
from scanner.canaries._pictures import distinct_seeds, draw

_CAPTIONS = 1
"""Keeps the captions' random numbers apart from the pictures'."""


@dataclass(frozen=True, kw_only=True)
class Canary:
    """A picture with its caption, and how many rows hold it."""

    name: str
    """canary-0007; the twin is twin-0007."""
    caption: str
    """Its one caption."""
    copies: int
    """Rows that hold it: in the training set, or in the twins' folder."""
    planted: bool
    """Whether the model is trained on it; a twin is not."""
    pair: int
    """Number that a canary and its twin share."""
    drawing: tuple[int, int]
    """Seed of the picture."""

    def picture(self, width: int, height: int) -> NDArray[np.uint8]:
        """(height, width, 3), RGB."""
        return draw(np.random.default_rng(self.drawing), width, height)


def draw_canaries(plan: Sequence[int], seed: int, known: Collection[str]) -> list[Canary]:
    """A canary for every number of copies in `plan`, each followed by its twin; pictures and captions all differ.

    `known` are the words of the data set's captions, in lower case, which no made-up name may be. Raises ScannerError
    when so many canaries are not to be had.
    """
    rng = np.random.default_rng((seed, len(plan), _CAPTIONS))
    drawings = distinct_seeds(2 * len(plan), seed)
    used = set(known)
    found = []
    for pair, copies in enumerate(plan):
        captions = draw_captions(rng, used)
        for planted, caption in zip((True, False), captions, strict=True):
            used |= names_in(caption)
            name = f"{'canary' if planted else 'twin'}-{pair:04d}"
            drawing = drawings[2 * pair + (not planted)]
            found.append(Canary(name=name, caption=caption, copies=copies, planted=planted, pair=pair, drawing=drawing))
    return found
