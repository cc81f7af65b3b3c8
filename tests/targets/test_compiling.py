"""A compiled denoiser draws the same and is counted the same; gradients go through the plain one."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn.attention import SDPBackend, sdpa_kernel

from scanner.targets import load_target


@pytest.mark.slow
@pytest.mark.parametrize("family", ["stable-diffusion", "flux"])
def test_a_compiled_denoiser_draws_and_counts_the_same(family_folder: Callable[[str], Path], family: str) -> None:
    folder, guidance = str(family_folder(family)), 3.0
    plain, compiled = (load_target(folder, device="cpu", batch=2, compile=on) for on in (False, True))
    assert compiled.settings.compiled
    assert compiled.evaluations == 0
    images = [
        np.stack([one.image for one in target.generate(["red square"] * 3, [1, 2, 3], steps=2, guidance=guidance)])
        for target in (plain, compiled)
    ]
    np.testing.assert_allclose(*images, atol=1e-3)
    assert plain.evaluations == compiled.evaluations > 0
    inside = compiled.denoiser
    noisy = inside.noise([1]).requires_grad_()
    with sdpa_kernel(SDPBackend.MATH):  # the one attention that has a second derivative
        predicted = inside.predict(noisy, inside.timesteps(2)[0], inside.text([""]))
        (gradient,) = torch.autograd.grad(predicted.square().sum(), noisy, create_graph=True)
        torch.autograd.grad(gradient.square().sum(), noisy)
