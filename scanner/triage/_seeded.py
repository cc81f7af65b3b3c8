"""What the detectors share: a look inside the target or a refusal, and scores averaged over the noise of a few seeds.

All detectors see the same noise of a prompt, so that their scores differ by what they measure. A score is taken on the
difference of the prediction with the caption and the one without. For a network that predicts noise this is the score
difference (∇ log p(x | caption) − ∇ log p(x)) times −s, for one that predicts a velocity (flow matching, v = noise −
clean, x = (1 − s) · clean + s · noise) times −s / (1 − s): with noise = x + (1 − s) · v, both noises share x. The
factor is the same for all prompts at a timestep, so no ranking depends on it, and it is left out: at the first
timestep of a flow model, where s = 1, it would be 0.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from scanner.errors import UnusableInputError
from scanner.targets import Denoiser, Target, image_seed

FIRST_SEED = 2_000_000
"""Image numbers of the detectors' noise: apart from those of the images that are generated."""

Score = Callable[[Sequence[str], Sequence[int]], Tensor]
"""(n captions, n seeds) → (n,) scores of single noises."""


@dataclass(frozen=True, kw_only=True)
class Draws:
    """The noise that a prompt's score is averaged over."""

    run_seed: int
    """Seed of the whole run."""
    seeds: int
    """Noises per prompt."""
    batch: int
    """Noises that are looked at together; no score depends on it but for rounding."""


def look_inside(target: Target, detector: str) -> Denoiser:
    """The target's denoiser. Raises UnusableInputError for a target that has no such view."""
    inside = target.denoiser
    if inside is None:
        raise UnusableInputError(
            f"The scanner can't look inside {target.name}, as the detector {detector} does; use --triage edges, which "
            "looks at images alone, or --triage none."
        )
    return inside


def noise_seeds(prompt_ids: Sequence[str], *, run_seed: int, seeds: int) -> list[int]:
    """Seeds of the noises, prompt by prompt: (len(prompt_ids) · seeds,)."""
    return [image_seed(run_seed, prompt, FIRST_SEED + i) for prompt in prompt_ids for i in range(seeds)]


def mean_over_seeds(
    score: Score, captions: Sequence[str], prompt_ids: Sequence[str], draws: Draws
) -> NDArray[np.float64]:
    """Each prompt's mean score over its noises, (n,)."""
    numbers = noise_seeds(prompt_ids, run_seed=draws.run_seed, seeds=draws.seeds)
    repeated = [caption for caption in captions for _ in range(draws.seeds)]
    parts = [
        score(repeated[at : at + draws.batch], numbers[at : at + draws.batch]).double().cpu().numpy()
        for at in range(0, len(numbers), draws.batch)
    ]
    flat = np.concatenate(parts) if parts else np.empty(0)
    return np.asarray(flat.reshape(len(captions), draws.seeds).mean(axis=1), np.float64)


def prompt_difference(inside: Denoiser, noisy: Tensor, timestep: Tensor, captions: Sequence[str]) -> Tensor:
    """The prediction with each caption minus that without, of the shape of `noisy`: 2 evaluations an image."""
    given = inside.predict(noisy, timestep, inside.text(captions))
    return given - inside.predict(noisy, timestep, inside.text([""]))


def root_mean_square(values: Tensor) -> Tensor:
    """(n, ...) → (n,): the 2-norm over the square root of the size, so that scores compare across resolutions."""
    return values.double().flatten(1).square().mean(dim=1).sqrt()
