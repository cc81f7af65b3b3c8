"""What the denoisers of flow-matching models share (Lipman et al. 2023, arXiv 2210.02747; Esser et al. 2024, arXiv
2403.03206): noisy = (1 − σ) · clean + σ · noise, and the network predicts the velocity noise − clean."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from scanner.targets._autoencoder import picture
from scanner.targets._diffusion import starting_noise


class VelocityPredictor:
    """The part of a `Denoiser` that does not depend on the network."""

    predicts = "velocity"

    def __init__(self, pipe: Any, size: int) -> None:
        self.pipe, self.size = pipe, size
        self.network: Any = pipe.transformer

    @property
    def channels(self) -> int:
        """Of the latents."""
        return int(self.network.config.in_channels)

    @property
    def side(self) -> int:
        """Of the latents."""
        return self.size // int(self.pipe.vae_scale_factor)

    def noise(self, seeds: Sequence[int]) -> Tensor:
        """(n, channels, height, width), of deviation 1."""
        return starting_noise(self.pipe, self.network, (self.channels, self.side, self.side), seeds)

    def clean(self, noisy: Tensor, timestep: Tensor, predicted: Tensor) -> Tensor:
        """x₀ = noisy − σ · velocity."""
        return noisy - self.noise_level(timestep)[1] * predicted

    def noise_level(self, timestep: Tensor) -> tuple[float, float]:
        """(1 − σ, σ); a timestep is σ in thousandths, as the scheduler counts."""
        sigma = float(timestep) / float(self.pipe.scheduler.config.num_train_timesteps)
        return 1 - sigma, sigma

    def step(self, noisy: Tensor, timestep: Tensor, following: Tensor | None, predicted: Tensor) -> Tensor:
        """An Euler step along the velocity."""
        sigma = self.noise_level(timestep)[1]
        target = 0.0 if following is None else self.noise_level(following)[1]
        return noisy + (target - sigma) * predicted

    def picture(self, latents: Tensor) -> Tensor:
        """(n, 3, size, size) on [0, 1]."""
        return picture(self.pipe.vae, latents)


def shift_of(pipe: Any, tokens: int, largest: float) -> float:
    """The schedule's shift for an image of so many tokens, on the line that the scheduler's configuration gives.

    `largest` is the shift at 4,096 tokens where the configuration has none: the pipelines of SD3 and Flux differ.
    """
    config = pipe.scheduler.config
    first, last = config.get("base_image_seq_len", 256), config.get("max_image_seq_len", 4096)
    low, high = config.get("base_shift", 0.5), config.get("max_shift", largest)
    return float(low + (high - low) * (tokens - first) / (last - first))
