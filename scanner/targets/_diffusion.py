"""What the denoisers of noise-predicting models share: the schedule, x₀, and the DDIM step between two timesteps.

Everything is at the variance-preserving scale, noisy = √ᾱ · clean + √(1 − ᾱ) · noise, whatever scale the pipeline's
own scheduler keeps its samples at.
"""

from collections.abc import Sequence
from typing import Any

import torch
from diffusers.utils.torch_utils import randn_tensor
from torch import Tensor

from scanner.targets._autoencoder import picture
from scanner.targets._quiet import quiet


def starting_noise(pipe: Any, network: Any, shape: tuple[int, int, int], seeds: Sequence[int]) -> Tensor:
    """(n, *shape), deviation 1: what the pipelines of diffusers draw from one generator per image."""
    generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
    noise: Tensor = randn_tensor(
        (len(seeds), *shape), generator=generators, device=torch.device(pipe.device), dtype=network.dtype
    )
    return noise


def predicts_noise(pipe: Any) -> bool:
    """Whether the scheduler's table of ᾱ and its kind of prediction are such as `NoisePredictor` reads."""
    return hasattr(pipe.scheduler, "alphas_cumprod") and pipe.scheduler.config.get("prediction_type") in {
        "epsilon",
        "v_prediction",
    }


class NoisePredictor:
    """The part of a `Denoiser` that does not depend on the network."""

    predicts = "noise"

    def __init__(self, pipe: Any, size: int) -> None:
        self.pipe, self.size = pipe, size
        self.network: Any = getattr(pipe, "unet", None) or pipe.transformer

    def noise(self, seeds: Sequence[int]) -> Tensor:
        """(n, channels, height, width), of deviation 1 whatever the scheduler's own scale."""
        side = self.size // int(getattr(self.pipe, "vae_scale_factor", 1))
        return starting_noise(self.pipe, self.network, (self.network.config.in_channels, side, side), seeds)

    def timesteps(self, steps: int) -> Tensor:
        """(steps,), the noisiest first."""
        with quiet():
            self.pipe.scheduler.set_timesteps(steps, device=self.pipe.device)
        timesteps: Tensor = self.pipe.scheduler.timesteps
        return timesteps

    def as_noise(self, noisy: Tensor, timestep: Tensor, output: Tensor) -> Tensor:
        """The network's output as predicted noise: without the variance that some learn beside it, v turned into ε."""
        predicted = output[:, : noisy.shape[1]]
        if self.pipe.scheduler.config.prediction_type == "epsilon":
            return predicted
        a, s = self.noise_level(timestep)
        return a * predicted + s * noisy

    def clean(self, noisy: Tensor, timestep: Tensor, predicted: Tensor) -> Tensor:
        """x₀ = (noisy − s · noise) / a, clipped where the pipeline's scheduler clips it."""
        a, s = self.noise_level(timestep)
        return self._clipped((noisy - s * predicted) / a)

    def _clipped(self, clean: Tensor) -> Tensor:
        scheduler = self.pipe.scheduler
        if scheduler.config.get("thresholding"):
            clipped: Tensor = scheduler._threshold_sample(clean)
            return clipped
        if scheduler.config.get("clip_sample"):
            limit = scheduler.config.clip_sample_range
            return clean.clamp(-limit, limit)
        return clean

    def noise_level(self, timestep: Tensor) -> tuple[float, float]:
        """(√ᾱ, √(1 − ᾱ)) at this timestep."""
        kept = float(self.pipe.scheduler.alphas_cumprod[int(timestep)])
        return kept**0.5, (1 - kept) ** 0.5

    def step(self, noisy: Tensor, timestep: Tensor, following: Tensor | None, predicted: Tensor) -> Tensor:
        """A DDIM step (Song et al. 2021, arXiv 2010.02502), with the noise that belongs to x₀ where x₀ was clipped."""
        (a, s), clean = self.noise_level(timestep), self.clean(noisy, timestep, predicted)
        if following is None:
            return clean
        noise = (noisy - a * clean) / s
        a, s = self.noise_level(following)
        return a * clean + s * noise

    def picture(self, latents: Tensor) -> Tensor:
        """(n, 3, size, size) on [0, 1]."""
        return picture(self.pipe.vae, latents)
