"""Anisotropy of the log-probability (Asthana and Belagiannis, ICLR 2026, "Detecting and Mitigating Memorization in
Diffusion Models through Anisotropy of the Log-Probability", arXiv 2601.20642;
github.com/rohanasthana/memorization-anisotropy).

Where there is little noise, log p is anisotropic, and the norm of the guidance says little; what a memorised prompt
shows there is that the guidance s(x | caption) − s(x) points along the unconditional score s(x). The metric adds both
regimes, each on the very same pure noise x_T, without denoising anything:

    γ₁ · ‖s(x | caption) − s(x)‖ at the first timestep + γ₂ · cos(s(x | caption) − s(x), s(x)) at nearly the last.

As in the published code the cosine is taken over the channels and averaged over the places, the low-noise timestep is
the last but two of 50, and γ = (1, 2), its values for Stable Diffusion 1.4. Its norm is over that model's 4 × 64 × 64
latents: we take the root mean square times 128, the same number there, so that γ keeps its meaning at other sizes. A
seed costs 4 evaluations. For flow models the difference is that of the velocities and s(x) is the noise that follows
from the unconditional velocity. The paper was read in its code and its abstract, not in full.

    >>> Anisotropy(target, run_seed=0)(["a red fox"], ["9f86d081884c7d65"])   # doctest: +SKIP
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scanner.targets import Denoiser, Target
from scanner.triage._seeded import Draws, look_inside, mean_over_seeds, prompt_difference, root_mean_square

NORM_WEIGHT, COSINE_WEIGHT = 1.0, 2.0
"""γ₁ and γ₂ of the published code for Stable Diffusion 1.4 (for 2.0 it has 1 and 0.1)."""
LATENT_SIDE = (4 * 64 * 64) ** 0.5
"""What turns a root mean square into the norm over Stable Diffusion's latents."""
STEPS = 50
LOW_NOISE = -3
"""Of 50 timesteps, the one at which the cosine is taken."""


class Anisotropy:
    """The detector on one loaded target."""

    name = "asthana-anisotropy"

    def __init__(self, target: Target, *, run_seed: int, seeds: int = 4) -> None:
        self.inside = look_inside(target, "anisotropy")
        self.draws = Draws(run_seed=run_seed, seeds=seeds, batch=target.batch)

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations per prompt."""
        return 4 * self.draws.seeds

    def __call__(self, captions: Sequence[str], prompt_ids: Sequence[str]) -> NDArray[np.float64]:
        """Scores (n,), at least −2."""
        return mean_over_seeds(self._combined, captions, prompt_ids, self.draws)

    def _combined(self, captions: Sequence[str], seeds: Sequence[int]) -> Tensor:
        inside = self.inside
        with torch.inference_mode():
            noisy, timesteps = inside.noise(seeds), inside.timesteps(STEPS)
            norm = LATENT_SIDE * root_mean_square(prompt_difference(inside, noisy, timesteps[0], captions))
            low = timesteps[LOW_NOISE]
            given = inside.predict(noisy, low, inside.text(captions))
            without = inside.predict(noisy, low, inside.text([""]))
            cosine = channel_cosine(as_noise(inside, noisy, low, without), given - without)
        return NORM_WEIGHT * norm + COSINE_WEIGHT * cosine


def as_noise(inside: Denoiser, noisy: Tensor, timestep: Tensor, predicted: Tensor) -> Tensor:
    """The noise that a prediction means: itself, or what is left when the velocity's clean picture is taken away."""
    if inside.predicts == "noise":
        return predicted
    a, s = inside.noise_level(timestep)
    return (noisy - a * inside.clean(noisy, timestep, predicted)) / s


def channel_cosine(a: Tensor, b: Tensor) -> Tensor:
    """Cosine over the channels, averaged over the places: two (n, channels, height, width) → (n,), −1 to 1."""
    return torch.nn.functional.cosine_similarity(a.double(), b.double(), dim=1).flatten(1).mean(dim=1)
