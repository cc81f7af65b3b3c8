"""The denoiser of PixArt-α and -Σ (Chen et al. 2023, 2024, arXiv 2310.00426, 2403.04692): a transformer that predicts
noise, conditioned on T5 tokens of which a mask says which count."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import torch
from diffusers import PixArtAlphaPipeline, PixArtSigmaPipeline
from torch import Tensor

from scanner.targets._diffusion import NoisePredictor, predicts_noise

CONDITIONED_ON_SIZE = 128
"""Latent side of the models that are told the picture's size and shape, as the pipelines have it."""


class MaskedText(NamedTuple):
    """Captions as T5 gives them."""

    tokens: Tensor
    """(n, tokens, width)."""
    mask: Tensor
    """(n, tokens), 1 where a token counts."""


def is_pixart(pipe: Any) -> bool:
    """Whether `LatentPixArt` reads this pipeline."""
    return isinstance(pipe, (PixArtAlphaPipeline, PixArtSigmaPipeline)) and predicts_noise(pipe)


class LatentPixArt(NoisePredictor):
    """A `Denoiser` of a pipeline for which `is_pixart` holds. The variance that the network learns is dropped."""

    def __init__(self, pipe: Any, size: int, *, clean_captions: bool) -> None:
        super().__init__(pipe, size)
        self.clean_captions = clean_captions
        self.window = 120 if isinstance(pipe, PixArtAlphaPipeline) else 300

    def text(self, captions: Sequence[str]) -> MaskedText:
        """Encoded captions, of 120 tokens (α) or 300 (Σ)."""
        tokens, mask, _, _ = self.pipe.encode_prompt(
            list(captions), False, clean_caption=self.clean_captions, max_sequence_length=self.window
        )
        return MaskedText(tokens, mask)

    def predict(self, noisy: Tensor, timestep: Tensor, text: MaskedText) -> Tensor:
        """The predicted noise."""
        count = len(noisy)
        output = self.network(
            noisy,
            encoder_hidden_states=text.tokens.expand(count, -1, -1),
            encoder_attention_mask=text.mask.expand(count, -1),
            timestep=timestep.expand(count),
            added_cond_kwargs=self._conditions(noisy),
        ).sample
        return self.as_noise(noisy, timestep, output)

    def _conditions(self, noisy: Tensor) -> dict[str, Tensor | None]:
        if self.network.config.sample_size != CONDITIONED_ON_SIZE:
            return {"resolution": None, "aspect_ratio": None}
        sides = torch.tensor([[self.size, self.size]]).expand(len(noisy), -1)
        return {"resolution": sides.to(noisy), "aspect_ratio": torch.ones(len(noisy), 1).to(noisy)}
