"""LoRA weights on top: real ones, made with peft for the very layers of the tiny pipelines."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import FluxPipeline, StableDiffusionPipeline
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from safetensors.torch import save_file

from scanner.errors import UnusableInputError
from scanner.targets import load_target
from scanner.targets._lora import parse_lora

Folder = Callable[[str], Path]
ADAPTER = LoraConfig(r=2, lora_alpha=2, target_modules=["to_q", "to_v"], init_lora_weights=False)


@pytest.fixture(scope="module")
def lora(family_folder: Folder, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A safetensors file for the UNet of stable-diffusion."""
    out = tmp_path_factory.mktemp("lora")
    pipe = StableDiffusionPipeline.from_pretrained(family_folder("stable-diffusion"))
    torch.manual_seed(1)
    pipe.unet.add_adapter(ADAPTER)
    pipe.save_lora_weights(out, unet_lora_layers=get_peft_model_state_dict(pipe.unet))
    return out / "pytorch_lora_weights.safetensors"


def image(folder: Path, *lora: str) -> np.ndarray:
    target = load_target(str(folder), device="cpu", batch=1, lora=lora)
    return np.asarray(target.generate(["red square"], [1], steps=2, guidance=1.0)[0].image)


def test_it_changes_the_images_by_its_scale(family_folder: Folder, lora: Path) -> None:
    folder = family_folder("stable-diffusion")
    plain, full, half = image(folder), image(folder, str(lora)), image(folder, f"{lora.parent}:0.5")
    np.testing.assert_allclose(image(folder, f"{lora}:0"), plain, atol=1e-5)
    np.testing.assert_allclose(image(folder, f"{lora}:0.5", f"{lora}:0.5"), full, atol=1e-4)
    assert np.abs(full - plain).max() > np.abs(half - plain).max() > 1e-3


def test_it_is_part_of_what_the_target_is(family_folder: Folder, lora: Path) -> None:
    folder = str(family_folder("stable-diffusion"))
    targets = [load_target(folder, device="cpu", batch=1, lora=one) for one in ((), (str(lora),), (f"{lora}:0.5",))]
    assert len({target.checksum for target in targets}) == 3
    (line,) = targets[2].settings.loras
    assert "scale 0.5" in line
    layers = sum(1 for name, _ in targets[0].pipe.unet.named_modules() if name.endswith(("to_q", "to_v")))
    assert f"{layers} layers" in line
    assert targets[1].evaluations == 0


def test_it_looks_like_the_model_without(family_folder: Folder, lora: Path) -> None:
    folder = str(family_folder("stable-diffusion"))
    names = [
        [name for name, _ in load_target(folder, device="cpu", batch=1, lora=one).pipe.unet.named_modules()]
        for one in ((), (str(lora),))
    ]
    assert names[0] == names[1]


def test_a_lora_of_another_model_is_refused(family_folder: Folder, lora: Path, tmp_path: Path) -> None:
    pipe = FluxPipeline.from_pretrained(family_folder("flux"))
    pipe.transformer.add_adapter(ADAPTER)
    pipe.save_lora_weights(tmp_path, transformer_lora_layers=get_peft_model_state_dict(pipe.transformer))
    other = tmp_path / "pytorch_lora_weights.safetensors"
    save_file({"unet.nowhere.to_q.lora_A.weight": torch.zeros(2, 4)}, tmp_path / "nowhere.safetensors")
    for file in (other, tmp_path / "nowhere.safetensors"):
        with pytest.raises(UnusableInputError, match=r"no layer|does not fit") as refused:
            load_target(str(family_folder("stable-diffusion")), device="cpu", batch=1, lora=(str(file),))
        assert "\n" not in str(refused.value)
    with pytest.raises(UnusableInputError, match=r"no layer|does not fit"):
        load_target(str(family_folder("stable-diffusion-3")), device="cpu", batch=1, lora=(str(lora),))
    with pytest.raises(UnusableInputError, match="2 safetensors files"):
        load_target(str(family_folder("stable-diffusion")), device="cpu", batch=1, lora=(str(tmp_path),))


def test_a_lora_that_is_not_there_or_a_pickle_is_refused(family_folder: Folder, tmp_path: Path) -> None:
    folder = str(family_folder("stable-diffusion"))
    (tmp_path / "style.bin").write_bytes(b"pickle")
    for name, words in (("./nowhere", "There is no LoRA"), (str(tmp_path / "style.bin"), "not a safetensors file")):
        with pytest.raises(UnusableInputError, match=words):
            load_target(folder, device="cpu", batch=1, lora=(name,))


def test_a_scale_stands_behind_the_last_colon() -> None:
    assert parse_lora("a/b.safetensors") == ("a/b.safetensors", 1.0)
    assert parse_lora("owner/name:0.75") == ("owner/name", 0.75)
    assert parse_lora("C:/a.safetensors") == ("C:/a.safetensors", 1.0)
