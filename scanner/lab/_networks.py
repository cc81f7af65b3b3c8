"""The networks of the small pipelines, with fresh weights.

In `UNet2DConditionModel`, `attention_head_dim` is the number of heads, whatever its name says; in `UNet2DModel` it is
the channels of one. A latent denoiser attends to the text at all levels except the largest latents; one in pixel space
only at its smallest level: with attention among 16 × 16 pixels too, a training step takes twice as long.
"""

from typing import Any

import torch
from diffusers import AutoencoderKL, UNet2DConditionModel, UNet2DModel
from transformers import CLIPTextConfig, CLIPTextModel, T5Config, T5EncoderModel

from scanner.lab._randomness import torch_generator
from scanner.lab._recipe import LatentRecipe, PixelRecipe, Recipe, UnconditionalRecipe
from scanner.lab._t5_tokenizer import END_ID as T5_END_ID
from scanner.lab._t5_tokenizer import PAD_ID as T5_PAD_ID
from scanner.lab._tokenizer import BEGIN_ID, END_ID

LATENT_CHANNELS = 4
PIXEL_CHANNELS = 3

Vae = Any
"""An `AutoencoderKL`: its mixins are loaded lazily, so mypy sees neither its base class nor its attributes."""
Unet = Any
"""A `UNet2DConditionModel` or `UNet2DModel`, likewise."""


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


def build_latent_unet(recipe: LatentRecipe, latent_size: int) -> Unet:
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
        norm_num_groups=recipe.groups,
        layers_per_block=1,
        attention_head_dim=recipe.heads,
        cross_attention_dim=recipe.text_width,
    )


def build_clip_encoder(recipe: LatentRecipe, vocabulary: int) -> CLIPTextModel:
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


def build_pixel_unet(recipe: PixelRecipe, size: int) -> Unet:
    """A denoiser of `size` × `size` RGB pictures in [−1, 1], with IF's three output channels more for the variance."""
    plain = len(recipe.unet_widths) - 1
    _seed(recipe, "unet")
    return UNet2DConditionModel(  # type: ignore[no-untyped-call, unused-ignore]
        sample_size=size,
        in_channels=PIXEL_CHANNELS,
        out_channels=2 * PIXEL_CHANNELS,
        down_block_types=("DownBlock2D",) * plain + ("CrossAttnDownBlock2D",),
        up_block_types=("CrossAttnUpBlock2D",) + ("UpBlock2D",) * plain,
        block_out_channels=recipe.unet_widths,
        norm_num_groups=recipe.groups,
        layers_per_block=1,
        attention_head_dim=recipe.heads,
        cross_attention_dim=recipe.text_width,
    )


def build_t5_encoder(recipe: PixelRecipe, vocabulary: int) -> T5EncoderModel:
    """A T5 encoder for a tokenizer of `vocabulary` pieces, without dropout: randomness depends on the step alone."""
    _seed(recipe, "text encoder")
    config = T5Config(
        vocab_size=vocabulary,
        d_model=recipe.text_width,
        d_kv=recipe.text_width // recipe.heads,
        d_ff=4 * recipe.text_width,
        num_layers=recipe.text_layers,
        num_heads=recipe.heads,
        dropout_rate=0.0,
        pad_token_id=T5_PAD_ID,
        eos_token_id=T5_END_ID,
    )
    return T5EncoderModel(config)


def build_unconditional_unet(recipe: UnconditionalRecipe, size: int) -> Unet:
    """A denoiser of `size` × `size` RGB pictures in [−1, 1] that is told nothing but the timestep."""
    plain = len(recipe.unet_widths) - 1
    _seed(recipe, "unet")
    return UNet2DModel(  # type: ignore[no-untyped-call, unused-ignore]
        sample_size=size,
        in_channels=PIXEL_CHANNELS,
        out_channels=PIXEL_CHANNELS,
        down_block_types=("DownBlock2D",) * plain + ("AttnDownBlock2D",),
        up_block_types=("AttnUpBlock2D",) + ("UpBlock2D",) * plain,
        block_out_channels=recipe.unet_widths,
        norm_num_groups=recipe.groups,
        layers_per_block=1,
        attention_head_dim=recipe.unet_widths[-1] // recipe.heads,
    )


def _seed(recipe: Recipe, purpose: str) -> None:
    """Fresh weights are drawn from torch's global generator; there is no argument to pass another."""
    torch.manual_seed(torch_generator(recipe.seed, purpose).initial_seed())
