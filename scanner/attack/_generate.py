"""The generating stage: made once on a loaded target, called with a batch of prompts, gives one row per image.

Each image is looked up among the originals at once, on its 8-bit pixels as stored, so that every distance can be
recomputed from the file. An image that shows nothing (NaN, one flat colour) is kept as a row with its defect and
never compared. Without originals (no lookup) nothing is compared with any.

    >>> stage = Generator(target, lookup, settings)                            # doctest: +SKIP
    >>> rows = stage([PromptImages(prompt_id="9f86", caption="a red fox", indices=(0, 1))])   # doctest: +SKIP
"""

import io
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image

from scanner.attack._distance import as_unit
from scanner.tables import GENERATIONS
from scanner.targets import IMAGE_DEFECTS, DiffusersTarget, Drawn, StoredTarget, Target, image_seed

EVIDENCE_FIRST = 1_000_000
"""Number of a prompt's first full-step image: evidence is told from search images by its number, and has the seed of
the search image that many numbers below."""


@dataclass(frozen=True, kw_only=True)
class Near:
    """What a search among the originals found for one image."""

    near: tuple[tuple[int, float], ...]
    """(sample_id, normalised l2) within the search radius, the nearest row of each group, nearest first."""
    l2_sample_id: int
    """The nearest original under plain l2."""
    l2: float
    """Its plain l2, 0 to 1."""


Lookup = Callable[[NDArray[np.float32]], Sequence[Near]]
"""Images (n, size, size, 3) on [0, 1] → what lies near each of them."""


@dataclass(frozen=True, kw_only=True)
class PromptImages:
    """Some images to make of one prompt."""

    prompt_id: str
    """The prompt."""
    caption: str
    """Its text."""
    indices: tuple[int, ...]
    """Numbers of the images; EVIDENCE_FIRST + i is image i at full steps, from the same seed."""


@dataclass(frozen=True, kw_only=True)
class Sampling:
    """How images are made."""

    run_seed: int
    """Seed of the whole run."""
    steps: int
    """Denoising steps."""
    guidance: float
    """Guidance scale of classifier-free guidance."""


def is_there() -> pl.Expr:
    """Whether a row of the generations table stands for an image, usable or not, and not for one that never came."""
    return pl.col("defect").is_null() | pl.col("defect").is_in(sorted(IMAGE_DEFECTS))


class Generator:
    """The stage on one loaded target and one index of originals."""

    def __init__(self, target: Target, lookup: Lookup | None, sampling: Sampling) -> None:
        self.target, self.lookup, self.sampling = target, lookup, sampling

    def __call__(self, batch: Sequence[PromptImages]) -> pl.DataFrame:
        """Rows of the generations table for all images of the batch."""
        wanted = [(part, index) for part in batch for index in part.indices]
        seeds = [self._seed(part.prompt_id, index) for part, index in wanted]
        before = self.target.evaluations
        images = self._drawn([part.caption for part, _ in wanted], seeds, [index for _, index in wanted])
        spent = (self.target.evaluations - before) // max(1, len(wanted))
        pixels = [None if one.image is None else as_bytes(one.image) for one in images]
        found = self._found([None if one.defect else shown for one, shown in zip(images, pixels, strict=True)])
        return GENERATIONS.frame(
            {
                "prompt_id": part.prompt_id,
                "image_index": index,
                "seed": images[i].seed if self._stored or images[i].seed is not None else seeds[i],
                "steps": self.sampling.steps if spent else None,
                "png": None if (shown := pixels[i]) is None else png(shown),
                "evaluations": spent,
                "defect": images[i].defect,
                "note": images[i].note,
                **_near_columns(found.get(i)),
            }
            for i, (part, index) in enumerate(wanted)
        )

    def _drawn(self, captions: Sequence[str], seeds: Sequence[int], indices: Sequence[int]) -> list[Drawn]:
        """Of a pipeline, the evidence is made one image at a time: in a batch some of its pixels are rounded
        differently (up to 1 of 255, in 17 of 24 images of the demo's target), and evidence can be made again alone."""
        draw = partial(self.target.generate, steps=self.sampling.steps, guidance=self.sampling.guidance)
        if not isinstance(self.target, DiffusersTarget) or min(indices, default=0) < EVIDENCE_FIRST:
            return draw(captions, seeds)
        return [draw([caption], [seed])[0] for caption, seed in zip(captions, seeds, strict=True)]

    @property
    def _stored(self) -> bool:
        return isinstance(self.target, StoredTarget)

    def _seed(self, prompt_id: str, index: int) -> int:
        """What an image is asked for with: its seed, or of a stored set its number. The evidence has those of the
        search."""
        number = index % EVIDENCE_FIRST
        return number if self._stored else image_seed(self.sampling.run_seed, prompt_id, number)

    def _found(self, pixels: Sequence[NDArray[np.uint8] | None]) -> dict[int, Near]:
        """By position, what lies near each image that there is."""
        usable = {i: shown for i, shown in enumerate(pixels) if shown is not None}
        if not usable or self.lookup is None:
            return {}
        return dict(zip(usable, self.lookup(as_unit(np.stack(list(usable.values())))), strict=True))


def as_bytes(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """An image on [0, 1] as its 8-bit pixels."""
    return np.asarray((np.nan_to_num(image).clip(0, 1) * 255).round(), np.uint8)


def _near_columns(found: Near | None) -> dict[str, Any]:
    if found is None:
        return dict.fromkeys(("sample_id", "normalised_l2", "near", "near_l2", "l2", "l2_sample_id"))
    nearest, distance = found.near[0] if found.near else (None, None)
    return {
        "sample_id": nearest,
        "normalised_l2": distance,
        "near": [sample for sample, _ in found.near],
        "near_l2": [distance for _, distance in found.near],
        "l2": found.l2,
        "l2_sample_id": found.l2_sample_id,
    }


def png(pixels: NDArray[np.uint8]) -> bytes:
    """uint8 (h, w, 3) as PNG bytes."""
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", compress_level=4)
    return file.getvalue()


def from_png(encoded: bytes) -> NDArray[np.uint8]:
    """The pixels (h, w, 3) of a stored generation."""
    return np.asarray(Image.open(io.BytesIO(encoded)).convert("RGB"))
