"""A real tiny pipeline as a target: seeds, cost, predictions, reconstruction, and what is refused."""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file

from scanner.errors import UnusableInputError
from scanner.targets import DiffusersTarget, image_seed, load_target


def test_an_image_depends_on_its_seed_and_caption_and_not_on_the_batch(tiny_target: DiffusersTarget) -> None:
    captions, seeds = ["red square", "blue sea", "red square"], [1, 2, 3]
    together = np.stack([one.image for one in tiny_target.generate(captions, seeds, steps=2, guidance=3.0)])
    alone = [one.image for one in tiny_target.generate(captions[2:], seeds[2:], steps=2, guidance=3.0)]
    assert together.shape == (3, 32, 32, 3)
    assert together.dtype == np.float32
    np.testing.assert_allclose(together[2], alone[0], atol=1e-4)
    assert np.abs(together[0] - together[2]).max() > 1e-3


def test_evaluations_are_counted_where_they_happen(tiny_target: DiffusersTarget) -> None:
    tiny_target.generate(["red square"] * 5, list(range(5)), steps=3, guidance=3.0)
    assert tiny_target.evaluations == 5 * 3 * 2
    tiny_target.generate(["red square"], [0], steps=3, guidance=1.0)
    assert tiny_target.evaluations == 5 * 3 * 2 + 3


def test_steps_through_the_denoiser_draw_what_the_pipeline_draws(tiny_target: DiffusersTarget) -> None:
    inside = tiny_target.denoiser
    whole = tiny_target.generate(["red square", "blue sea"], [3, 4], steps=5, guidance=1.0)
    with torch.inference_mode():
        latents, text = inside.noise([3, 4]), inside.text(["red square", "blue sea"])
        timesteps = inside.timesteps(5)
        for now, following in zip(timesteps, [*timesteps[1:], None], strict=True):
            latents = inside.step(latents, now, following, inside.predict(latents, now, text))
        pictures = inside.picture(latents).permute(0, 2, 3, 1).numpy()
    assert tiny_target.evaluations == 2 * 5 * 2
    np.testing.assert_allclose(pictures, np.stack([one.image for one in whole]), atol=2e-3)


def test_the_autoencoder_gives_pictures_back(tiny_target: DiffusersTarget) -> None:
    pictures = np.random.default_rng(0).integers(0, 256, (3, 32, 32, 3), dtype=np.uint8)
    restored = tiny_target.reconstruct(pictures)
    assert restored.shape == pictures.shape
    assert restored.dtype == np.uint8


def test_the_transform_of_the_training_is_read_and_can_be_overridden(tiny_pipeline: Path) -> None:
    assert load_target(str(tiny_pipeline)).transform.fit == "pad"
    assert load_target(str(tiny_pipeline), fit="crop").transform.fit == "crop"
    with pytest.raises(UnusableInputError, match="is no transform"):
        load_target(str(tiny_pipeline), fit="stretch")


def test_the_checksum_follows_the_weights(tiny_pipeline: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_pipeline, copy)
    assert load_target(str(copy)).checksum == load_target(str(tiny_pipeline)).checksum
    file = next((copy / "unet").glob("*.safetensors"))
    tensors = load_file(file)
    tensors[min(tensors)] = tensors[min(tensors)] + 1
    save_file(tensors, file, metadata={"format": "pt"})
    assert load_target(str(copy)).checksum != load_target(str(tiny_pipeline)).checksum


@pytest.mark.parametrize("name", ["./nowhere", "nowhere", "/no/such/folder"])
def test_a_target_that_is_not_there_is_said(name: str) -> None:
    with pytest.raises(UnusableInputError, match="There is no target"):
        load_target(name)


def test_a_folder_without_a_pipeline_is_said(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="no model_index"):
        load_target(str(tmp_path))


@pytest.mark.parametrize("damage", ["missing file", "missing tensors", "truncated", "not json"])
def test_damaged_weights_are_refused_in_one_sentence(tiny_pipeline: Path, tmp_path: Path, damage: str) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_pipeline, copy)
    file = next((copy / "unet").glob("*.safetensors"))
    if damage == "missing file":
        file.unlink()
    elif damage == "missing tensors":
        tensors = load_file(file)
        save_file(dict(list(tensors.items())[:-5]), file, metadata={"format": "pt"})
    elif damage == "truncated":
        file.write_bytes(file.read_bytes()[:1000])
    else:
        (copy / "model_index.json").write_text("{")
    with pytest.raises(UnusableInputError) as refused:
        load_target(str(copy))
    assert "\n" not in str(refused.value)


def test_a_pipeline_of_another_kind_is_refused(tiny_pipeline: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(tiny_pipeline, copy)
    index = json.loads((copy / "model_index.json").read_text())
    (copy / "model_index.json").write_text(json.dumps(index | {"_class_name": "DDPMPipeline"}))
    with pytest.raises(UnusableInputError, match="is no text-to-image pipeline"):
        load_target(str(copy))


def test_seeds_are_pure_and_apart() -> None:
    seeds = {image_seed(run, prompt, i) for run in (0, 1) for prompt in ("a", "b") for i in range(100)}
    assert len(seeds) == 400
    assert image_seed(0, "a", 0) == image_seed(0, "a", 0)
    assert all(0 <= seed < 2**63 for seed in seeds)
