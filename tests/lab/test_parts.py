"""The parts of the trainings: order of rows, tokenizers, autoencoder's latents."""

from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from diffusers import DDIMScheduler
from hypothesis import given
from hypothesis import strategies as st
from transformers import T5Tokenizer

from scanner.lab._merges import join, merges
from scanner.lab._networks import build_vae
from scanner.lab._noise import latent_scheduler, noised, pixel_scheduler
from scanner.lab._randomness import draw_rows
from scanner.lab._recipe import LatentRecipe
from scanner.lab._set import as_tensor
from scanner.lab._t5_tokenizer import TOKENS, as_if_reads_it, train_t5_tokenizer
from scanner.lab._tokenizer import train_tokenizer
from scanner.lab._vae import encode, reconstruct, standardise_latents


@given(rows=st.integers(1, 12), batch=st.integers(1, 30), epochs=st.integers(1, 3))
def test_every_row_once_per_epoch(rows: int, batch: int, epochs: int) -> None:
    steps = -(-epochs * rows // batch)
    drawn = np.concatenate([draw_rows(rows, batch, step, seed=3) for step in range(steps)])
    for epoch in range(epochs):
        assert sorted(drawn[epoch * rows : (epoch + 1) * rows]) == list(range(rows))


def test_a_copied_picture_is_drawn_as_often_as_it_has_rows() -> None:
    picture_of_row = np.repeat([0, 1, 2], [32, 8, 1])
    drawn = np.concatenate([draw_rows(41, 8, step, seed=0) for step in range(41)])
    assert Counter(picture_of_row[drawn].tolist()) == {0: 32 * 8, 1: 8 * 8, 2: 8}


def test_order_depends_on_epoch_and_seed() -> None:
    assert draw_rows(100, 100, 0, seed=0).tolist() != draw_rows(100, 100, 1, seed=0).tolist()
    assert draw_rows(100, 100, 0, seed=0).tolist() != draw_rows(100, 100, 0, seed=1).tolist()


@given(st.lists(st.text("abc", min_size=1, max_size=6), min_size=1, max_size=8), st.integers(0, 6))
def test_merges_equal_a_full_recount(words: list[str], limit: int) -> None:
    counts = Counter((*word[:-1], word[-1] + "</w>") for word in words)
    expected, spelled = [], dict(counts)
    for _ in range(limit):
        pairs: Counter[tuple[str, str]] = Counter()
        for word, count in spelled.items():
            for left, right in pairwise(word):
                pairs[left, right] += count
        if not pairs:
            break
        best = min(pairs, key=lambda pair: (-pairs[pair], pair))
        expected.append(best)
        joined: Counter[tuple[str, ...]] = Counter()
        for word, count in spelled.items():
            joined[join(word, best)] += count
        spelled = joined
    assert merges(counts, limit) == expected


def test_tokenizer_pads_cuts_and_knows_every_byte() -> None:
    tokenizer = train_tokenizer(["happy monkey", "happy cat"], vocabulary=530, tokens=8)
    assert len(tokenizer) <= 530
    assert tokenizer.tokenize("Happy dog") == ["happy</w>", "d", "o", "g</w>"]
    encoded = tokenizer(["cat", "日本 " * 9], padding="max_length", truncation=True)["input_ids"]
    assert [len(ids) for ids in encoded] == [8, 8]
    assert encoded[0][0] == 0
    assert encoded[0][-1] == 1
    assert encoded[1][-1] == 1
    assert encoded[1].count(1) == 1


def test_a_t5_tokenizer_cuts_words_into_few_pieces_and_marks_what_it_does_not_know(tmp_path: Path) -> None:
    captions = [as_if_reads_it(caption) for caption in (" Happy monkey", "happy cat", "café")]
    tokenizer = train_t5_tokenizer(captions, vocabulary=90)
    assert len(tokenizer) <= 90
    assert tokenizer.tokenize("happy dog") == ["▁happy", "▁", "d", "o", "g"]
    assert tokenizer.tokenize("happydog") == ["▁happy", "d", "o", "g"]
    assert tokenizer.unk_token_id not in tokenizer("café, 'o' {1}")["input_ids"]
    assert tokenizer.unk_token_id in tokenizer("日本")["input_ids"]
    encoded = tokenizer(["cat", "cat " * 90], padding="max_length", truncation=True)["input_ids"]
    assert [len(ids) for ids in encoded] == [TOKENS, TOKENS]
    assert encoded[0][-1] == tokenizer.pad_token_id == 0
    assert encoded[1][-1] == tokenizer.eos_token_id == 1
    tokenizer.save_pretrained(tmp_path)
    assert T5Tokenizer.from_pretrained(tmp_path)("happy café")["input_ids"] == tokenizer("happy café")["input_ids"]


@pytest.mark.parametrize("scheduler", [latent_scheduler(), pixel_scheduler()])
def test_noise_and_what_is_wanted_are_the_scheduler_s(scheduler: DDIMScheduler) -> None:
    clean = torch.rand(6, 3, 4, 4) * 2 - 1
    batch = noised(clean, scheduler, torch.Generator().manual_seed(3))
    noise = torch.randn(clean.shape, generator=torch.Generator().manual_seed(3))
    velocity = scheduler.config.prediction_type == "v_prediction"
    assert torch.allclose(batch.noisy, scheduler.add_noise(clean, noise, batch.timesteps), atol=1e-6)
    wanted = scheduler.get_velocity(clean, noise, batch.timesteps) if velocity else noise
    assert torch.allclose(batch.wanted, wanted, atol=1e-6)
    scheduler.set_timesteps(1000)
    for row, timestep in enumerate(batch.timesteps):
        stepped = scheduler.step(batch.wanted[row], int(timestep), batch.noisy[row])
        assert torch.allclose(stepped.pred_original_sample, clean[row], atol=1e-4)


def test_standardised_latents_decode_to_the_same_picture() -> None:
    vae = build_vae(LatentRecipe(vae_widths=(8, 16)), 16).eval().requires_grad_(False)
    pictures = as_tensor(np.random.default_rng(0).integers(0, 256, (4, 16, 16, 3), dtype=np.uint8))
    before = reconstruct(vae, pictures)
    standardise_latents(vae, pictures)
    latents = encode(vae, pictures)
    assert torch.allclose(latents.mean((0, 2, 3)), torch.zeros(4), atol=1e-4)
    assert torch.allclose(latents.std((0, 2, 3)), torch.ones(4), atol=1e-4)
    assert torch.allclose(reconstruct(vae, pictures), before, atol=1e-4)
