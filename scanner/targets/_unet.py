"""The denoiser of a latent UNet with one text embedding: Stable Diffusion 1 and 2 and what is fine-tuned from them."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def is_latent_unet(pipe: Any) -> bool:
    """Whether `LatentUNet` reads this pipeline: a UNet with an autoencoder and a single text embedding."""
    return (
        getattr(pipe, "unet", None) is not None
        and getattr(pipe, "vae", None) is not None
        and pipe.unet.config.get("addition_embed_type") is None
        and pipe.scheduler.config.get("prediction_type") in {"epsilon", "v_prediction"}
    )


class LatentUNet:
    """A `Denoiser` of a pipeline for which `is_latent_unet` holds."""

    predicts = "noise"

    def __init__(self, pipe: Any, size: int) -> None:
        self.pipe, self.size = pipe, size
        self.network: torch.nn.Module = pipe.unet

    def text(self, captions: Sequence[str]) -> Any:
        """Embeddings (n, tokens, width)."""
        return self.pipe.encode_prompt(list(captions), self.pipe.device, 1, False)[0]

    def noise(self, seeds: Sequence[int]) -> Tensor:
        """(n, channels, height, width), of deviation 1 whatever the scheduler's own scale."""
        generators = [torch.Generator("cpu").manual_seed(seed) for seed in seeds]
        channels, dtype = self.pipe.unet.config.in_channels, self.pipe.unet.dtype
        scaled: Tensor = self.pipe.prepare_latents(
            len(seeds), channels, self.size, self.size, dtype, self.pipe.device, generators
        )
        return scaled / float(self.pipe.scheduler.init_noise_sigma)

    def timesteps(self, steps: int) -> Tensor:
        """(steps,), the noisiest first."""
        self.pipe.scheduler.set_timesteps(steps, device=self.pipe.device)
        timesteps: Tensor = self.pipe.scheduler.timesteps
        return timesteps

    def predict(self, noisy: Tensor, timestep: Tensor, text: Any) -> Tensor:
        """The predicted noise."""
        embeddings = text.expand(len(noisy), -1, -1)
        predicted: Tensor = self.network(noisy, timestep, encoder_hidden_states=embeddings).sample
        if self.pipe.scheduler.config.prediction_type == "epsilon":
            return predicted
        a, s = self.noise_level(timestep)
        return a * predicted + s * noisy

    def clean(self, noisy: Tensor, timestep: Tensor, predicted: Tensor) -> Tensor:
        """x₀ = (noisy − s · noise) / a."""
        a, s = self.noise_level(timestep)
        return (noisy - s * predicted) / a

    def noise_level(self, timestep: Tensor) -> tuple[float, float]:
        """(√ᾱ, √(1 − ᾱ)) at this timestep."""
        kept = float(self.pipe.scheduler.alphas_cumprod[int(timestep)])
        return kept**0.5, (1 - kept) ** 0.5

    def step(self, noisy: Tensor, timestep: Tensor, following: Tensor | None, predicted: Tensor) -> Tensor:
        """A DDIM step (Song et al. 2021, arXiv 2010.02502)."""
        clean = self.clean(noisy, timestep, predicted)
        if following is None:
            return clean
        a, s = self.noise_level(following)
        return a * clean + s * predicted

    def picture(self, latents: Tensor) -> Tensor:
        """(n, 3, size, size) on [0, 1]."""
        decoded = self.pipe.vae.decode(latents / self.pipe.vae.config.scaling_factor).sample
        pixels: Tensor = (decoded / 2 + 0.5).clamp(0, 1)
        return pixels
