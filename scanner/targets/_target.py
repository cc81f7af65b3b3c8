"""What any target offers: images of captions, each with its seed, and what they cost.

A target may be a pipeline in this process, a hosted API, or a folder of images made elsewhere. Only `generate` is asked
of all of them; what looks inside a model asks `Target.denoiser`.

    >>> drawn = target.generate(["a red fox"], [7], steps=20, guidance=7.5)[0]          # doctest: +SKIP
    >>> drawn.image.shape, drawn.defect                                                 # doctest: +SKIP
    ((512, 512, 3), None)
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scanner.targets._denoiser import Denoiser
from scanner.targets._transform import Transform

IMAGE_DEFECTS = frozenset({"not_finite", "flat"})
"""Defects of images that were made, and are not to be compared; with any other there is no image."""
FLAT = 0.01
"""Standard deviation, on [0, 1], below which an image shows nothing: a blanked image is one flat colour."""


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """One image that was asked for, or the reason why there is none."""

    image: NDArray[np.float32] | None
    """(size, size, 3) on [0, 1]; None where there is no image at all."""
    defect: str | None = None
    """Why the image is not to be compared (not_finite, flat) or is not there (refused, ...); None for a usable one."""
    note: str | None = None
    """What else is to be said of it, one sentence: a refusal's words, a prompt that was cut."""
    seed: int | None = None
    """Its own seed, where that is not the one it was asked with: of an image made elsewhere, or as an API was told."""


class Target(Protocol):
    """A model under attack."""

    name: str
    """As the user gave it."""
    checksum: str
    """Of its weights or of what else tells it apart: a resumed attack must have the same."""
    transform: Transform
    """How its training images became squares; its `size` is the side of the images that are compared."""
    evaluations: int
    """Denoiser evaluations so far, a conditional and an unconditional one counted apart; 0 where nobody can know."""

    @property
    def batch(self) -> int:
        """Images that are made at once; it may become less when memory runs out."""
        ...

    @property
    def denoiser(self) -> Denoiser | None:
        """For what looks inside the model; None where there is no such view."""
        ...

    @property
    def has_autoencoder(self) -> bool:
        """Whether `reconstruct` works."""
        ...

    def generate(self, captions: Sequence[str], seeds: Sequence[int], *, steps: int, guidance: float) -> list[Drawn]:
        """One image per (caption, seed), in order: the same for a seed and a caption whatever else is asked with it."""
        ...

    def reconstruct(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Pictures (n, size, size, 3) as the target's autoencoder gives them back: the best a latent model can do."""
        ...


def drawn(image: NDArray[np.float32]) -> Drawn:
    """An image (size, size, 3) with its defect, if it has one."""
    if not np.isfinite(image).all():
        return Drawn(image=image, defect="not_finite")
    return Drawn(image=image, defect="flat" if float(image.std()) < FLAT else None)
