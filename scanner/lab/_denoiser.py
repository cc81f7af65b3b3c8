"""Denoiser and text encoder, trained together to predict the noise in a row's latent from its caption.

The loss is that of Ho et al. 2020 (arXiv 2006.11239), at uniformly drawn timesteps, with some captions left
out for classifier-free guidance (Ho and Salimans 2022, arXiv 2207.12598). Unlike Stable Diffusion, the text
encoder is trained too, from nothing.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from diffusers import DDIMScheduler
from torch import Tensor, nn
from transformers import CLIPTokenizer

from scanner.lab._networks import build_text_encoder, build_unet
from scanner.lab._randomness import draw_rows, torch_generator
from scanner.lab._recipe import LatentRecipe
from scanner.lab._training import Progress, Training, fast_arithmetic, run_training


@dataclass(frozen=True, kw_only=True)
class LatentRows:
    """The training set in the form that a step reads."""

    latents: Tensor
    """Of the distinct pictures, float32 (n, 4, size / 4, size / 4)."""
    picture_of_row: Tensor
    """int64 (rows,)."""
    tokens: Tensor
    """int64 (rows, prompt tokens)."""
    empty: Tensor
    """The empty prompt's tokens, int64 (prompt tokens,)."""


def tokenize(tokenizer: CLIPTokenizer, captions: Sequence[str]) -> Tensor:
    """Token ids, int64 (captions, prompt tokens)."""
    encoded = tokenizer(list(captions), padding="max_length", truncation=True, return_tensors="pt")
    tokens: Tensor = encoded["input_ids"]
    return tokens


def build_scheduler() -> Any:
    """Stable Diffusion's noise schedule with DDIM (arXiv 2010.02502): only the first latents are random."""
    return DDIMScheduler(  # type: ignore[no-untyped-call, unused-ignore]
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        timestep_spacing="trailing",
        steps_offset=1,  # no effect with this spacing, but diffusers warns about any other value
    )


def train_denoiser(
    rows: LatentRows, vocabulary: int, recipe: LatentRecipe, folder: Path, progress: Progress
) -> nn.ModuleDict:
    """The trained `unet` and `text_encoder` (of `vocabulary` tokens); checkpoints in `folder`."""
    networks = nn.ModuleDict(
        {
            "unet": build_unet(recipe, rows.latents.shape[-1]),
            "text_encoder": build_text_encoder(recipe, vocabulary),
        }
    )
    training = Training(
        phase="latent",
        module=networks,
        loss=lambda step: denoising_loss(networks, rows, recipe, step),
        steps=recipe.steps,
        learning_rate=recipe.learning_rate,
        warmup=recipe.warmup,
        weight_decay=recipe.weight_decay,
        average=recipe.average,
        checkpoint_every=recipe.checkpoint_every,
    )
    run_training(training, folder, progress)
    return networks


def denoising_loss(networks: nn.ModuleDict, rows: LatentRows, recipe: LatentRecipe, step: int) -> Tensor:
    """Mean squared error of the predicted noise in one batch of rows."""
    drawn = torch.from_numpy(draw_rows(len(rows.tokens), recipe.batch, step, recipe.seed))
    generator = torch_generator(recipe.seed, "latent noise", step)
    clean = rows.latents[rows.picture_of_row[drawn]]
    noise = torch.randn(clean.shape, generator=generator)
    scheduler = build_scheduler()
    timesteps = torch.randint(scheduler.config.num_train_timesteps, (len(clean),), generator=generator)
    dropped = torch.rand(len(clean), generator=generator) < recipe.caption_dropout
    tokens = torch.where(dropped[:, None], rows.empty, rows.tokens[drawn])
    signal = scheduler.alphas_cumprod[timesteps].sqrt()[:, None, None, None]
    noisy = signal * clean + (1 - signal.square()).sqrt() * noise
    with fast_arithmetic():
        text = networks["text_encoder"](tokens).last_hidden_state
        predicted = networks["unet"](noisy, timesteps, text).sample
    return nn.functional.mse_loss(predicted.float(), noise)
