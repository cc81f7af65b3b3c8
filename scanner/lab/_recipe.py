"""How a small latent text-to-image model is made: every number of it, in one place."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class LatentRecipe:
    """Widths, steps and rates of a Stable-Diffusion-shaped model that trains on a CPU."""

    seed: int = 0
    """Everything random comes from it: weights, order of rows, noise."""

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

    vocabulary: int = 2048
    """Tokens of the byte-pair vocabulary that is trained on the captions."""
    prompt_tokens: int = 32
    """Tokens of a prompt, begin and end included; a longer caption is cut."""
    text_width: int = 128
    """Channels of the text encoder."""
    text_layers: int = 3
    """Transformer layers of the text encoder."""
    unet_widths: tuple[int, ...] = (64, 96, 128)
    """Channels of the denoiser's levels (16, 8 and 4 latent pixels)."""
    heads: int = 4
    """Attention heads, in the denoiser and in the text encoder."""

    steps: int = 3000
    """Optimiser steps of denoiser and text encoder together."""
    batch: int = 64
    """Rows in one such step."""
    learning_rate: float = 1e-3
    """Largest learning rate of denoiser and text encoder."""
    warmup: int = 100
    """Steps over which a learning rate grows from 0; it falls along a cosine afterwards."""
    weight_decay: float = 0.0
    """AdamW's weight decay."""
    caption_dropout: float = 0.1
    """Share of rows trained with the empty prompt, for classifier-free guidance."""
    average: float = 0.995
    """Decay per step of the moving average of the weights; the average is what is saved."""

    checkpoint_every: int = 250
    """Steps between two checkpoints that a killed training continues from."""
