"""Few-step lookup: ours. An image of two steps is looked up among the originals.

A memorised prompt gives its image back within very few steps. So one image of 2 guided steps is drawn, and the score is
minus the distance to the original that lies nearest: l2 of 16 × 16 block means at equal mean and contrast, which is
what an image of two steps has to show, and one matrix product for all originals. On the demo's target with its guidance
of 3 (89 prompts that the full attack verified, 200 controls): AUC 0.951, 80 % at 1 % false positives, 4 evaluations; 2
seeds 0.968 and 88 %. It works through images alone, so it needs no view of the inside.

    >>> FewStepLookup(target, nearest, run_seed=0, guidance=7.5)(["a red fox"], ["9f86"])   # doctest: +SKIP
"""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from scanner.targets import Target
from scanner.triage._seeded import noise_seeds

Nearest = Callable[[NDArray[np.float32]], NDArray[np.floating]]
"""Images (n, size, size, 3) on [0, 1] → distance of each to the nearest original, (n,)."""


class FewStepLookup:
    """The detector on one target and one index of originals."""

    name = "few-step-lookup"

    def __init__(  # noqa: PLR0913 - what is drawn, and where it is looked up
        self, target: Target, nearest: Nearest, *, run_seed: int, guidance: float, seeds: int = 1, steps: int = 2
    ) -> None:
        self.target, self.nearest = target, nearest
        self.run_seed, self.guidance, self.seeds, self.steps = run_seed, guidance, seeds, steps
        self._spent: int | None = None

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations per prompt: what the last call spent, and 2 a step before any."""
        return 2 * self.steps * self.seeds if self._spent is None else self._spent

    def __call__(self, captions: Sequence[str], prompt_ids: Sequence[str]) -> NDArray[np.float64]:
        """Scores (n,), at most 0: of each prompt's nearest image; NaN for a prompt without a usable one."""
        before = self.target.evaluations
        numbers = noise_seeds(prompt_ids, run_seed=self.run_seed, seeds=self.seeds)
        repeated = [caption for caption in captions for _ in range(self.seeds)]
        drawn = self.target.generate(repeated, numbers, steps=self.steps, guidance=self.guidance)
        self._spent = (self.target.evaluations - before) // max(1, len(captions))
        scores = np.full(len(drawn), -np.inf)
        usable = {i: one.image for i, one in enumerate(drawn) if one.image is not None and one.defect is None}
        if usable:
            scores[list(usable)] = -self.nearest(np.stack(list(usable.values())))
        best = scores.reshape(len(captions), self.seeds).max(axis=1, initial=-np.inf)
        return np.where(np.isfinite(best), best, np.nan)
