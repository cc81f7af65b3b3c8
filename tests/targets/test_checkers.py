"""Safety checkers and watermarkers: their real classes, with heads that are set to flag everything or nothing."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from diffusers import DiffusionPipeline
from diffusers.pipelines.deepfloyd_if import IFSafetyChecker, IFWatermarker
from diffusers.pipelines.stable_diffusion import StableDiffusionSafetyChecker
from transformers import CLIPConfig, CLIPImageProcessor

from scanner.targets import Transform, load_target, write_transform

Folder = Callable[[str], Path]


def clip_config() -> CLIPConfig:
    vision = {
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "image_size": 32,
        "patch_size": 16,
        "projection_dim": 8,
    }
    return CLIPConfig(vision_config=vision, projection_dim=8)


def save_with(folder: Path, out: Path, **parts: Any) -> str:
    pipe = DiffusionPipeline.from_pretrained(folder)
    crop = {"height": 32, "width": 32}
    pipe.register_modules(feature_extractor=CLIPImageProcessor(size={"shortest_edge": 32}, crop_size=crop), **parts)
    pipe.save_pretrained(out)
    write_transform(out, Transform(fit="squeeze", size=32))
    return str(out)


@pytest.mark.parametrize("flags", [True, False])
def test_an_image_that_the_checker_blanks_is_recorded_as_such(
    family_folder: Folder, tmp_path: Path, flags: bool
) -> None:
    checker = StableDiffusionSafetyChecker(clip_config())
    with torch.no_grad():
        checker.concept_embeds_weights.fill_(-2 if flags else 2)  # the cosine that counts as unsafe
        checker.special_care_embeds_weights.fill_(2)
    folder = save_with(family_folder("stable-diffusion"), tmp_path / "checked", safety_checker=checker)
    target = load_target(folder, device="cpu", batch=2)
    assert target.settings.safety_checker == "on"
    for one in target.generate(["red square"] * 3, [1, 2, 3], steps=1, guidance=1.0):
        assert one.defect == ("safety_checker" if flags else None)
        assert (one.note is not None) == flags
    without = load_target(folder, device="cpu", batch=2, safety_checker=False)
    assert without.settings.safety_checker == "off"
    assert without.generate(["red square"], [1], steps=1, guidance=1.0)[0].defect is None


@pytest.mark.parametrize(("head", "words"), [("p_head", "unsafe"), ("w_head", "watermark")])
def test_both_heads_of_deepfloyds_checker_are_recorded(
    family_folder: Folder, tmp_path: Path, head: str, words: str
) -> None:
    checker = IFSafetyChecker(clip_config())
    with torch.no_grad():
        for name in ("p_head", "w_head"):
            getattr(checker, name).weight.zero_()
            getattr(checker, name).bias.fill_(9 if name == head else -9)
    folder = save_with(family_folder("deepfloyd-if"), tmp_path / "checked", safety_checker=checker)
    (one,) = load_target(folder, device="cpu", batch=1).generate(["red square"], [1], steps=2, guidance=1.0)
    assert one.defect == "safety_checker"
    assert words in str(one.note)


def test_deepfloyds_mark_is_put_on_unless_switched_off(family_folder: Folder, tmp_path: Path) -> None:
    mark = IFWatermarker()
    mark.watermark_image.fill_(255)
    folder = save_with(family_folder("deepfloyd-if"), tmp_path / "marked", watermarker=mark)
    marked, plain = (load_target(folder, device="cpu", batch=1, watermarker=kept) for kept in (True, False))
    assert (marked.settings.watermarker, plain.settings.watermarker) == ("on", "off")
    images = [
        np.asarray(target.generate(["red square"], [1], steps=2, guidance=1.0)[0].image) for target in (marked, plain)
    ]
    changed = np.abs(images[0] - images[1]).max(-1) > 1 / 255
    assert changed.sum() <= 1  # at 32 pixels the mark is one white pixel
    assert (images[0] == 1).all(-1).sum() >= 1


def test_what_is_not_brought_is_absent(family_folder: Folder) -> None:
    settings = load_target(str(family_folder("stable-diffusion-xl")), device="cpu", batch=1).settings
    assert (settings.safety_checker, settings.watermarker) == ("absent", "absent")


def test_images_that_are_not_finite_are_told_from_blanked_ones(family_folder: Folder, tmp_path: Path) -> None:
    checker = StableDiffusionSafetyChecker(clip_config())
    with torch.no_grad():
        checker.concept_embeds_weights.fill_(2)
        checker.special_care_embeds_weights.fill_(2)
    folder = save_with(family_folder("stable-diffusion"), tmp_path / "checked", safety_checker=checker)
    target = load_target(folder, device="cpu", batch=2)
    with torch.no_grad():
        target.pipe.unet.conv_out.bias.fill_(float("nan"))
    assert [one.defect for one in target.generate(["red"] * 2, [1, 2], steps=1, guidance=1.0)] == ["not_finite"] * 2
