"""A tiny model of every family is really trained, saved, loaded and resumed."""

import dataclasses
from itertools import product
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMPipeline, DiffusionPipeline, IFPipeline, StableDiffusionPipeline
from numpy.typing import NDArray

from scanner.errors import ScannerError, UnusableInputError
from scanner.lab import Progress, TrainingSet, train_latent
from scanner.targets import load_target
from tests.lab.tiny import (
    CAPTIONS,
    FAMILIES,
    PICTURE_OF_ROW,
    PICTURES,
    SET,
    TINY_LATENT,
    Killed,
    assert_equal,
    weights,
)


@pytest.fixture(scope="module", params=FAMILIES)
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def model(family: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("lab") / "model"
    FAMILIES[family].train(SET, out, FAMILIES[family].recipe)
    return out


def test_pipeline_loads_and_generates(family: str, model: Path) -> None:
    wanted = {"latent": StableDiffusionPipeline, "pixel": IFPipeline, "unconditional": DDIMPipeline}
    pipeline = DiffusionPipeline.from_pretrained(model, use_safetensors=True, dtype=torch.float32)
    assert type(pipeline) is wanted[family]
    pipeline.set_progress_bar_config(disable=True)
    prompts = ["red square", "a caption that is much longer than eight tokens"]
    asked = {"batch_size": 2} if family == "unconditional" else {"prompt": prompts}
    generators = [torch.Generator().manual_seed(seed) for seed in (0, 1)]
    images = pipeline(**asked, num_inference_steps=2, generator=generators, output_type="np").images
    assert images.shape == (2, 16, 16, 3)
    assert np.isfinite(images).all()
    assert getattr(pipeline, "safety_checker", None) is None


def test_stored_in_half_precision_without_leftovers(model: Path) -> None:
    assert {value.dtype for value in weights(model).values()} == {torch.float16}
    assert not (model / ".training").exists()
    assert (model / "model_index.json").exists()
    assert len({file.stat().st_mode for file in model.rglob("*") if file.is_file()}) == 1


def test_killed_training_continues(family: str, model: Path, tmp_path: Path) -> None:
    """With the same weights as one that was not killed; so the same seed gives the same weights, too."""
    tiny = FAMILIES[family]
    phases = {"latent": ["vae", "latent"]}.get(family, [family])
    steps: list[tuple[str, int]] = []

    def kill_in(phase: str, total: int, done: int) -> Progress:
        def kill(at_phase: str, at: int, of: int, loss: float) -> None:
            assert np.isfinite(loss)
            assert of == total
            if (at_phase, at) == (phase, done):
                raise Killed

        return kill

    for phase, done in product(phases, (1, 5)):
        with pytest.raises(Killed):
            tiny.train(SET, tmp_path, tiny.recipe, kill_in(phase, 6, done))
    tiny.train(SET, tmp_path, tiny.recipe, lambda at, done, *_: steps.append((at, done)))
    assert steps == [(phases[-1], 5), (phases[-1], 6)]
    assert_equal(model, tmp_path)


def test_divergence_stops_the_training(tmp_path: Path) -> None:
    recipe = dataclasses.replace(TINY_LATENT, vae_learning_rate=1e9)
    with pytest.raises(ScannerError, match=r"diverged in step . of vae: lower its learning rate"):
        train_latent(SET, tmp_path, recipe)


def test_finished_folder_is_not_overwritten(family: str, model: Path) -> None:
    before = weights(model)
    with pytest.raises(UnusableInputError, match="holds a model already"):
        FAMILIES[family].train(SET, model, FAMILIES[family].recipe)
    assert weights(model).keys() == before.keys()


def test_another_family_recipe_or_set_does_not_continue(family: str, tmp_path: Path) -> None:
    def kill(*_: object) -> None:
        raise Killed

    tiny = FAMILIES[family]
    with pytest.raises(Killed):
        tiny.train(SET, tmp_path, tiny.recipe, kill)
    other_set = dataclasses.replace(SET, pictures=PICTURES + 1)
    with pytest.raises(UnusableInputError, match="another training_set"):
        tiny.train(other_set, tmp_path, tiny.recipe)
    with pytest.raises(UnusableInputError, match="another seed"):
        tiny.train(SET, tmp_path, dataclasses.replace(tiny.recipe, seed=1, steps=7))
    other = FAMILIES["latent" if family == "pixel" else "pixel"]
    with pytest.raises(UnusableInputError, match="another family"):
        other.train(SET, tmp_path, other.recipe)


@pytest.mark.parametrize("family", ["pixel"], indirect=True)
def test_a_target_in_pixel_space_draws_each_image_from_its_own_seed(model: Path) -> None:
    target = load_target(str(model), batch=2, clean_captions=False)
    assert isinstance(target.pipe, IFPipeline)
    together = target.generate(["Red square", "green hill " * 60], [1, 2], steps=3, guidance=7.5)
    assert [drawn.defect for drawn in together] == [None, None]
    assert target.evaluations == 2 * 2 * 3
    assert not target.has_autoencoder
    alone = target.generate(["green hill " * 60], [2], steps=3, guidance=7.5)[0].image
    np.testing.assert_allclose(alone, together[1].image, atol=1e-5)  # a batch may be rounded otherwise
    assert np.abs(alone - together[0].image).max() > 0.1


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"pictures": PICTURES[..., 0]}, "must have the shape"),
        ({"pictures": PICTURES[:, :8]}, "must have the shape"),
        ({"pictures": PICTURES / 255}, "8-bit"),
        ({"captions": []}, "no captions"),
        ({"captions": CAPTIONS[:4]}, "one picture number for each of the 4 captions"),
        ({"picture_of_row": np.array([0, 0, 0, 1, 3])}, "from 0 to 2"),
        ({"picture_of_row": np.array([0, 0, 0, 1, -1])}, "from 0 to 2"),
        ({"picture_of_row": PICTURE_OF_ROW / 2}, "integers, not float64"),
    ],
)
def test_a_set_that_does_not_fit_together(changed: dict[str, object], message: str) -> None:
    arguments = {"pictures": PICTURES, "picture_of_row": PICTURE_OF_ROW, "captions": CAPTIONS} | changed
    with pytest.raises(UnusableInputError, match=message) as error:
        TrainingSet(**arguments)
    assert str(error.value).count(".") == 1


@pytest.mark.parametrize(
    ("family", "pictures", "changed", "message"),
    [
        ("latent", PICTURES[:, :10, :10], {}, "multiple of 4, not 10"),
        ("pixel", PICTURES[:, :9, :9], {}, "multiple of 2, not 9"),
        ("unconditional", PICTURES[:, :9, :9], {}, "multiple of 2, not 9"),
        ("latent", PICTURES, {"vocabulary": 100}, "at least 514"),
        ("latent", PICTURES, {"unet_widths": (48, 64)}, "multiples of 32"),
        ("pixel", PICTURES, {"unet_widths": (36, 64)}, "multiples of 8"),
        ("unconditional", PICTURES, {"unet_widths": (36, 64)}, "multiples of 8"),
    ],
)
def test_a_recipe_that_does_not_fit_the_set(
    tmp_path: Path, family: str, pictures: NDArray[np.uint8], changed: dict[str, object], message: str
) -> None:
    tiny = FAMILIES[family]
    rows = dataclasses.replace(SET, pictures=pictures)
    with pytest.raises(UnusableInputError, match=message) as error:
        tiny.train(rows, tmp_path / "out", dataclasses.replace(tiny.recipe, **changed))
    assert str(error.value).count(".") == 1
    assert not (tmp_path / "out").exists()
