"""How a small target is made: every number of it, one recipe for each family."""

from dataclasses import dataclass

from scanner.errors import UnusableInputError


@dataclass(frozen=True, kw_only=True)
class Recipe:
    """What the families share: the denoiser and how it is trained on a CPU."""

    seed: int = 0
    """Everything random comes from it: weights, order of rows, noise."""
    unet_widths: tuple[int, ...]
    """Channels of the denoiser's levels; the picture shrinks by 2 between two levels."""
    groups: int
    """Groups in which the channels are normalised; every width is a multiple of it."""
    heads: int = 4
    """Attention heads of the denoiser (and of the text encoder, where there is one)."""
    steps: int = 3000
    """Optimiser steps of the denoiser (and of the text encoder with it)."""
    batch: int
    """Rows in one such step."""
    learning_rate: float = 1e-3
    """Largest learning rate of these."""
    warmup: int = 100
    """Steps over which a learning rate grows from 0; it falls along a cosine afterwards."""
    weight_decay: float = 0.0
    """AdamW's weight decay."""
    average: float = 0.995
    """Decay per step of the moving average of the weights; the average is what is saved."""
    checkpoint_every: int = 250
    """Steps between two checkpoints that a killed training continues from."""


@dataclass(frozen=True, kw_only=True)
class TextRecipe(Recipe):
    """What the families with a text encoder share."""

    vocabulary: int = 2048
    """Tokens of the vocabulary that is trained on the captions."""
    text_width: int = 128
    """Channels of the text encoder."""
    text_layers: int = 3
    """Transformer layers of the text encoder."""
    caption_dropout: float = 0.1
    """Share of rows trained with the empty prompt, for classifier-free guidance."""


@dataclass(frozen=True, kw_only=True)
class LatentRecipe(TextRecipe):
    """A Stable-Diffusion-shaped model: denoiser in the latent space of an autoencoder, CLIP text encoder."""

    unet_widths: tuple[int, ...] = (64, 96, 128)
    """Channels of the denoiser's levels (16, 8 and 4 latent pixels)."""
    groups: int = 32
    """Groups in which they are normalised."""
    batch: int = 64
    """Rows in one step of the denoiser."""
    prompt_tokens: int = 32
    """Tokens of a prompt, begin and end included; a longer caption is cut."""

    vae_widths: tuple[int, ...] = (16, 32, 64)
    """Channels of the autoencoder's levels; a picture shrinks by 2 between two levels (64 → 16 pixels)."""
    vae_steps: int = 1500
    """Optimiser steps of the autoencoder."""
    vae_batch: int = 32
    """Distinct pictures in one autoencoder step."""
    vae_learning_rate: float = 2e-3
    """Largest learning rate of the autoencoder."""
    kl_weight: float = 1e-4
    """Weight of a latent's mean Kullback-Leibler divergence beside the mean squared and absolute errors."""


@dataclass(frozen=True, kw_only=True)
class PixelRecipe(TextRecipe):
    """A DeepFloyd-IF-shaped model: denoiser in pixel space, T5 text encoder."""

    unet_widths: tuple[int, ...] = (32, 64, 128)
    """Channels of the denoiser's levels (32, 16 and 8 pixels)."""
    groups: int = 8
    """Groups in which they are normalised: 32 would be one channel each in the first level."""
    batch: int = 32
    """Rows in one step; half the latent model's, since the first level is four times as large."""


@dataclass(frozen=True, kw_only=True)
class UnconditionalRecipe(Recipe):
    """A DDPM-shaped model: denoiser in pixel space, and nothing to say what to draw."""

    unet_widths: tuple[int, ...] = (32, 64, 128)
    """Channels of the denoiser's levels (32, 16 and 8 pixels)."""
    groups: int = 8
    """Groups in which they are normalised: 32 would be one channel each in the first level."""
    batch: int = 32
    """Rows in one step."""


def refuse_odd_widths(recipe: Recipe) -> None:
    """Raises `UnusableInputError` for a denoiser whose channels can't be grouped."""
    if any(width % recipe.groups for width in recipe.unet_widths):
        raise UnusableInputError(
            f"The denoiser's widths must be multiples of {recipe.groups}, not {recipe.unet_widths}."
        )
