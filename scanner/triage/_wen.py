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

from scanner.errors import UnusableInputError
from scanner.targets import Target, image_seed

FIRST_SEED = 2_000_000
"""Image numbers of the detector's noise: apart from those of the images that are generated."""


class NoiseMagnitude:
    """The detector on one loaded target."""

    name = "wen-noise-magnitude"

    def __init__(self, target: Target, *, run_seed: int, seeds: int = 4, steps: int = 50) -> None:
        inside = target.denoiser
        if inside is None:
            raise UnusableInputError(f"The scanner can't look inside {target.name}, so use --triage none.")
        self.inside, self.batch = inside, target.batch
        self.run_seed, self.seeds, self.steps = run_seed, seeds, steps

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations per prompt."""
        return 2 * self.seeds

    def __call__(self, captions: Sequence[str], prompt_ids: Sequence[str]) -> NDArray[np.float64]:
        """Scores (n,), at least 0; the root mean square of the difference of the two predictions."""
        seeds = [image_seed(self.run_seed, prompt, FIRST_SEED + i) for prompt in prompt_ids for i in range(self.seeds)]
        repeated = [caption for caption in captions for _ in range(self.seeds)]
        parts = [
            self._magnitudes(repeated[at : at + self.batch], seeds[at : at + self.batch])
            for at in range(0, len(seeds), self.batch)
        ]
        return np.asarray(np.concatenate(parts).reshape(len(captions), self.seeds).mean(axis=1))

    def _magnitudes(self, captions: Sequence[str], seeds: Sequence[int]) -> NDArray[np.float64]:
        with torch.inference_mode():
            noisy, first = self.inside.noise(seeds), self.inside.timesteps(self.steps)[0]
            given = self.inside.predict(noisy, first, self.inside.text(captions))
            without = self.inside.predict(noisy, first, self.inside.text([""]))
        magnitudes = (given - without).double().square().mean(dim=(1, 2, 3)).sqrt()
        values: NDArray[np.float64] = magnitudes.cpu().numpy()
        return values
