"""What several rooms test with: one tiny real pipeline, trained once per session by the lab."""

from pathlib import Path

import numpy as np
import pytest

from scanner.lab import LatentRecipe, train_latent
from scanner.targets import DiffusersTarget, Transform, load_target, write_transform


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
    train_latent(pictures, np.array([0, 1]), ["red square", "blue sea at night"], folder, recipe)
    write_transform(folder, Transform(fit="pad", size=32))
    return folder


@pytest.fixture
def tiny_target(tiny_pipeline: Path) -> DiffusersTarget:
    return load_target(str(tiny_pipeline), batch=4)
