"""Hessian sharpness (Jeon, Kim and No, ICML 2025, "Understanding and Mitigating Memorization in Generative Models via
Sharpness of Probability Landscapes", arXiv 2412.04140; github.com/Dongjae0324/sharpness_memorization_diffusion).

Around a memorised image log p(x | caption) is sharper than log p(x), from the first step on. With s the score and H its
derivative, the metric is ‖(H(x_T | caption) − H(x_T)) · (s(x_T | caption) − s(x_T))‖₂, averaged over seeds: Wen's
difference, sent once more through the difference of the two Hessians, which enlarges what lies along sharp directions.
As published, the product is the derivative of the difference along itself (forward mode): the networks are not
conservative, and the transposed product of reverse mode is another vector (on the demo target it differs by 1.3 times
its length). We leave out the factors of the timestep (see `_seeded`) and divide by the square root of the size.

A seed costs 8 evaluations: the difference, then the same two evaluations again with their derivatives, which count as
two more each. Nothing here may be called inside `torch.inference_mode`. On the demo's target of 64 × 64 pixels, one
seed, it is the weakest of the white-box scores (AUC 0.762), unlike on Stable Diffusion, where it was published (0.987).

    >>> HessianSharpness(target, run_seed=0)(["a red fox"], ["9f86d081884c7d65"])   # doctest: +SKIP
"""

import warnings
from collections.abc import Callable, Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.attention import SDPBackend, sdpa_kernel

from scanner.errors import ScannerError
from scanner.targets import Target
from scanner.triage._seeded import Draws, look_inside, mean_over_seeds, prompt_difference, root_mean_square


class HessianSharpness:
    """The detector on one loaded target."""

    name = "jeon-hessian-sharpness"

    def __init__(self, target: Target, *, run_seed: int, seeds: int = 1, steps: int = 50) -> None:
        self.inside, self.steps = look_inside(target, "jeon"), steps
        self.draws = Draws(run_seed=run_seed, seeds=seeds, batch=target.batch)

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations per prompt: 4 forward, and 4 for the derivatives of two of them."""
        return 8 * self.draws.seeds

    def __call__(self, captions: Sequence[str], prompt_ids: Sequence[str]) -> NDArray[np.float64]:
        """Scores (n,), at least 0. Raises ScannerError for a network that has no forward derivative."""
        return mean_over_seeds(self._sharpness, captions, prompt_ids, self.draws)

    def _sharpness(self, captions: Sequence[str], seeds: Sequence[int]) -> Tensor:
        with torch.no_grad():
            noisy, first = self.inside.noise(seeds), self.inside.timesteps(self.steps)[0]

            def difference(x: Tensor) -> Tensor:
                return prompt_difference(self.inside, x, first, captions)

            return root_mean_square(derivative(difference, noisy, along=difference(noisy)))


def derivative(function: Callable[[Tensor], Tensor], at: Tensor, *, along: Tensor) -> Tensor:
    """The derivative of a function at a point along a direction, by forward differentiation; all of one shape."""
    with sdpa_kernel(SDPBackend.MATH), warnings.catch_warnings():  # no other attention kernel has a derivative
        warnings.filterwarnings("ignore", "`torch.jit.script` is deprecated", FutureWarning)  # torch's own use of it
        try:
            product: Tensor = torch.func.jvp(function, (at,), (along,))[1]
        except NotImplementedError as error:
            raise ScannerError(
                "The detector jeon needs the forward derivative of the network, and a layer of this one has none "
                f"({' '.join(str(error).split())[:120]}); choose another with --triage."
            ) from error
    return product
