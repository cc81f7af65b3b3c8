"""A tiny training set, and a tiny recipe of every family."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from safetensors.torch import load_file

from scanner.lab import (
    LatentRecipe,
    PixelRecipe,
    TrainingSet,
    UnconditionalRecipe,
    train_latent,
    train_pixel,
    train_unconditional,
)

CAPTIONS = ["red square", "red square", "red square", "green hill", "Blue sea at night"]
PICTURE_OF_ROW = np.array([0, 0, 0, 1, 2])
PICTURES = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)
SET = TrainingSet(pictures=PICTURES, picture_of_row=PICTURE_OF_ROW, captions=CAPTIONS)

_DENOISER: dict[str, Any] = {"unet_widths": (32, 64), "heads": 2, "steps": 6, "batch": 4, "warmup": 2}
_TEXT: dict[str, Any] = {**_DENOISER, "vocabulary": 540, "text_width": 32, "text_layers": 1}
TINY_LATENT = LatentRecipe(**_TEXT, checkpoint_every=2, vae_widths=(8, 16), vae_steps=6, vae_batch=4, prompt_tokens=8)
TINY_PIXEL = PixelRecipe(**_TEXT, checkpoint_every=2)
TINY_UNCONDITIONAL = UnconditionalRecipe(**_DENOISER, checkpoint_every=2)


@dataclass(frozen=True, kw_only=True)
class Tiny:
    """One family."""

    recipe: Any
    """Its tiny recipe."""
    train: Callable[..., None]
    """Trains it."""


FAMILIES = {
    "latent": Tiny(recipe=TINY_LATENT, train=train_latent),
    "pixel": Tiny(recipe=TINY_PIXEL, train=train_pixel),
    "unconditional": Tiny(recipe=TINY_UNCONDITIONAL, train=train_unconditional),
}


class Killed(Exception):
    """Stands for a kill at a known step."""


def weights(folder: Path) -> dict[str, torch.Tensor]:
    """Every stored tensor of a pipeline, by part and name."""
    parts = sorted(folder.rglob("*.safetensors"))
    return {f"{part.parent.name}/{name}": value for part in parts for name, value in load_file(part).items()}


def assert_equal(left: Path, right: Path) -> None:
    """Two pipelines have the same weights, bit for bit."""
    first, second = weights(left), weights(right)
    assert first.keys() == second.keys()
    assert len(first) > 50
    assert [name for name in first if not torch.equal(first[name], second[name])] == []
