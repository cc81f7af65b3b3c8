"""The denoiser of Flux.1: flow matching on latents that go through the transformer as packed 2 × 2 patches.

The dev model is distilled to take the guidance scale as an input, so one evaluation is one guided prediction; the
schnell model takes none.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from diffusers import FluxPipeline
from torch import Tensor

from scanner.targets._flow import VelocityPredictor, shift_of
from scanner.targets._unet_sdxl import PooledText

GUIDANCE = 3.5
"""Distilled guidance scale, the pipeline's own default."""


def is_flux(pipe: Any) -> bool:
    """Whether `LatentFlux` reads this pipeline."""
    return isinstance(pipe, FluxPipeline)


class LatentFlux(VelocityPredictor):
    """A `Denoiser` of a pipeline for which `is_flux` holds; `guidance` may be set to another distilled scale."""

    def __init__(self, pipe: Any, size: int) -> None:
        super().__init__(pipe, size)
        self.guidance = GUIDANCE

    @property
    def channels(self) -> int:
        """Of the latents before they are packed."""
        return int(self.network.config.in_channels) // 4

    @property
    def side(self) -> int:
        """Of the latents before they are packed, even."""
        return self.size // (2 * int(self.pipe.vae_scale_factor)) * 2

    def text(self, captions: Sequence[str]) -> PooledText:
        """Tokens of T5 and the pooled vector of CLIP."""
        tokens, pooled, _ = self.pipe.encode_prompt(list(captions), device=self.pipe.device)
        return PooledText(tokens, pooled)

    def timesteps(self, steps: int) -> Tensor:
        """(steps,), the noisiest first."""
        scheduler = self.pipe.scheduler
        sigmas = None if scheduler.config.get("use_flow_sigmas") else np.linspace(1.0, 1 / steps, steps)
        shift = shift_of(self.pipe, (self.side // 2) ** 2, 1.15)
        scheduler.set_timesteps(steps, sigmas=sigmas, mu=shift, device=self.pipe.device)
        timesteps: Tensor = scheduler.timesteps
        return timesteps

    def predict(self, noisy: Tensor, timestep: Tensor, text: PooledText) -> Tensor:
        """The predicted velocity, at the distilled guidance scale where the model has one."""
        count = len(noisy)
        tokens, pooled = text.of(count)
        guidance = torch.full((count,), self.guidance, device=noisy.device)
        velocity = self.network(
            hidden_states=_packed(noisy),
            timestep=timestep.expand(count).to(noisy.dtype) / 1000,
            guidance=guidance if self.network.config.guidance_embeds else None,
            pooled_projections=pooled,
            encoder_hidden_states=tokens,
            txt_ids=torch.zeros(tokens.shape[1], 3, device=noisy.device, dtype=noisy.dtype),
            img_ids=FluxPipeline._prepare_latent_image_ids(
                count, self.side // 2, self.side // 2, noisy.device, noisy.dtype
            ),
        ).sample
        return _unpacked(velocity, self.side)


def _packed(latents: Tensor) -> Tensor:
    """(n, c, h, w) → (n, h/2 · w/2, 4c)."""
    count, channels, height, width = latents.shape
    packed: Tensor = FluxPipeline._pack_latents(latents, count, channels, height, width)
    return packed


def _unpacked(packed: Tensor, side: int) -> Tensor:
    """(n, side/2 · side/2, 4c) → (n, c, side, side)."""
    latents: Tensor = FluxPipeline._unpack_latents(packed, side, side, 1)
    return latents
