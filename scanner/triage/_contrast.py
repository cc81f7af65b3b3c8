"""One-step contrast: ours, at one evaluation a seed. How much picture a model draws in its very first step.

At the first timestep a model knows nothing but the caption, and for most captions its best guess of the clean image is
near a flat mean. For a memorised one it is the image. So the score is the root mean square of the predicted clean
latents, each channel's mean over the places taken away (what one colour on the whole image is worth says little). It
needs no unconditional prediction, so it costs half of Wen's magnitude: on the demo's target (89 prompts that the full
attack verified, 200 controls) 1 seed, 1 evaluation: AUC 0.912, 60 % at 1 % false positives; Wen with 1 seed, 2
evaluations: 0.915 and 55 %; 2 seeds, 2 evaluations: 0.940 and 74 %. Whitening what is predicted by its mean without
caption did not help. On flow models the clean latents follow from the conditional velocity alone.

    >>> OneStepContrast(target, run_seed=0)(["a red fox"], ["9f86d081884c7d65"])   # doctest: +SKIP
"""

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scanner.targets import Target
from scanner.triage._seeded import Draws, look_inside, mean_over_seeds, root_mean_square


class OneStepContrast:
    """The detector on one loaded target."""

    name = "one-step-contrast"

    def __init__(self, target: Target, *, run_seed: int, seeds: int = 2, steps: int = 50) -> None:
        self.inside, self.steps = look_inside(target, "contrast"), steps
        self.draws = Draws(run_seed=run_seed, seeds=seeds, batch=target.batch)

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations per prompt."""
        return self.draws.seeds

    def __call__(self, captions: Sequence[str], prompt_ids: Sequence[str]) -> NDArray[np.float64]:
        """Scores (n,), at least 0, in the unit of the latents."""
        return mean_over_seeds(self._contrasts, captions, prompt_ids, self.draws)

    def _contrasts(self, captions: Sequence[str], seeds: Sequence[int]) -> Tensor:
        with torch.inference_mode():
            noisy, first = self.inside.noise(seeds), self.inside.timesteps(self.steps)[0]
            clean = self.inside.clean(noisy, first, self.inside.predict(noisy, first, self.inside.text(captions)))
        return contrast(clean)


def contrast(latents: Tensor) -> Tensor:
    """(n, channels, ...) → (n,): root mean square around each channel's own mean."""
    wide = latents.double().flatten(2)
    return root_mean_square(wide - wide.mean(dim=2, keepdim=True))
