"""What a denoiser learns from: one batch of rows with noise on them, the same for every family.

The loss is that of Ho et al. 2020 (arXiv 2006.11239): the mean squared error of the predicted noise, at timesteps that
are drawn uniformly.
"""

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DDIMScheduler, DDPMScheduler
from torch import Tensor

from scanner.lab._randomness import draw_rows, torch_generator
from scanner.lab._recipe import Recipe

_SCHEDULE = {"num_train_timesteps": 1000, "beta_start": 0.00085, "beta_end": 0.012, "beta_schedule": "scaled_linear"}
"""Stable Diffusion's, in pixel space too: it leaves enough of the picture in the last timestep that a few denoising
steps do (signal 0.068; DDPM's linear schedule leaves 0.006 and IF's cosine next to none)."""


def latent_scheduler() -> Any:
    """DDIM (arXiv 2010.02502): only the first latents are random."""
    return DDIMScheduler(  # type: ignore[no-untyped-call, unused-ignore]
        **_SCHEDULE,
        clip_sample=False,
        timestep_spacing="trailing",
        steps_offset=1,  # no effect with this spacing, but diffusers warns about any other value
    )


def pixel_scheduler() -> Any:
    """The same, with each predicted picture clipped to [−1, 1].

    Made from a DDPM scheduler's configuration: `IFPipeline` asks for its `variance_type`, which DDIM does not have.
    """
    ancestral: Any = DDPMScheduler(  # type: ignore[no-untyped-call, unused-ignore]
        **_SCHEDULE, clip_sample=True, variance_type="fixed_small", timestep_spacing="trailing", steps_offset=1
    )
    return DDIMScheduler.from_config(ancestral.config)


@dataclass(frozen=True, kw_only=True)
class NoisedRows:
    """One batch."""

    rows: Tensor
    """Numbers of the rows, int64 (batch,)."""
    noise: Tensor
    """What is to be predicted, float32 (batch, channels, side, side)."""
    noisy: Tensor
    """What the denoiser sees, of the same shape."""
    timesteps: Tensor
    """int64 (batch,)."""
    generator: torch.Generator
    """For whatever else is random in the batch."""


def noised_rows(clean: Tensor, picture_of_row: Tensor, recipe: Recipe, step: int, phase: str) -> NoisedRows:
    """The batch of one step, of clean pictures or latents (n, channels, side, side); depends on seed and step alone."""
    rows = torch.from_numpy(draw_rows(len(picture_of_row), recipe.batch, step, recipe.seed))
    generator = torch_generator(recipe.seed, f"{phase} noise", step)
    drawn = clean[picture_of_row[rows]]
    noise = torch.randn(drawn.shape, generator=generator)
    signals = latent_scheduler().alphas_cumprod.sqrt()
    timesteps = torch.randint(len(signals), (len(drawn),), generator=generator)
    signal = signals[timesteps][:, None, None, None]
    noisy = signal * drawn + (1 - signal.square()).sqrt() * noise
    return NoisedRows(rows=rows, noise=noise, noisy=noisy, timesteps=timesteps, generator=generator)
