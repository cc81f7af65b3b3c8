"""What is loaded and what is refused: code and pickles, incomplete weights, variants, sizes, devices."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import huggingface_hub
import pytest
import torch
from diffusers import DiffusionPipeline
from safetensors.torch import load_file, save_file

from scanner.errors import UnusableInputError
from scanner.targets import TRANSFORM_FILE, load_target

Folder = Callable[[str], Path]


@pytest.fixture
def copied(family_folder: Folder, tmp_path: Path) -> Callable[[str], Path]:
    """A copy of a family's pipeline that may be written into."""
    return lambda family: Path(shutil.copytree(family_folder(family), tmp_path / family))


def refusal(folder: Path, **changes: object) -> str:
    with pytest.raises(UnusableInputError) as refused:
        load_target(str(folder), device="cpu", batch=1, **changes)
    assert "\n" not in str(refused.value)
    return str(refused.value)


def pickled(file: Path, name: str) -> None:
    torch.save(load_file(file), file.with_name(name))
    file.unlink()


def test_a_pickle_is_refused_unless_allowed(copied: Folder) -> None:
    folder = copied("stable-diffusion")
    pickled(folder / "unet/diffusion_pytorch_model.safetensors", "diffusion_pytorch_model.bin")
    assert "diffusion_pytorch_model.bin" in refusal(folder)
    assert "--allow pickle" in refusal(folder, allow=("remote-code",))
    before = load_target(str(folder), device="cpu", batch=1, allow=("pickle",))
    assert before.generate(["red square"], [1], steps=2, guidance=1.0)[0].defect is None
    weights = torch.load(folder / "unet/diffusion_pytorch_model.bin", weights_only=True)
    torch.save(dict(list(weights.items())[3:]), folder / "unet/diffusion_pytorch_model.bin")
    assert "unet" in refusal(folder, allow=("pickle",))


def test_a_pickle_beside_safetensors_is_left_alone(copied: Folder) -> None:
    folder = copied("stable-diffusion")
    (folder / "unet/diffusion_pytorch_model.bin").write_bytes(b"not read")
    load_target(str(folder), device="cpu", batch=1)


OWN_CODE = """
from diffusers import StableDiffusionPipeline

class MyPipeline(StableDiffusionPipeline):
    pass
"""


def test_code_of_its_own_is_refused_unless_allowed(copied: Folder) -> None:
    folder = copied("stable-diffusion")
    (folder / "my_pipeline.py").write_text(OWN_CODE)
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": ["my_pipeline", "MyPipeline"]}))
    assert "my_pipeline.py" in refusal(folder)
    assert "--allow remote-code" in refusal(folder, allow=("pickle",))
    target = load_target(str(folder), device="cpu", batch=1, allow=("remote-code",))
    assert target.settings.family == "MyPipeline"
    assert target.generate(["red square"], [1], steps=2, guidance=1.0)[0].defect is None


def test_a_part_of_a_library_that_is_not_known_is_refused(copied: Folder) -> None:
    folder = copied("stable-diffusion")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"unet": ["os", "system"]}))
    assert "os.system" in refusal(folder)


@pytest.mark.parametrize(
    ("family", "part"),
    [
        ("stable-diffusion-3", "transformer"),
        ("stable-diffusion-3", "text_encoder_3"),
        ("stable-diffusion-xl", "text_encoder_2"),
        ("flux", "text_encoder_2"),
    ],
)
def test_missing_weights_of_any_part_are_refused(copied: Folder, family: str, part: str) -> None:
    folder = copied(family)
    file = next((folder / part).glob("*.safetensors"))
    weights = load_file(file)
    weights.pop(max(name for name in weights if name.endswith("weight")))
    save_file(weights, file, metadata={"format": "pt"})
    assert part in refusal(folder)


@pytest.fixture
def sharded(family_folder: Folder, tmp_path: Path) -> Path:
    """Weights cut into files, and beside them a half-precision variant that is cut as well."""
    pipe = DiffusionPipeline.from_pretrained(family_folder("flux"))
    pipe.save_pretrained(tmp_path / "sharded", max_shard_size="20KB")
    pipe.to(torch.float16).save_pretrained(tmp_path / "sharded", variant="fp16", max_shard_size="20KB")
    assert len(list((tmp_path / "sharded/transformer").glob("*.fp16-*-of-*.safetensors"))) > 1
    shutil.copy(family_folder("flux") / TRANSFORM_FILE, tmp_path / "sharded")
    return tmp_path / "sharded"


def test_weights_in_several_files_are_counted_together(sharded: Path) -> None:
    assert load_target(str(sharded), device="cpu", batch=1).settings.dtype == "float32"
    whole = max((sharded / "transformer").glob("*model-*-of-*.safetensors"), key=lambda file: file.stat().st_size)
    whole.unlink()
    assert "transformer" in refusal(sharded)
    assert load_target(str(sharded), device="cpu", batch=1, dtype="float16").settings.dtype == "float16"


def test_a_variant_is_read_where_there_is_nothing_else_and_can_be_incomplete_too(sharded: Path) -> None:
    for file in sharded.rglob("*.safetensors*"):
        if "fp16" not in file.name:
            file.unlink()
    assert load_target(str(sharded), device="cpu", batch=1).settings.dtype == "float32"
    file = max((sharded / "text_encoder_2").glob("*.fp16*.safetensors"), key=lambda file: file.stat().st_size)
    weights = load_file(file)
    weights.popitem()
    save_file(weights, file, metadata={"format": "pt"})
    assert "text_encoder_2" in refusal(sharded)


def test_a_pipeline_that_is_not_known_is_refused(copied: Folder) -> None:
    folder = copied("stable-diffusion")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": "NoSuchPipeline"}))
    assert "can't be loaded" in refusal(folder)
    (folder / "model_index.json").write_text(json.dumps(index | {"_class_name": "StableDiffusionImg2ImgPipeline"}))
    assert "is no text-to-image pipeline" in refusal(folder)


def test_the_size_is_the_models_own_unless_given(copied: Folder) -> None:
    folder = copied("stable-diffusion-xl")
    (folder / TRANSFORM_FILE).unlink()
    assert load_target(str(folder), device="cpu", batch=1).size == 32
    target = load_target(str(folder), device="cpu", batch=1, size=48)
    assert target.generate(["red square"], [1], steps=2, guidance=1.0)[0].image.shape == (48, 48, 3)
    assert "multiple of 2" in refusal(folder, size=33)


def test_what_was_chosen_is_told(family_folder: Folder) -> None:
    settings = load_target(str(family_folder("deepfloyd-if"))).settings
    assert settings.family == "IFPipeline"
    assert settings.device == ("cuda:0" if torch.cuda.is_available() else "cpu")
    assert settings.batch > 1
    assert settings.free_memory > settings.image_memory > 0
    assert (settings.safety_checker, settings.watermarker, settings.loras) == ("absent", "absent", ())
    assert settings.clean_captions
    raw = load_target(str(family_folder("deepfloyd-if")), batch=1, clean_captions=False).settings
    assert not raw.clean_captions


@pytest.mark.parametrize(
    "changes",
    [
        {"device": "warp"},
        {"dtype": "float8"},
        {"allow": ("everything",)},
        {"attention_slicing": "sometimes"},
        {"batch": -1},
    ],
)
def test_settings_that_do_not_exist_are_said(family_folder: Folder, changes: dict[str, object]) -> None:
    with pytest.raises(UnusableInputError, match=r"."):
        load_target(str(family_folder("stable-diffusion")), **changes)


def test_a_captions_lost_end_is_noted(family_folder: Folder) -> None:
    target = load_target(str(family_folder("stable-diffusion-3")), device="cpu", batch=2)
    short, long = target.generate(["red square", "red " * 30], [1, 2], steps=1, guidance=1.0)
    assert short.note is None
    assert long.note == "Cut to the text encoder's window: 20 of 32 tokens (tokenizer), 20 of 32 tokens (tokenizer_2)."


COMMIT = "0123456789" * 4


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The hub's cache on this machine, and no way to the hub itself."""
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return tmp_path


def test_a_model_of_the_hub_that_is_here_needs_no_network(family_folder: Folder, hub_cache: Path) -> None:
    repository = hub_cache / "models--owner--tiny"
    shutil.copytree(family_folder("flux"), repository / "snapshots" / COMMIT)
    (repository / "refs").mkdir()
    (repository / "refs/main").write_text(COMMIT)
    target = load_target("owner/tiny", device="cpu", batch=1)
    assert target.checksum == COMMIT
    assert target.generate(["red square"], [1], steps=2, guidance=3.5)[0].defect is None


@pytest.mark.usefixtures("hub_cache")
def test_a_model_of_the_hub_that_is_out_of_reach_is_said() -> None:
    with pytest.raises(UnusableInputError, match="owner/nothing can't be loaded") as refused:
        load_target("owner/nothing", device="cpu")
    assert "\n" not in str(refused.value)
