"""Edge consistency (Webster 2023, "A Reproducible Extraction of Training Images from Diffusion Models",
arXiv 2305.08694; github.com/ryanwebster90/onestep-extraction): the black-box detector.

Asked for an image in one step, a model gives a blur, but for a memorised prompt an image with edges, the same from
every seed. The score is the share of pixels that are edges in more than half of 4 one-step images: Sobel magnitude,
summed over the colours of an image on [0, 1] at 256 × 256, above 1.5, as published (its operator smooths across the
colours too, and so does ours). It needs images only, so it also runs where nobody can look inside, if the API lets the
number of steps be chosen. On the demo's target of 64 × 64 pixels it is weak (AUC 0.711, 25 % at 5 % false positives).

    >>> EdgeConsistency(target, run_seed=0)(["a red fox"], ["9f86d081884c7d65"])   # doctest: +SKIP
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image
from scipy import ndimage

from scanner.targets import Drawn, Target
from scanner.triage._seeded import noise_seeds

SIDE = 256
"""Side to which images are brought, pixels."""
EDGE = 1.5
"""Sobel magnitude above which a pixel is an edge."""
LEAST = 2
"""Usable images without which nothing can agree."""
PAPER_GUIDANCE = 7.5


class EdgeConsistency:
    """The detector on one target."""

    name = "webster-edge-consistency"

    def __init__(self, target: Target, *, run_seed: int, seeds: int = 4, guidance: float = PAPER_GUIDANCE) -> None:
        self.target, self.run_seed, self.seeds, self.guidance = target, run_seed, seeds, guidance
        self._spent: int | None = None

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations per prompt: what the last call spent, and 2 a seed before any."""
        return 2 * self.seeds if self._spent is None else self._spent

    def __call__(self, captions: Sequence[str], prompt_ids: Sequence[str]) -> NDArray[np.float64]:
        """Scores (n,), 0 to 1; NaN for a prompt without two usable images."""
        before = self.target.evaluations
        numbers = noise_seeds(prompt_ids, run_seed=self.run_seed, seeds=self.seeds)
        repeated = [caption for caption in captions for _ in range(self.seeds)]
        images = self.target.generate(repeated, numbers, steps=1, guidance=self.guidance)
        self._spent = (self.target.evaluations - before) // max(1, len(captions))
        groups = [images[at : at + self.seeds] for at in range(0, len(images), self.seeds)]
        return np.array([edge_agreement(_usable(group)) for group in groups], np.float64)


def _usable(images: Sequence[Drawn]) -> list[NDArray[np.float32]]:
    """Images that can be looked at; a flat one can be: it has no edges."""
    return [one.image for one in images if one.image is not None and one.defect in (None, "flat")]


def edge_agreement(images: Sequence[NDArray[np.float32]]) -> float:
    """Share of the pixels that are edges in more than half of the images (h, w, 3) on [0, 1]; NaN for fewer than 2."""
    if len(images) < LEAST:
        return float("nan")
    edges = np.mean([edge_map(brought_to(image, SIDE)) for image in images], axis=0)
    return float((edges > 0.5).mean())


def edge_map(image: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Where an image (h, w, 3) on [0, 1] has edges, (h, w)."""
    wide = image.astype(np.float64)
    magnitude = np.hypot(ndimage.sobel(wide, axis=0), ndimage.sobel(wide, axis=1))
    return np.asarray(magnitude.sum(axis=2) > EDGE)


def brought_to(image: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """A square image brought to `side` pixels by Lanczos, on its 8-bit pixels as published."""
    pixels = Image.fromarray(np.asarray((image.clip(0, 1) * 255).round(), np.uint8))
    return np.asarray(pixels.resize((side, side), Image.Resampling.LANCZOS), np.float32) / np.float32(255)
