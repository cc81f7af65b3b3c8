"""Every family, through a tiny pipeline of its real classes: images, their cost, and the view inside."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DPMSolverMultistepScheduler

from scanner.errors import ScannerError
from scanner.targets import DiffusersTarget, load_target
from tests.targets.tiny_pipelines import FAMILIES, SIZE, save_other

DISTILLED = {"flux", "flux-schnell"}
"""Families whose guidance costs no second evaluation."""
CAPTIONS, SEEDS = ["red square", "blue sea"], [3, 4]


@pytest.fixture(params=list(FAMILIES))
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def target(family: str, family_folder: Callable[[str], Path]) -> DiffusersTarget:
    return load_target(str(family_folder(family)), device="cpu", batch=2)


def test_one_prompt_goes_through_from_end_to_end(target: DiffusersTarget, family: str) -> None:
    drawn = target.generate([*CAPTIONS, CAPTIONS[0]], [*SEEDS, 5], steps=3, guidance=3.0)
    assert [one.defect for one in drawn] == [None] * 3
    assert {one.image.shape for one in drawn} == {(SIZE, SIZE, 3)}
    assert target.evaluations == 3 * 3 * (1 if family in DISTILLED else 2)
    alone = target.generate(CAPTIONS[1:], SEEDS[1:], steps=3, guidance=3.0)[0]
    np.testing.assert_allclose(alone.image, drawn[1].image, atol=1e-4)
    assert np.abs(drawn[0].image - drawn[2].image).max() > 1e-2

    pictures = np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3), dtype=np.uint8)
    assert target.has_autoencoder == (family != "deepfloyd-if")
    if target.has_autoencoder:
        assert target.reconstruct(pictures).shape == pictures.shape


def test_steps_through_the_denoiser_draw_what_the_pipeline_draws(target: DiffusersTarget, family: str) -> None:
    if family.startswith(("pixart", "deepfloyd")):  # their own schedulers take other steps than DDIM
        config = target.pipe.scheduler.config
        target.pipe.scheduler = DPMSolverMultistepScheduler.from_config(
            config, solver_order=1, timestep_spacing="trailing"
        )
    inside = target.denoiser
    whole = target.generate(CAPTIONS, SEEDS, steps=4, guidance=3.5 if family in DISTILLED else 1.0)
    with torch.inference_mode():
        noisy, text, timesteps = inside.noise(SEEDS), inside.text(CAPTIONS), inside.timesteps(4)
        for now, following in zip(timesteps, [*timesteps[1:], None], strict=True):
            noisy = inside.step(noisy, now, following, inside.predict(noisy, now, text))
        pictures = inside.picture(noisy).permute(0, 2, 3, 1).numpy()
    assert target.evaluations == 2 * 4 * 2
    np.testing.assert_allclose(pictures, np.stack([one.image for one in whole]), atol=1e-3)


def test_a_prediction_means_a_clean_picture_and_noise(target: DiffusersTarget) -> None:
    inside = target.denoiser
    noisy = inside.noise([1, 2]).requires_grad_()
    now = inside.timesteps(4)[2]
    predicted = inside.predict(noisy, now, inside.text([""]))
    assert predicted.shape == noisy.shape
    target.pipe.scheduler.register_to_config(thresholding=False, clip_sample=False)
    a, s = inside.noise_level(now)
    clean = inside.clean(noisy, now, predicted)
    noise = predicted if inside.predicts == "noise" else predicted + clean
    torch.testing.assert_close(a * clean + s * noise, noisy, atol=1e-4, rtol=1e-4)
    (gradient,) = torch.autograd.grad(predicted.square().sum(), noisy)
    assert gradient.abs().sum() > 0


def test_texts_of_one_caption_serve_many_images(target: DiffusersTarget) -> None:
    inside = target.denoiser
    with torch.inference_mode():
        noisy, now = inside.noise([1, 2, 3]), inside.timesteps(4)[0]
        one, three = inside.text(["red square"]), inside.text(["red square"] * 3)
        torch.testing.assert_close(inside.predict(noisy, now, one), inside.predict(noisy, now, three))


@pytest.mark.parametrize("family", ["stable-diffusion-xl", "stable-diffusion-3", "deepfloyd-if"])
def test_bfloat16_works_on_a_cpu(family_folder: Callable[[str], Path], family: str) -> None:
    target = load_target(str(family_folder(family)), device="cpu", dtype="bfloat16", batch=2)
    assert target.settings.dtype == "bfloat16"
    assert [one.defect for one in target.generate(CAPTIONS, SEEDS, steps=2, guidance=3.0)] == [None, None]
    with torch.inference_mode():
        noisy, now = target.denoiser.noise(SEEDS), target.denoiser.timesteps(2)[0]
        assert target.denoiser.predict(noisy, now, target.denoiser.text(CAPTIONS)).dtype == torch.bfloat16


def test_any_other_text_to_image_pipeline_draws_and_cannot_be_looked_into(tmp_path: Path) -> None:
    target = load_target(str(save_other(tmp_path / "auraflow")), device="cpu", batch=2, size=SIZE)
    drawn = target.generate([*CAPTIONS, CAPTIONS[0]], [*SEEDS, 5], steps=2, guidance=3.0)
    assert [one.defect for one in drawn] == [None] * 3
    assert target.evaluations == 3 * 2 * 2
    assert target.denoiser is None
    assert target.has_autoencoder


def test_a_single_step_that_a_pipeline_cannot_take_is_said(family_folder: Callable[[str], Path]) -> None:
    target = load_target(str(family_folder("pixart-alpha")), device="cpu", batch=1)
    with pytest.raises(ScannerError, match="draws no image in 1 step"):
        target.generate(["red square"], [1], steps=1, guidance=1.0)
    sigma = load_target(str(family_folder("pixart-sigma")), device="cpu", batch=1)
    assert sigma.generate(["red square"], [1], steps=1, guidance=1.0)[0].defect is None
