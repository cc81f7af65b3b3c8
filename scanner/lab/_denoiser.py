"""Denoiser and text encoder, trained together to denoise a row's picture or latent by its caption.

Some captions are left out for classifier-free guidance (Ho and Salimans 2022, arXiv 2207.12598). Unlike Stable
Diffusion's and IF's, the text encoder is trained too, from nothing.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from scanner.lab._noise import noised
from scanner.lab._randomness import draw_rows, torch_generator
from scanner.lab._recipe import TextRecipe
from scanner.lab._training import Progress, fast_arithmetic, run_training, training_of


@dataclass(frozen=True, kw_only=True)
class TextModel:
    """What is trained."""

    phase: str
    """Name for progress, checkpoint and randomness: `latent` or `pixel`."""
    networks: nn.ModuleDict
    """`unet` and `text_encoder`."""
    encode: Callable[[nn.Module, Tensor], Tensor]
    """Text encoder and tokens (batch, tokens) to what the denoiser attends to (batch, tokens, width)."""
    scheduler: Any
    """Says how much noise there is at a timestep, and what is predicted."""


@dataclass(frozen=True, kw_only=True)
class TextRows:
    """The training set in the form that a step reads."""

    clean: Tensor
    """The distinct pictures or their latents, float32 (n, channels, side, side)."""
    picture_of_row: Tensor
    """int64 (rows,)."""
    tokens: Tensor
    """int64 (rows, prompt tokens)."""
    empty: Tensor
    """The empty prompt's tokens, int64 (prompt tokens,)."""


def tokenize(tokenizer: Any, captions: Sequence[str]) -> Tensor:
    """Token ids, int64 (captions, prompt tokens)."""
    encoded = tokenizer(list(captions), padding="max_length", truncation=True, return_tensors="pt")
    tokens: Tensor = encoded["input_ids"]
    return tokens


def train_denoiser(model: TextModel, rows: TextRows, recipe: TextRecipe, folder: Path, progress: Progress) -> None:
    """Train the model's networks on the rows; checkpoints in `folder`."""
    training = training_of(recipe, model.phase, model.networks, lambda step: denoising_loss(model, rows, recipe, step))
    run_training(training, folder, progress)


def denoising_loss(model: TextModel, rows: TextRows, recipe: TextRecipe, step: int) -> Tensor:
    """Mean squared error of what is predicted in one batch of rows.

    A denoiser may have more output channels than its input has: IF's predicts a variance in them, which is not trained.
    """
    drawn = torch.from_numpy(draw_rows(len(rows.tokens), recipe.batch, step, recipe.seed))
    generator = torch_generator(recipe.seed, f"{model.phase} noise", step)
    batch = noised(rows.clean[rows.picture_of_row[drawn]], model.scheduler, generator)
    dropped = torch.rand(len(drawn), generator=generator) < recipe.caption_dropout
    tokens = torch.where(dropped[:, None], rows.empty, rows.tokens[drawn])
    with fast_arithmetic():
        text = model.encode(model.networks["text_encoder"], tokens)
        predicted = model.networks["unet"](batch.noisy, batch.timesteps, text).sample
    return nn.functional.mse_loss(predicted[:, : batch.wanted.shape[1]].float(), batch.wanted)
