"""The text tower: its own weights or none at all, the same vector in any batch, and its tokenizer or one sentence."""

import json
import time
from pathlib import Path

import numpy as np
import open_clip
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import PreTrainedTokenizerFast

from scanner.errors import ScannerError, UnusableInputError
from scanner.fingerprints import load_embedder
from tests.fingerprints.coloured_clip import COLOURS, CONFIG, CONTEXT, square

CAPTIONS = [f"a {colour} square" for colour in COLOURS]
WEIGHTS = "open_clip_model.safetensors"


@pytest.fixture(scope="module")
def embedder(coloured_clip):
    return load_embedder(f"local-dir:{coloured_clip}", batch=5)


@pytest.fixture(scope="module")
def text(embedder):
    return embedder.text()


def changed(coloured_clip, target: Path, *, text_cfg=None, drop: str = "~", nan: str = "~") -> str:
    """The model again, with other settings of its text tower, some tensors left out, or some that are NaN."""
    config = json.loads((coloured_clip / "open_clip_config.json").read_text())
    config["model_cfg"]["text_cfg"] |= text_cfg or {}
    (target / "open_clip_config.json").write_text(json.dumps(config))
    kept = {name: tensor for name, tensor in load_file(coloured_clip / WEIGHTS).items() if not name.startswith(drop)}
    spoilt = {name: tensor * torch.nan if name.startswith(nan) else tensor for name, tensor in kept.items()}
    save_file(spoilt, target / WEIGHTS)
    return f"local-dir:{target}"


def test_captions_are_embedded_with_the_models_own_text_tower(text, coloured_clip):
    network = open_clip.CLIP(**CONFIG).eval()
    network.load_state_dict(load_file(coloured_clip / WEIGHTS))
    with torch.inference_mode():
        tokens = open_clip.SimpleTokenizer(context_length=CONTEXT)(CAPTIONS)
        expected = network.encode_text(tokens, normalize=True).numpy()
    rows = text(CAPTIONS).rows
    assert (rows.shape, rows.dtype, text.width, text.context_length) == ((7, 24), np.float32, 24, CONTEXT)
    assert np.abs(rows - expected).max() < 1e-5


def test_every_picture_is_closest_to_the_caption_that_names_its_colour(embedder, text):
    pictures = embedder([square(colour, 10**6 + seed) for colour in COLOURS for seed in range(5)])
    closest = (pictures.astype(np.float32) @ text(CAPTIONS).rows.T).argmax(axis=1)
    assert closest.tolist() == np.repeat(range(7), 5).tolist()


def test_a_captions_embedding_is_bitwise_the_same_in_any_batch(text):
    together = text(CAPTIONS).rows
    alone = np.concatenate([text([caption]).rows for caption in CAPTIONS])
    assert np.array_equal(together.view(np.uint32), alone.view(np.uint32))
    order = np.random.default_rng(0).permutation(7)
    moved = text([CAPTIONS[row] for row in order]).rows
    assert np.array_equal(moved.view(np.uint32), together[order].view(np.uint32))
    assert np.abs(np.linalg.norm(together, axis=1) - 1).max() < 1e-6
    nothing = text([])
    assert (nothing.rows.shape, nothing.cut.shape) == ((0, 24), (0,))


def test_captions_beyond_the_context_window_are_cut_and_said_to_be(text):
    fits = CONTEXT - 2  # between the marks of start and end
    captions = ["red " * count for count in (1, fits - 1, fits, fits + 1, 40)]
    found = text(captions)
    assert found.cut.tolist() == [False, False, False, True, True]
    assert np.array_equal(found.rows[2], found.rows[4])
    assert not text(["", "  "]).cut.any()


def test_a_caption_of_any_length_is_embedded_at_once(text):
    letters = "".join(chr(97 + letter) for letter in np.random.default_rng(0).integers(0, 26, 10**5))
    began = time.monotonic()
    found = text([letters, "red" + " \n" * 10**5 + "square", "red " * 10**5])
    assert time.monotonic() - began < 10
    assert found.cut.tolist() == [True, False, True]
    assert np.array_equal(found.rows[0], text([letters[: 40 * CONTEXT]]).rows[0])
    assert np.array_equal(found.rows[1:], text(["red square", "red " * 40]).rows)


def test_the_demo_model_has_no_text_tower(embedder):
    demo = load_embedder("demo")
    assert (embedder.has_text, demo.has_text) == (True, False)
    with pytest.raises(ScannerError, match=r"^demo has no text tower, so captions can't be compared"):
        demo.text()


def test_a_checkpoint_without_the_text_tower_is_refused(coloured_clip, tmp_path):
    with pytest.raises(UnusableInputError, match="can't be loaded"):
        load_embedder(changed(coloured_clip, tmp_path, drop="transformer."))


def test_a_text_tower_whose_weights_are_no_numbers_is_refused(coloured_clip, tmp_path):
    model = load_embedder(changed(coloured_clip, tmp_path, nan="text_projection"))
    with pytest.raises(ScannerError, match=r"gave 1 of 1 embeddings that are not finite .* check its weights"):
        model.text()


def test_a_tokenizer_in_the_models_folder_is_used_and_without_it_one_sentence_says_where_to_put_it(
    coloured_clip, tmp_path
):
    model = load_embedder(changed(coloured_clip, tmp_path, text_cfg={"hf_tokenizer_name": "bert-base-uncased"}))
    with pytest.raises(ScannerError, match=f"tokenizer of .* can't be loaded; put its files into {tmp_path}"):
        model.text()
    words = {word: number for number, word in enumerate(["<pad>", "?", "a", "square", *COLOURS])}
    plain = Tokenizer(models.WordLevel(words, unk_token="?"))
    plain.pre_tokenizer = pre_tokenizers.Whitespace()
    PreTrainedTokenizerFast(tokenizer_object=plain, pad_token="<pad>", unk_token="?").save_pretrained(tmp_path)
    found = model.text()(["a red square", "a blue square", "a red square", "red " * CONTEXT, "red " * (CONTEXT + 1)])
    assert found.cut.tolist() == [False, False, False, False, True]
    assert np.array_equal(found.rows[0], found.rows[2])


def test_a_tokenizer_of_words_that_the_tower_does_not_know_is_refused(coloured_clip, tmp_path):
    model = load_embedder(changed(coloured_clip, tmp_path, text_cfg={"hf_tokenizer_name": "bert-base-uncased"}))
    far = Tokenizer(models.WordLevel({"<pad>": 0, "a": 10**6}, unk_token="a"))
    PreTrainedTokenizerFast(tokenizer_object=far, pad_token="<pad>", unk_token="a").save_pretrained(tmp_path)
    with pytest.raises(ScannerError, match="does not work with its tokenizer"):
        model.text()
