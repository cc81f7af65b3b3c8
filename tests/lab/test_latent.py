"""A tiny latent model is really trained, saved, loaded and resumed."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import AutoPipelineForText2Image
from safetensors.torch import load_file

from scanner.errors import ScannerError, UnusableInputError
from scanner.lab import LatentRecipe, train_latent

TINY = LatentRecipe(
    vae_widths=(8, 16),
    vae_steps=6,
    vae_batch=4,
    vocabulary=540,
    prompt_tokens=8,
    text_width=32,
    text_layers=1,
    unet_widths=(32, 64),
    heads=2,
    steps=6,
    batch=4,
    warmup=2,
    checkpoint_every=2,
)
CAPTIONS = ["red square", "red square", "red square", "green hill", "blue sea at night"]
PICTURE_OF_ROW = np.array([0, 0, 0, 1, 2])
PICTURES = np.random.default_rng(0).integers(0, 256, (3, 16, 16, 3), dtype=np.uint8)


class Killed(Exception):
    """Stands for a kill at a known step."""


def weights(folder: Path) -> dict[str, torch.Tensor]:
    parts = sorted(folder.rglob("*.safetensors"))
    return {f"{part.parent.name}/{name}": value for part in parts for name, value in load_file(part).items()}


def assert_equal(left: Path, right: Path) -> None:
    first, second = weights(left), weights(right)
    assert first.keys() == second.keys()
    assert len(first) > 100
    assert [name for name in first if not torch.equal(first[name], second[name])] == []


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("lab") / "model"
    train_latent(PICTURES, PICTURE_OF_ROW, CAPTIONS, out, TINY)
    return out


def test_pipeline_loads_and_generates(model: Path) -> None:
    pipeline = AutoPipelineForText2Image.from_pretrained(model, dtype=torch.float32)
    pipeline.set_progress_bar_config(disable=True)
    prompts = ["red square", "a caption that is much longer than eight tokens"]
    generator = torch.Generator().manual_seed(0)
    images = pipeline(prompts, num_inference_steps=2, generator=generator, output_type="np").images
    assert images.shape == (2, 16, 16, 3)
    assert np.isfinite(images).all()
    assert pipeline.safety_checker is None


def test_stored_in_half_precision_without_leftovers(model: Path) -> None:
    assert {value.dtype for value in weights(model).values()} == {torch.float16}
    assert not (model / ".training").exists()
    assert (model / "model_index.json").exists()
    assert len({file.stat().st_mode for file in model.rglob("*") if file.is_file()}) == 1


def test_same_seed_gives_the_same_weights(model: Path, tmp_path: Path) -> None:
    train_latent(PICTURES, PICTURE_OF_ROW, CAPTIONS, tmp_path / "again", TINY)
    assert_equal(model, tmp_path / "again")


@pytest.mark.parametrize(("phase", "step"), [("vae", 3), ("latent", 1), ("latent", 5)])
def test_killed_training_continues(model: Path, tmp_path: Path, phase: str, step: int) -> None:
    steps: list[tuple[str, int]] = []

    def kill(at_phase: str, done: int, total: int, loss: float) -> None:
        assert np.isfinite(loss)
        assert total == 6
        if (at_phase, done) == (phase, step):
            raise Killed

    with pytest.raises(Killed):
        train_latent(PICTURES, PICTURE_OF_ROW, CAPTIONS, tmp_path, TINY, kill)
    train_latent(PICTURES, PICTURE_OF_ROW, CAPTIONS, tmp_path, TINY, lambda at, done, *_: steps.append((at, done)))
    assert steps[0] == (phase, step - step % TINY.checkpoint_every + 1)
    assert_equal(model, tmp_path)


def test_divergence_stops_the_training(tmp_path: Path) -> None:
    recipe = dataclasses.replace(TINY, vae_learning_rate=1e9)
    with pytest.raises(ScannerError, match=r"diverged in step . of vae: lower its learning rate"):
        train_latent(PICTURES, PICTURE_OF_ROW, CAPTIONS, tmp_path, recipe)


def test_finished_folder_is_not_overwritten(model: Path) -> None:
    before = weights(model)
    with pytest.raises(UnusableInputError, match="holds a model already"):
        train_latent(PICTURES, PICTURE_OF_ROW, CAPTIONS, model, TINY)
    assert weights(model).keys() == before.keys()


def test_another_recipe_or_set_does_not_continue(tmp_path: Path) -> None:
    def kill(*_: object) -> None:
        raise Killed

    with pytest.raises(Killed):
        train_latent(PICTURES, PICTURE_OF_ROW, CAPTIONS, tmp_path, TINY, kill)
    with pytest.raises(UnusableInputError, match="another training_set"):
        train_latent(PICTURES + 1, PICTURE_OF_ROW, CAPTIONS, tmp_path, TINY)
    with pytest.raises(UnusableInputError, match="another seed"):
        train_latent(PICTURES, PICTURE_OF_ROW, CAPTIONS, tmp_path, LatentRecipe(seed=1, vae_steps=6))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"pictures": PICTURES[..., 0]}, "must have the shape"),
        ({"pictures": PICTURES[:, :8]}, "must have the shape"),
        ({"pictures": PICTURES[:, :10, :10]}, "multiple of 4, not 10"),
        ({"pictures": PICTURES / 255}, "8-bit"),
        ({"captions": []}, "no captions"),
        ({"captions": CAPTIONS[:4]}, "one picture number for each of the 4 captions"),
        ({"picture_of_row": np.array([0, 0, 0, 1, 3])}, "from 0 to 2"),
        ({"picture_of_row": np.array([0, 0, 0, 1, -1])}, "from 0 to 2"),
        ({"picture_of_row": PICTURE_OF_ROW / 2}, "integers, not float64"),
        ({"recipe": LatentRecipe(vocabulary=100)}, "at least 514"),
        ({"recipe": LatentRecipe(unet_widths=(48, 64))}, "multiples of 32"),
    ],
)
def test_unusable_input(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    arguments = {
        "pictures": PICTURES,
        "picture_of_row": PICTURE_OF_ROW,
        "captions": CAPTIONS,
        "recipe": TINY,
    } | changed
    with pytest.raises(UnusableInputError, match=message) as error:
        train_latent(**arguments, out=tmp_path / "out")
    assert str(error.value).count(".") == 1
    assert not (tmp_path / "out").exists()
