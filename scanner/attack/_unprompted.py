"""The generating stage of the unconditional attack: made once on a loaded target, called with a range of image numbers.

Each image is compared with all training images at once, on its 8-bit pixels as stored. Kept are the images whose
adaptive distance is below the paper's 1: the others can be drawn again from their seeds.

    >>> stage = Unprompted(target, neighbourhoods, run_seed=0, steps=50)       # doctest: +SKIP
    >>> rows = stage(range(0, 64))                                             # doctest: +SKIP
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.attack._adaptive import PAPER_ADAPTIVE, Neighbourhood
from scanner.attack._generate import as_bytes, png
from scanner.tables import UNCONDITIONAL
from scanner.targets import Drawn, UnconditionalTarget, image_seed

Lookup = Callable[[NDArray[np.uint8]], Sequence[Neighbourhood]]
"""Images (n, size, size, 3) → what lies around each of them."""
SEED_NAME = "unconditional"
"""Takes the place of the prompt's id in the seed of an image."""


class Unprompted:
    """The stage on one loaded target and one index of training images."""

    def __init__(self, target: UnconditionalTarget, lookup: Lookup, *, run_seed: int, steps: int) -> None:
        self.target, self.lookup, self.run_seed, self.steps = target, lookup, run_seed, steps

    def __call__(self, numbers: Sequence[int]) -> pl.DataFrame:
        """Rows of the unconditional table."""
        seeds = [image_seed(self.run_seed, SEED_NAME, number) for number in numbers]
        before = self.target.evaluations
        images = self.target.generate(seeds, steps=self.steps)
        spent = (self.target.evaluations - before) // max(1, len(images))
        pixels = {i: as_bytes(one.image) for i, one in enumerate(images) if one.image is not None and not one.defect}
        around = dict(zip(pixels, self.lookup(np.stack(list(pixels.values()))), strict=True)) if pixels else {}
        return UNCONDITIONAL.frame(
            {
                "image_index": number,
                "seed": seeds[i],
                "steps": self.steps,
                "evaluations": spent,
                **_outcome(images[i], around.get(i), pixels.get(i)),
            }
            for i, number in enumerate(numbers)
        )


def _outcome(image: Drawn, around: Neighbourhood | None, pixels: NDArray[np.uint8] | None) -> dict[str, Any]:
    if around is None or pixels is None:
        return {"defect": image.defect}
    return {
        "defect": None,
        "sample_id": around.sample_id,
        "l2": around.l2,
        "mean_l2": around.mean_l2,
        "adaptive_l2": around.adaptive_l2,
        "png": png(pixels) if around.adaptive_l2 < PAPER_ADAPTIVE else None,
    }
