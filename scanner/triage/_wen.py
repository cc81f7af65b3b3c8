"""Text-conditional noise magnitude (Wen et al., ICLR 2024, "Detecting, Explaining, and Mitigating Memorization in
Diffusion Models", arXiv 2407.21720).

A memorised prompt pulls the prediction away from the unconditional one from the first step on, whatever the noise:
the score is ‖ε(x_T, caption) − ε(x_T, ∅)‖₂, averaged over a few seeds. The paper averages over steps as well; we
take the first step alone (2 evaluations a seed) with 4 seeds (on the demo target 1 seed passes 81 % of the groups of
32 copies and more at 1 % false positives, 4 seeds 90 %), and divide by the square root of the latent's
size, so that scores compare across resolutions.

    >>> NoiseMagnitude(target, run_seed=0)(["a red fox"], ["9f86d081884c7d65"])   # doctest: +SKIP
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scanner.targets import Target
from scanner.triage._seeded import Draws, look_inside, mean_over_seeds, prompt_difference, root_mean_square


class NoiseMagnitude:
    """The detector on one loaded target."""

    name = "wen-noise-magnitude"

    def __init__(self, target: Target, *, run_seed: int, seeds: int = 4, steps: int = 50) -> None:
        self.inside, self.steps = look_inside(target, "wen"), steps
        self.draws = Draws(run_seed=run_seed, seeds=seeds, batch=target.batch)

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations per prompt."""
        return 2 * self.draws.seeds

    def __call__(self, captions: Sequence[str], prompt_ids: Sequence[str]) -> NDArray[np.float64]:
        """Scores (n,), at least 0; the root mean square of the difference of the two predictions."""
        return mean_over_seeds(self._magnitudes, captions, prompt_ids, self.draws)

    def _magnitudes(self, captions: Sequence[str], seeds: Sequence[int]) -> Tensor:
        with torch.inference_mode():
            noisy, first = self.inside.noise(seeds), self.inside.timesteps(self.steps)[0]
            return root_mean_square(prompt_difference(self.inside, noisy, first, captions))
