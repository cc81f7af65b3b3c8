"""What several rooms test with: a browser, and, trained once per session, a tiny real pipeline (by the lab) and a tiny
open_clip."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scanner.lab import LatentRecipe, TrainingSet, train_latent
from scanner.targets import DiffusersTarget, Transform, load_target, write_transform
from tests.chromium import browser
from tests.fingerprints.coloured_clip import train_coloured_clip


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    """An open browser."""
    with browser() as opened:
        yield opened


@pytest.fixture(scope="session")
def tiny_pipeline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a Stable-Diffusion-shaped pipeline of 32 × 32 pixels after a few real training steps."""
    recipe = LatentRecipe(
        vae_widths=(8, 16),
        vae_steps=4,
        vae_batch=2,
        vocabulary=540,
        prompt_tokens=8,
        text_width=32,
        text_layers=1,
        unet_widths=(32, 64),
        heads=2,
        steps=4,
        batch=2,
        warmup=1,
    )
    pictures = np.random.default_rng(0).integers(0, 256, (2, 32, 32, 3), dtype=np.uint8)
    folder = tmp_path_factory.mktemp("tiny") / "pipeline"
    captions = ["red square", "blue sea at night"]
    rows = TrainingSet(pictures=pictures, picture_of_row=np.array([0, 1]), captions=captions)
    train_latent(rows, folder, recipe)
    write_transform(folder, Transform(fit="pad", size=32))
    return folder


@pytest.fixture
def tiny_target(tiny_pipeline: Path) -> DiffusersTarget:
    return load_target(str(tiny_pipeline), batch=4)


@pytest.fixture(scope="session")
def coloured_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of an open_clip model that knows what seven colours are called."""
    return train_coloured_clip(tmp_path_factory.mktemp("clip") / "coloured")
