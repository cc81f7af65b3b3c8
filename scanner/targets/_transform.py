"""The transform that a target's training images went through: how a picture of any shape becomes a square.

A generation can only equal an original as the model saw it, so both sides of every distance go through this.
`crop` (shorter side resized, centre crop) is what Stable Diffusion and most fine-tuning scripts do; `pad` lays the
picture on a white square (the lab's targets); `squeeze` ignores the aspect ratio.

    >>> Transform(fit="pad", size=64)(np.zeros((20, 40, 3), np.uint8)).shape
    (64, 64, 3)
"""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from scanner.errors import UnusableInputError

TRANSFORM_FILE = "training_transform.json"
FITS = ("crop", "pad", "squeeze")


@dataclass(frozen=True, kw_only=True)
class Transform:
    """How a picture becomes the square that the model was trained on."""

    fit: str = "crop"
    """crop, pad (on white) or squeeze."""
    size: int = 512
    """Side of the square, pixels."""

    def __post_init__(self) -> None:
        if self.fit not in FITS:
            raise UnusableInputError(f"'{self.fit}' is no transform; use one of {', '.join(FITS)}.")

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """uint8 (h, w, 3) → uint8 (size, size, 3), Lanczos."""
        image = Image.fromarray(picture)
        square = (self.size, self.size)
        if self.fit == "crop":
            fitted = ImageOps.fit(image, square, Image.Resampling.LANCZOS)
        elif self.fit == "pad":
            side = max(image.size)
            canvas = Image.new("RGB", (side, side), "white")
            canvas.paste(image, ((side - image.width) // 2, (side - image.height) // 2))
            fitted = canvas.resize(square, Image.Resampling.LANCZOS)
        else:
            fitted = image.resize(square, Image.Resampling.LANCZOS)
        return np.asarray(fitted)


def write_transform(folder: Path, transform: Transform, *, clean_captions: bool | None = None) -> None:
    """Store the transform beside the weights, for `read_transform`.

    `clean_captions`: whether the captions of the training were cleaned as PixArt's and DeepFloyd's pipelines do.
    """
    captions = {} if clean_captions is None else {"clean_captions": clean_captions}
    (folder / TRANSFORM_FILE).write_text(json.dumps(asdict(transform) | captions) + "\n", encoding="utf-8")


def read_transform(folder: Path, size: int) -> Transform:
    """The transform stored beside the weights; a centre crop to `size` where none is stored."""
    path = folder / TRANSFORM_FILE
    if not path.exists():
        return Transform(fit="crop", size=size)
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
        return Transform(fit=stored["fit"], size=stored["size"])
    except (ValueError, KeyError, TypeError) as error:
        raise UnusableInputError(f'{path} does not hold {{"fit": ..., "size": ...}}.') from error
