"""The denoiser of Stable Diffusion XL (Podell et al. 2023, arXiv 2307.01952): two text encoders, a pooled embedding,
and the size and crop of the picture as conditions."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from diffusers import StableDiffusionXLPipeline
from torch import Tensor

from scanner.targets._diffusion import NoisePredictor, predicts_noise


class PooledText(NamedTuple):
    """Captions as the text encoders give them, with one vector for the whole."""

    tokens: Tensor
    """(n, tokens, width)."""
    pooled: Tensor
    """(n, pooled width)."""

    def of(self, count: int) -> "PooledText":
        """As many as there are images, from as many captions or from one."""
        return PooledText(self.tokens.expand(count, -1, -1), self.pooled.expand(count, -1))


def is_sdxl(pipe: Any) -> bool:
    """Whether `LatentUNetXL` reads this pipeline."""
    if not isinstance(pipe, StableDiffusionXLPipeline):
        return False
    parts: Any = pipe
    conditioned = parts.unet.config.addition_embed_type == "text_time"
    return parts.text_encoder_2 is not None and conditioned and predicts_noise(pipe)


class LatentUNetXL(NoisePredictor):
    """A `Denoiser` of a pipeline for which `is_sdxl` holds."""

    def text(self, captions: Sequence[str]) -> PooledText:
        """Encoded captions; "" as the pipeline's own guidance has it: all zeros in the base model."""
        given, empty, pooled, empty_pooled = self.pipe.encode_prompt(
            list(captions), device=self.pipe.device, do_classifier_free_guidance=True
        )
        blank = torch.tensor([caption == "" for caption in captions], device=given.device)
        return PooledText(
            torch.where(blank[:, None, None], empty, given), torch.where(blank[:, None], empty_pooled, pooled)
        )

    def predict(self, noisy: Tensor, timestep: Tensor, text: PooledText) -> Tensor:
        """The predicted noise, of an uncropped picture of the target's size."""
        tokens, pooled = text.of(len(noisy))
        square = (self.size, self.size)
        times = self.pipe._get_add_time_ids(
            square, (0, 0), square, tokens.dtype, self.pipe.text_encoder_2.config.projection_dim
        )
        conditions = {"text_embeds": pooled, "time_ids": times.to(noisy.device).expand(len(noisy), -1)}
        output = self.network(noisy, timestep, encoder_hidden_states=tokens, added_cond_kwargs=conditions).sample
        return self.as_noise(noisy, timestep, output)
