"""Embedding models: loaded with their own weights or refused, and the same vector whatever the batch."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from PIL import Image, ImageEnhance
from safetensors.torch import load_file, save_file

from scanner.demo import demo_pictures
from scanner.errors import ScannerError, UnusableInputError
from scanner.fingerprints import load_embedder
from scanner.fingerprints._demo_model import fold_batch_norm, load_demo_model, prepare, rename_weights
from scanner.samples import decode
from tests.samples.pictures import encode, photo_like

TINY = {
    "embed_dim": 24,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 8},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
PREPROCESS = {"mean": [0.5, 0.4, 0.3], "std": [0.2, 0.3, 0.4]}


@pytest.fixture(scope="module")
def tiny_folder(tmp_path_factory):
    """A real open_clip model of a few thousand weights, as open_clip stores one."""
    folder = tmp_path_factory.mktemp("tiny")
    torch.manual_seed(0)
    network = open_clip.CLIP(**TINY)
    config = {"model_cfg": TINY, "preprocess_cfg": PREPROCESS}
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    save_file(network.state_dict(), folder / "open_clip_model.safetensors")
    return folder


@pytest.fixture(scope="module")
def tiny(tiny_folder):
    return load_embedder(f"local-dir:{tiny_folder}", batch=5)


@pytest.fixture(scope="module")
def demo():
    return load_embedder("demo", batch=5)


def copy_with(folder, target, name, tensor):
    """The tiny model again, with one tensor replaced."""
    network = open_clip.CLIP(**TINY)
    weights = load_file(folder / "open_clip_model.safetensors")
    weights[name] = tensor(weights[name])
    network.load_state_dict(weights)
    (target / "open_clip_config.json").write_text((folder / "open_clip_config.json").read_text())
    save_file(network.state_dict(), target / "open_clip_model.safetensors")
    return target


def test_a_local_model_embeds_with_its_own_weights_and_preprocessing(tiny, tiny_folder):
    picture = photo_like(1, 32, 32)
    inputs = (torch.from_numpy(picture).permute(2, 0, 1) / 255 - torch.tensor(PREPROCESS["mean"])[:, None, None]) / (
        torch.tensor(PREPROCESS["std"])[:, None, None]
    )
    network = open_clip.CLIP(**TINY).eval()
    network.load_state_dict(load_file(tiny_folder / "open_clip_model.safetensors"))
    with torch.inference_mode():
        expected = network.encode_image(inputs[None], normalize=True).numpy()
    row = tiny([picture])
    assert (row.shape, row.dtype, tiny.width) == ((1, 24), np.float16, 24)
    assert np.abs(row - expected).max() < 2e-3
    assert tiny.name == f"local-dir:{tiny_folder}"


@pytest.mark.parametrize("model", ["tiny", "demo"])
def test_a_pictures_embedding_is_bitwise_the_same_in_any_batch(model, request):
    embedder = request.getfixturevalue(model)
    pictures = [photo_like(seed, 40 + seed, 50) for seed in range(7)]
    together = embedder(pictures)
    assert (together.shape, together.dtype) == ((7, embedder.width), np.float16)
    assert np.abs(np.linalg.norm(together.astype(np.float64), axis=1) - 1).max() < 1e-3
    alone = np.concatenate([embedder([picture]) for picture in pictures])
    assert np.array_equal(together.view(np.uint16), alone.view(np.uint16))
    order = np.random.default_rng(0).permutation(7)
    assert np.array_equal(embedder([pictures[i] for i in order]).view(np.uint16), together[order].view(np.uint16))
    assert embedder([]).shape == (0, embedder.width)


def test_the_demo_model_keeps_copies_together_and_others_apart(demo):
    pictures = [decode(webp) for webp in demo_pictures()["webp"][:12]]
    copies = [decode(encode(picture, "JPEG", quality=75)) for picture in pictures]
    darker = [np.asarray(ImageEnhance.Brightness(Image.fromarray(picture)).enhance(0.9)) for picture in pictures]
    originals = demo(pictures).astype(np.float32)
    similarity = originals @ originals.T - 2 * np.eye(len(pictures))
    for edited in (copies, darker):
        same = (originals * demo(edited).astype(np.float32)).sum(axis=1)
        assert same.min() > 0.8  # JPEG at quality 75 moved one drawing of twelve to 0.85
        assert np.median(same) > 0.9
        assert (same > similarity.max(axis=1)).all()


def test_the_demo_models_fast_form_is_the_same_function(demo):
    network, fast = load_demo_model(), fold_batch_norm(load_demo_model())
    inputs = torch.stack([prepare(photo_like(seed)) for seed in range(2)])
    with torch.inference_mode():
        slow, quick = network.encode_image(inputs), fast.encode_image(inputs)
    assert torch.nn.functional.cosine_similarity(slow, quick).min() > 0.9999
    assert not any(isinstance(module, torch.nn.BatchNorm2d) for module in fast.modules())
    assert demo.width == slow.shape[1] == 1280


def test_the_demo_model_sees_a_white_margin():
    inputs = prepare(np.zeros((40, 20, 3), np.uint8))
    assert (inputs.shape, inputs.dtype) == ((3, 160, 160), torch.uint8)
    assert inputs[:, :, :40].unique().tolist() == [255]
    assert inputs[:, :, 40:120].unique().tolist() == [0]


def test_weights_are_paired_by_order_and_shape():
    stored = {"_a.weight": torch.zeros(2, 3), "_b.bias": torch.ones(4), "_fc.weight": torch.zeros(9)}
    renamed = rename_weights(stored, {"a": torch.empty(2, 3), "b": torch.empty(4)})
    assert list(renamed) == ["a", "b"]
    for wanted in ({"a": torch.empty(3, 2), "b": torch.empty(4)}, {"a": torch.empty(2, 3)}):
        with pytest.raises(ScannerError, match="do not fit"):
            rename_weights(stored, wanted)


def test_a_checksum_follows_the_weights(tiny, tiny_folder, demo, tmp_path):
    again = load_embedder(f"local-dir:{tiny_folder}")
    other = load_embedder(f"local-dir:{copy_with(tiny_folder, tmp_path, 'visual.proj', lambda tensor: tensor + 1e-3)}")
    assert again.checksum == tiny.checksum
    assert len({tiny.checksum, other.checksum, demo.checksum}) == 3


@pytest.mark.parametrize(("value", "what"), [(float("nan"), "not finite"), (0.0, "no length")])
def test_embeddings_that_are_no_numbers_are_an_error(tiny_folder, tmp_path, value, what):
    folder = copy_with(tiny_folder, tmp_path, "visual.proj", lambda tensor: torch.full_like(tensor, value))
    with pytest.raises(ScannerError, match=what):
        load_embedder(f"local-dir:{folder}")([photo_like(0)])


def test_models_without_their_weights_are_refused(tiny_folder, tmp_path):
    with pytest.raises(UnusableInputError, match=r"no open_clip_config\.json"):
        load_embedder(f"local-dir:{tmp_path}")
    (tmp_path / "open_clip_config.json").write_text((tiny_folder / "open_clip_config.json").read_text())
    with pytest.raises(UnusableInputError, match="has no weights"):
        load_embedder(f"local-dir:{tmp_path}")
    save_file({"visual.proj": torch.zeros(32, 24)}, tmp_path / "open_clip_model.safetensors")
    with pytest.raises(UnusableInputError, match="can't be loaded"):
        load_embedder(f"local-dir:{tmp_path}")
    (tmp_path / "open_clip_model.safetensors").write_bytes(b"not weights")
    with pytest.raises(UnusableInputError, match="can't be loaded"):
        load_embedder(f"local-dir:{tmp_path}")


@pytest.mark.parametrize(
    ("model", "pretrained", "message"),
    [
        ("ViT-B-32", None, "needs a tag .* laion2b_s34b_b79k"),
        ("ViT-B-32", "no-such-tag", "has no weights named no-such-tag; it has: .*openai"),
        ("no-such-model", "openai", "has no model named no-such-model"),
        ("demo", "openai", "brings its own weights"),
        ("local-dir:/nowhere", "openai", "brings its own weights"),
    ],
)
def test_wrong_names_are_refused(model, pretrained, message):
    with pytest.raises(UnusableInputError, match=message):
        load_embedder(model, pretrained)


UNREACHABLE = """
import sys, time
from scanner.errors import ScannerError, UnusableInputError
from scanner.fingerprints import load_embedder
from scanner.fingerprints._tokenizer import load_tokenizer
began = time.monotonic()
for model, tag in (("ViT-B-32", "laion2b_s34b_b79k"), ("hf-hub:laion/CLIP-ViT-B-32-laion2B-s34B-b79K", None)):
    try:
        load_embedder(model, tag)
    except UnusableInputError as error:
        print(error)
for model in ("ViT-B-16-SigLIP", "ViT-B-32"):
    try:
        print(load_tokenizer(model, name=model)(["a red fox"]).shape)
    except ScannerError as error:
        print(error)
assert time.monotonic() - began < 15
"""


def test_an_unreachable_hub_is_one_sentence_at_once(tmp_path):
    # the hub's address is read when its package is imported, hence another process; port 9 refuses connections
    environment = os.environ | {
        "HF_ENDPOINT": "http://127.0.0.1:9",
        "HF_HOME": str(tmp_path),
        "PYTHONPATH": str(Path.cwd()),
    }
    command = [sys.executable, "-c", UNREACHABLE]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=120, check=True)
    *weights, tokenizer, own_tokenizer = done.stdout.splitlines()
    assert len(weights) == 2
    assert tokenizer.startswith("The tokenizer of ViT-B-16-SigLIP (timm/ViT-B-16-SigLIP) is on the Hugging Face hub,")
    assert own_tokenizer == "torch.Size([1, 77])"
    for line in weights:
        assert "Hugging Face hub, which can't be reached" in line
        assert "local-dir:DIR" in line
        assert "--model demo" in line
    assert "Retrying" not in done.stderr
    assert "Traceback" not in done.stderr
