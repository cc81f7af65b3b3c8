"""Noise on clean pictures or latents, and what the denoiser is to make of it: the same for every family.

The loss is the mean squared error at timesteps that are drawn uniformly (Ho et al. 2020, arXiv 2006.11239): of the
noise in latent space, of the velocity in pixel space (Salimans and Ho 2022, arXiv 2202.00512).
"""

from dataclasses import dataclass
from typing import Any

import torch
from diffusers import DDIMScheduler, DDPMScheduler
from torch import Tensor

SPACING: dict[str, Any] = {
    "timestep_spacing": "trailing",
    "steps_offset": 1,  # no effect with this spacing, but diffusers warns about any other value
}


def latent_scheduler() -> Any:
    """Stable Diffusion's noise schedule with DDIM (arXiv 2010.02502): only the first latents are random."""
    return DDIMScheduler(  # type: ignore[no-untyped-call, unused-ignore]
        num_train_timesteps=1000,
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        **SPACING,
    )


def pixel_scheduler() -> Any:
    """DDPM's noise schedule with DDIM; each predicted picture is clipped to [−1, 1].

    Stable Diffusion's would leave a signal of 0.068 in the last timestep: the mean of a 32 × 32 picture can be read off
    it, and generation, which starts from noise, would draw pictures as dark or bright as the noise happens to be. Here
    it is 0.006, too little to read off the noise alone, so the network predicts the velocity. (IF: cosine schedule,
    noise.) Made from a DDPM scheduler's configuration: `IFPipeline` asks for its `variance_type`.
    """
    ancestral: Any = DDPMScheduler(  # type: ignore[no-untyped-call, unused-ignore]
        num_train_timesteps=1000,
        beta_start=0.0001,
        beta_end=0.02,
        beta_schedule="linear",
        clip_sample=True,
        prediction_type="v_prediction",
        variance_type="fixed_small",
        **SPACING,
    )
    return DDIMScheduler.from_config(ancestral.config)


@dataclass(frozen=True, kw_only=True)
class Noised:
    """One batch."""

    noisy: Tensor
    """What the denoiser sees, float32 (batch, channels, side, side)."""
    timesteps: Tensor
    """int64 (batch,)."""
    wanted: Tensor
    """What it is to predict, of the shape of `noisy`: the noise or the velocity."""


def noised(clean: Tensor, scheduler: Any, generator: torch.Generator) -> Noised:
    """Clean pictures or latents (batch, channels, side, side) with as much noise as belongs to drawn timesteps."""
    noise = torch.randn(clean.shape, generator=generator)
    signals = scheduler.alphas_cumprod.sqrt()
    timesteps = torch.randint(len(signals), (len(clean),), generator=generator)
    signal = signals[timesteps][:, None, None, None]
    deviation = (1 - signal.square()).sqrt()
    velocity = scheduler.config.prediction_type == "v_prediction"
    return Noised(
        noisy=signal * clean + deviation * noise,
        timesteps=timesteps,
        wanted=signal * noise - deviation * clean if velocity else noise,
    )
