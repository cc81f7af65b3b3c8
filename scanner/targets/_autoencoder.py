"""The autoencoder of a latent model: what it gives back of a picture, and the picture that a latent stands for.

Half-precision autoencoders of SDXL overflow, so their own setting (`force_upcast`) is followed: they run in float32.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from diffusers import AsymmetricAutoencoderKL, AutoencoderDC, AutoencoderKL, AutoencoderTiny
from torch import Tensor

KINDS = (AutoencoderKL, AsymmetricAutoencoderKL, AutoencoderTiny, AutoencoderDC)
"""Of images; those of videos take another shape."""


def has_autoencoder(pipe: Any) -> bool:
    """Whether pictures can go through the pipeline's autoencoder."""
    return isinstance(getattr(pipe, "vae", None), KINDS)


def given_back(vae: Any, pixels: Tensor) -> Tensor:
    """Pixels (n, 3, size, size) on [−1, 1] encoded (at the mode) and decoded, float32."""
    with upcast(vae):
        encoded = vae.encode(pixels.to(vae.device, vae.dtype))
        if hasattr(encoded, "latent_dist"):
            latents = encoded.latent_dist.mode()
        else:
            latents = encoded.latents if hasattr(encoded, "latents") else encoded.latent
        decoded: Tensor = vae.decode(latents).sample.float()
    return decoded


def picture(vae: Any, latents: Tensor) -> Tensor:
    """Latents at the denoiser's scale as pixels on [0, 1], (n, 3, size, size)."""
    config = vae.config
    mean, deviation = config.get("latents_mean"), config.get("latents_std")
    if mean is not None and deviation is not None:
        scale = torch.tensor(deviation).view(1, -1, 1, 1).to(latents) / config.scaling_factor
        shift: Any = torch.tensor(mean).view(1, -1, 1, 1).to(latents)
    else:
        scale, shift = 1 / config.scaling_factor, config.get("shift_factor") or 0
    with upcast(vae):
        decoded = vae.decode((latents * scale + shift).to(vae.dtype)).sample
    pixels: Tensor = (decoded / 2 + 0.5).clamp(0, 1)
    return pixels


@contextmanager
def upcast(vae: Any) -> Iterator[None]:
    """Float32 inside, for an autoencoder that is known to overflow in float16."""
    overflows = vae.dtype == torch.float16 and vae.config.get("force_upcast", False)
    if not overflows:
        yield
        return
    vae.to(torch.float32)
    try:
        yield
    finally:
        vae.to(torch.float16)
