"""Bright ending (Chen, Liu, Shah and Xu, ICLR 2025, "Exploring Local Memorization in Diffusion Models via Bright Ending
Attention", arXiv 2410.21665; github.com/chenchen-usyd/BE-PRSS).

At the last denoising step the end token of a caption hardly matters, unless the image is memorised: there the places
that repeat a training image look at it. Its cross-attention m (mean over heads and over the finest cross-attention
layers of the down blocks, brought to the latents' size) is a mask of what is memorised, and the score is Wen's
difference under it: mean over the first steps of ‖(ε(caption) − ε(∅)) · m‖₂ / mean(m). As published, but that the way
down is Denoiser.step's (DDIM) and shorter, that we take the root mean square in place of the norm, and the difference
of the first step alone where the paper averages it over 1, 10 or 50. On Stable Diffusion 50 steps are best (4 seeds,
400 evaluations); on the demo's target the difference of later steps is smaller for memorised prompts, and an average
over 8 steps ranks them last (AUC 0.37); the first step alone, weighed by the ending of 4, ranks them as Wen's magnitude
with one seed does (0.914).

The attention is read by wrapping the network's own attention processors for one step, so the images are not changed
by being looked at. A transformer whose tokens of text and image attend jointly (SD3, Flux) has no such map.

    >>> BrightEnding(target, run_seed=0)(["a red fox"], ["9f86d081884c7d65"])   # doctest: +SKIP
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from diffusers.models.attention_processor import Attention, AttnProcessor, AttnProcessor2_0
from numpy.typing import NDArray
from torch import Tensor

from scanner.errors import UnusableInputError
from scanner.targets import Target
from scanner.triage._seeded import Draws, look_inside, mean_over_seeds, root_mean_square

PAPER_GUIDANCE = 7.5


class BrightEnding:
    """The detector on one loaded target."""

    name = "chen-bright-ending"

    def __init__(self, target: Target, *, run_seed: int, seeds: int = 1, steps: int = 4, tracked: int = 1) -> None:
        self.inside, self.steps, self.tracked = look_inside(target, "bright-ending"), steps, tracked
        self.draws = Draws(run_seed=run_seed, seeds=seeds, batch=target.batch)
        self.layers = text_attention(self.inside.network)
        self.tokenizer = getattr(getattr(self.inside, "pipe", None), "tokenizer", None)
        if not self.layers or self.tokenizer is None:
            raise UnusableInputError(
                "The detector bright-ending reads the attention of image places to the caption's end, and "
                f"{target.name} has no such cross-attention; choose another with --triage."
            )

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations per prompt."""
        return 2 * self.steps * self.draws.seeds

    def __call__(self, captions: Sequence[str], prompt_ids: Sequence[str]) -> NDArray[np.float64]:
        """Scores (n,), at least 0."""
        return mean_over_seeds(self._masked_differences, captions, prompt_ids, self.draws)

    def _masked_differences(self, captions: Sequence[str], seeds: Sequence[int]) -> Tensor:
        with torch.inference_mode():
            differences, ending = self._way_down(captions, seeds)
            masked = torch.stack([root_mean_square(difference * ending) for difference in differences[: self.tracked]])
            return masked.mean(dim=0) / ending.double().flatten(1).mean(dim=1)

    def _way_down(self, captions: Sequence[str], seeds: Sequence[int]) -> tuple[list[Tensor], Tensor]:
        """The differences of all steps, and the end token's attention at the last, (n, 1, height, width)."""
        inside, timesteps = self.inside, self.inside.timesteps(self.steps)
        noisy, text, empty = inside.noise(seeds), inside.text(captions), inside.text([""])
        differences = list[Tensor]()
        for i, timestep in enumerate(timesteps):
            last = i + 1 == len(timesteps)
            with watched(self.layers if last else (), self._ends(captions)) as seen:
                given = inside.predict(noisy, timestep, text)
            without = inside.predict(noisy, timestep, empty)
            differences.append(given - without)
            guided = without + PAPER_GUIDANCE * (given - without)
            noisy = inside.step(noisy, timestep, None if last else timesteps[i + 1], guided)
        return differences, finest(seen, noisy.shape[-1])

    def _ends(self, captions: Sequence[str]) -> Tensor:
        """Position of each caption's end token, (n,)."""
        tokenizer: Any = self.tokenizer
        ids = tokenizer(
            list(captions), padding="max_length", max_length=tokenizer.model_max_length, truncation=True
        ).input_ids
        return torch.tensor([row.index(tokenizer.eos_token_id) for row in ids])


def text_attention(network: torch.nn.Module) -> tuple[Attention, ...]:
    """The cross-attention layers of a UNet's down blocks."""
    return tuple(
        layer
        for name, layer in network.named_modules()
        if name.startswith("down_blocks")
        and isinstance(layer, Attention)
        and layer.is_cross_attention
        and isinstance(layer.processor, (AttnProcessor, AttnProcessor2_0))
    )


class EndTokenAttention:
    """An attention processor that does what the one it stands for does, and notes how places attend to one token."""

    def __init__(self, inner: Any, ends: Tensor, seen: list[Tensor]) -> None:
        self.inner, self.ends, self.seen = inner, ends, seen

    def __call__(
        self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor, attention_mask: Any = None, **more: Any
    ) -> Tensor:
        query = attn.head_to_batch_dim(attn.to_q(hidden_states))
        key = attn.head_to_batch_dim(attn.to_k(encoder_hidden_states))
        every = attn.get_attention_scores(query, key)  # (n · heads, places, tokens)
        mean = every.view(len(hidden_states), attn.heads, *every.shape[1:]).mean(dim=1)
        rows = torch.arange(len(mean), device=mean.device)
        self.seen.append(mean[rows, :, self.ends.to(mean.device)])
        out: Tensor = self.inner(attn, hidden_states, encoder_hidden_states, attention_mask, **more)
        return out


@contextmanager
def watched(layers: Sequence[Attention], ends: Tensor) -> Iterator[list[Tensor]]:
    """While it lasts, each layer adds its attention to the end tokens to the list, (n, places)."""
    seen, before = list[Tensor](), [layer.processor for layer in layers]
    for layer in layers:
        watching: Any = EndTokenAttention(layer.processor, ends, seen)
        layer.set_processor(watching)
    try:
        yield seen
    finally:
        for layer, processor in zip(layers, before, strict=True):
            layer.set_processor(processor)


def finest(maps: Sequence[Tensor], side: int) -> Tensor:
    """The mean of the maps (n, places) of most places, as squares brought to `side`: (n, 1, side, side)."""
    places = max(one.shape[1] for one in maps)
    mean = torch.stack([one.float() for one in maps if one.shape[1] == places]).mean(dim=0)
    square = mean.view(len(mean), 1, int(places**0.5), -1)
    return torch.nn.functional.interpolate(square, size=(side, side), mode="nearest")
