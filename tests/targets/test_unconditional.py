"""Real pipelines that take no prompt: seeds, cost, grey models, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from scanner.errors import UnusableInputError
from scanner.targets import Loading, is_unconditional, load_unconditional
from tests.targets.tiny_ddpm import network, save_ddpm


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    torch.manual_seed(0)
    return save_ddpm(tmp_path_factory.mktemp("ddpm") / "ddim", network())


@pytest.mark.parametrize("ancestral", [True, False])
def test_an_image_depends_on_its_seed_and_not_on_the_batch(tmp_path: Path, ancestral: bool) -> None:
    target = load_unconditional(str(save_ddpm(tmp_path / "model", network(), ancestral=ancestral)), Loading(batch=2))
    together = target.generate([1, 2, 3], steps=3)
    alone = target.generate([3], steps=3)[0]
    assert [one.image.shape for one in together] == [(8, 8, 3)] * 3
    np.testing.assert_allclose(together[2].image, alone.image, atol=1e-5)
    assert np.abs(together[0].image - alone.image).max() > 1e-3
    assert target.evaluations == 4 * 3


def test_a_grey_model_draws_three_equal_channels(tmp_path: Path) -> None:
    target = load_unconditional(str(save_ddpm(tmp_path / "model", network(channels=1))))
    image = target.generate([1], steps=2)[0].image
    assert image.shape == (8, 8, 3)
    assert (image == image[..., :1]).all()


def test_a_model_that_gives_nan_is_said_image_by_image(tmp_path: Path) -> None:
    unet = network()
    with torch.no_grad():
        unet.conv_out.bias.fill_(float("nan"))
    target = load_unconditional(str(save_ddpm(tmp_path / "model", unet)))
    assert [one.defect for one in target.generate([1, 2], steps=2)] == ["not_finite"] * 2


def test_which_targets_take_no_prompt(folder: Path, tiny_pipeline: Path, tmp_path: Path) -> None:
    assert is_unconditional(str(folder))
    assert not is_unconditional(str(tiny_pipeline))
    assert not is_unconditional(str(tmp_path))
    assert not is_unconditional("api:some/model")
    assert not is_unconditional("./not/there")


def test_incomplete_weights_are_refused(tmp_path: Path) -> None:
    broken = save_ddpm(tmp_path / "broken", network())
    file = broken / "unet" / "diffusion_pytorch_model.safetensors"
    save_file({name: value for name, value in load_file(file).items() if "conv_in" not in name}, file)
    with pytest.raises(UnusableInputError, match="incomplete"):
        load_unconditional(str(broken))


def test_a_model_of_class_labels_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="class labels"):
        load_unconditional(str(save_ddpm(tmp_path / "model", network(labels=10))))


def test_a_stored_transform_of_another_size_is_refused(tmp_path: Path) -> None:
    folder = save_ddpm(tmp_path / "model", network())
    (folder / "training_transform.json").write_text(json.dumps({"fit": "pad", "size": 16}))
    with pytest.raises(UnusableInputError, match="of 16 pixels, its model of 8"):
        load_unconditional(str(folder))


def test_weights_at_the_root_as_the_first_ddpms_have_them(tmp_path: Path) -> None:
    root = save_ddpm(tmp_path / "root", network())
    for part in ("unet", "scheduler"):
        for file in (root / part).iterdir():
            file.rename(root / file.name)
        (root / part).rmdir()
    assert load_unconditional(str(root)).generate([1], steps=1)[0].image.shape == (8, 8, 3)
