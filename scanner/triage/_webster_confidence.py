"""Denoising confidence (Webster 2023, "A Reproducible Extraction of Training Images from Diffusion Models",
arXiv 2305.08694; github.com/ryanwebster90/onestep-extraction).

Asked for everything in one step, a model that has memorised a prompt's image commits itself: its guided one-step
image lies far from the noise it began with, where another prompt's is pale. The paper's score is the mean squared
distance of the starting noise z₀ (of deviation σ) and the image D(z₀) of one Euler step to σ = 0, with guidance 7.5 and
one seed. Since z₀ − D(z₀) = σ · ε, with ε the guided prediction ε(∅) + g · (ε(caption) − ε(∅)), the mean square of ε
ranks prompts alike, and we return its root: 2 evaluations a seed. On flow models the same identity holds with the
guided velocity, σ = 1. Higher is more suspicious, as in the paper's list of the highest scores. On the demo's target
2 seeds, 4 evaluations, give an AUC of 0.973 against 200 controls and 71 % of the 89 verified prompts at 1 % false
positives; Wen's magnitude 0.949 and 66 % with 8.

    >>> DenoisingConfidence(target, run_seed=0)(["a red fox"], ["9f86d081884c7d65"])   # doctest: +SKIP
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scanner.targets import Target
from scanner.triage._seeded import Draws, look_inside, mean_over_seeds, root_mean_square

PAPER_GUIDANCE = 7.5


class DenoisingConfidence:
    """The detector on one loaded target."""

    name = "webster-denoising-confidence"

    def __init__(self, target: Target, *, run_seed: int, seeds: int = 2, guidance: float = PAPER_GUIDANCE) -> None:
        self.inside, self.guidance = look_inside(target, "webster"), guidance
        self.draws = Draws(run_seed=run_seed, seeds=seeds, batch=target.batch)

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations per prompt."""
        return 2 * self.draws.seeds

    def __call__(self, captions: Sequence[str], prompt_ids: Sequence[str]) -> NDArray[np.float64]:
        """Scores (n,), at least 0: distance of noise and one-step image in deviations of the noise."""
        return mean_over_seeds(self._changes, captions, prompt_ids, self.draws)

    def _changes(self, captions: Sequence[str], seeds: Sequence[int]) -> Tensor:
        with torch.inference_mode():
            noisy, first = self.inside.noise(seeds), self.inside.timesteps(1)[0]
            given = self.inside.predict(noisy, first, self.inside.text(captions))
            without = self.inside.predict(noisy, first, self.inside.text([""]))
        return root_mean_square(without + self.guidance * (given - without))
