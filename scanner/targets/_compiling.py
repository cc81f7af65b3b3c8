"""A compiled denoiser: what draws images runs compiled, what takes gradients does not.

Only `forward` is compiled, so that the hook that counts evaluations stays outside of it; and a second derivative, which
some detectors take, can't go through compiled code.
"""

import logging
from functools import wraps
from typing import Any

import torch

from scanner.errors import UnusableInputError
from scanner.targets._diffusers import DiffusersTarget, denoisers_of
from scanner.targets._memory import is_out_of_memory
from scanner.targets._repository import one_line


def compile_denoisers(target: DiffusersTarget) -> None:
    """Compile a target's denoisers for its batch, by drawing one in few steps; another number is compiled once more.

    Raises UnusableInputError where torch can't compile on this machine (no C++ compiler, ...).
    """
    logging.getLogger("torch.utils.cpp_extension").setLevel(logging.ERROR)  # it misses CUDA where nobody asked for it
    images = target.batch
    for network in denoisers_of(target.pipe, target.name):
        _compile_forward(network)
    try:
        target.try_images(images)
    except Exception as error:  # the compiler and what it calls raise of their own
        if not is_out_of_memory(error):  # that is met where images are drawn
            raise UnusableInputError(
                f"torch can't compile {target.name} ({one_line(error)}); leave out --compile."
            ) from error


def _compile_forward(network: Any) -> None:
    eager = network.forward
    compiled = torch.compile(eager)

    @wraps(eager)
    def forward(*args: Any, **kwargs: Any) -> Any:
        return (compiled if torch.is_inference_mode_enabled() else eager)(*args, **kwargs)

    network.forward = forward
