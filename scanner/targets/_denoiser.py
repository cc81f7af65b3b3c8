"""A target's denoiser, one evaluation at a time: what the detectors that look inside are written against.

The families differ in what the network predicts, how a text is encoded and how noise is scaled; a `Denoiser` hides
that. Where gradients are wanted, call it outside `torch.inference_mode`.

    >>> inside = target.denoiser                                                        # doctest: +SKIP
    >>> text, empty = inside.text(["a red fox"]), inside.text([""])                     # doctest: +SKIP
    >>> noisy, first = inside.noise([7]), inside.timesteps(50)[0]                       # doctest: +SKIP
    >>> inside.predict(noisy, first, text) - inside.predict(noisy, first, empty)        # doctest: +SKIP
"""

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import Tensor


class Denoiser(Protocol):
    """One pipeline's network with its text encoder and schedule."""

    network: torch.nn.Module
    """The UNet or transformer; each image of a batch that goes through it is one evaluation."""
    predicts: str
    """noise, or velocity (flow matching); a network of v-prediction is turned into noise."""

    def text(self, captions: Sequence[str]) -> Any:
        """Captions encoded, n of them, for `predict`; "" is the empty prompt of classifier-free guidance."""
        ...

    def noise(self, seeds: Sequence[int]) -> Tensor:
        """Starting noise, (n, channels, height, width), the very noise that `generate` starts from with these seeds."""
        ...

    def timesteps(self, steps: int) -> Tensor:
        """The pipeline's timesteps (steps,), the noisiest first."""
        ...

    def predict(self, noisy: Tensor, timestep: Tensor, text: Any) -> Tensor:
        """The predicted noise or velocity, of the shape of `noisy`, with `text` of as many captions (or of one)."""
        ...

    def clean(self, noisy: Tensor, timestep: Tensor, predicted: Tensor) -> Tensor:
        """The picture (latent) that a prediction means: x₀."""
        ...

    def noise_level(self, timestep: Tensor) -> tuple[float, float]:
        """(a, s) with noisy = a · clean + s · noise at this timestep."""
        ...

    def step(self, noisy: Tensor, timestep: Tensor, following: Tensor | None, predicted: Tensor) -> Tensor:
        """Deterministic (DDIM or Euler) step to the timestep `following`; None: to the clean picture."""
        ...

    def picture(self, latents: Tensor) -> Tensor:
        """Latents as pixels on [0, 1], (n, 3, size, size)."""
        ...
