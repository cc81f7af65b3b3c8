"""The three networks of a small Stable-Diffusion-shaped pipeline, with fresh weights.

Widths must be multiples of 32 (group normalisation). In `UNet2DConditionModel`, `attention_head_dim` is the
number of heads, whatever its name says. The denoiser attends to the text at all levels except the smallest
latents, where a convolution sees the whole picture anyway.
"""

from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

from scanner.lab._randomness import torch_generator
from scanner.lab._recipe import LatentRecipe
from scanner.lab._tokenizer import BEGIN_ID, END_ID

LATENT_CHANNELS = 4

Vae = Any
"""An `AutoencoderKL`: its mixins are loaded lazily, so mypy sees neither its base class nor its attributes."""
Unet = Any
"""A `UNet2DConditionModel`, likewise."""


def build_vae(recipe: LatentRecipe, size: int) -> Vae:
    """An autoencoder of `size` × `size` RGB pictures in [−1, 1]."""
    levels = len(recipe.vae_widths)
    _seed(recipe, "vae")
    return AutoencoderKL(  # type: ignore[no-untyped-call, unused-ignore]
        down_block_types=("DownEncoderBlock2D",) * levels,
        up_block_types=("UpDecoderBlock2D",) * levels,
        block_out_channels=recipe.vae_widths,
        layers_per_block=1,
        latent_channels=LATENT_CHANNELS,
        norm_num_groups=8,
        sample_size=size,
        scaling_factor=1.0,
    )


def build_unet(recipe: LatentRecipe, latent_size: int) -> Unet:
    """A denoiser of `latent_size` × `latent_size` latents that attends to the text encoder's states."""
    levels = len(recipe.unet_widths)
    _seed(recipe, "unet")
    return UNet2DConditionModel(  # type: ignore[no-untyped-call, unused-ignore]
        sample_size=latent_size,
        in_channels=LATENT_CHANNELS,
        out_channels=LATENT_CHANNELS,
        down_block_types=("DownBlock2D",) + ("CrossAttnDownBlock2D",) * (levels - 1),
        up_block_types=("CrossAttnUpBlock2D",) * (levels - 1) + ("UpBlock2D",),
        block_out_channels=recipe.unet_widths,
        layers_per_block=1,
        attention_head_dim=recipe.heads,
        cross_attention_dim=recipe.text_width,
    )


def build_text_encoder(recipe: LatentRecipe, vocabulary: int) -> CLIPTextModel:
    """A text encoder for a tokenizer of `vocabulary` tokens."""
    _seed(recipe, "text encoder")
    config = CLIPTextConfig(
        vocab_size=vocabulary,
        hidden_size=recipe.text_width,
        intermediate_size=4 * recipe.text_width,
        projection_dim=recipe.text_width,
        num_hidden_layers=recipe.text_layers,
        num_attention_heads=recipe.heads,
        max_position_embeddings=recipe.prompt_tokens,
        bos_token_id=BEGIN_ID,
        eos_token_id=END_ID,
        pad_token_id=END_ID,
    )
    return CLIPTextModel(config)


def _seed(recipe: LatentRecipe, purpose: str) -> None:
    """Fresh weights are drawn from torch's global generator; there is no argument to pass another."""
    torch.manual_seed(torch_generator(recipe.seed, purpose).initial_seed())
