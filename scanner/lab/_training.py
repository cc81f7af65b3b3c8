"""The loop that all trainings share: AdamW, warm-up and cosine, a moving average, checkpoints.

A training is a module and a function that gives the loss of step i. Because everything random in that
function depends on i alone, a checkpoint (weights, average, optimiser, i) is all that a killed one needs.
"""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel

from scanner.errors import ScannerError
from scanner.files import replacing
from scanner.lab._recipe import Recipe


class Progress(Protocol):
    """Called after every optimiser step."""

    def __call__(self, phase: str, done: int, total: int, loss: float) -> None: ...


def ignore_progress(phase: str, done: int, total: int, loss: float) -> None:
    """The default: nobody watches."""


@contextmanager
def fast_arithmetic() -> Iterator[None]:
    """bfloat16 where autocast allows it, and attention as plain products.

    The backward pass of PyTorch's fused attention on CPU is slow at these small sizes: a step costs 0.43 s
    without it and 0.54 s with it (32 rows, one core).
    """
    with sdpa_kernel(SDPBackend.MATH), torch.autocast("cpu", torch.bfloat16):
        yield


@dataclass(frozen=True, kw_only=True)
class Training:
    """One module's training."""

    phase: str
    """Name for progress and checkpoint: `vae`, `latent`, `pixel` or `unconditional`."""
    module: nn.Module
    """Holds the parameters; ends with their moving average."""
    loss: Callable[[int], Tensor]
    """The loss of step i, a scalar."""
    steps: int
    """Optimiser steps."""
    learning_rate: float
    """Largest learning rate."""
    warmup: int
    """Steps up to it."""
    weight_decay: float
    """AdamW's weight decay."""
    average: float
    """Decay per step of the moving average."""
    checkpoint_every: int
    """Steps between checkpoints."""


def training_of(recipe: Recipe, phase: str, module: nn.Module, loss: Callable[[int], Tensor]) -> Training:
    """The training of a denoiser, with what belongs to it, under its recipe."""
    return Training(
        phase=phase,
        module=module,
        loss=loss,
        steps=recipe.steps,
        learning_rate=recipe.learning_rate,
        warmup=recipe.warmup,
        weight_decay=recipe.weight_decay,
        average=recipe.average,
        checkpoint_every=recipe.checkpoint_every,
    )


def run_training(training: Training, folder: Path, progress: Progress) -> None:
    """Train from the folder's checkpoint, or from the start; afterwards the module holds the average.

    A finished training leaves its checkpoint behind, so that running it again costs nothing. Raises
    `ScannerError` when the loss is no longer finite; the last checkpoint stays.
    """
    module, path = training.module, folder / f"{training.phase}.pt"
    average = {name: value.detach().clone() for name, value in module.named_parameters()}
    optimizer = torch.optim.AdamW(
        module.parameters(), lr=training.learning_rate, betas=(0.9, 0.99), weight_decay=training.weight_decay
    )
    start = _restore(path, module, average, optimizer)
    module.train()
    for step in range(start, training.steps):
        optimizer.param_groups[0]["lr"] = _rate(training, step)
        loss = _step(training, optimizer, step)
        if not math.isfinite(loss):
            raise ScannerError(f"The training diverged in step {step} of {training.phase}: lower its learning rate.")
        _follow(average, module, min(training.average, (1 + step) / (10 + step)))
        done = step + 1
        if done % training.checkpoint_every == 0 or done == training.steps:
            _save(path, module, average, optimizer, done)
        progress(training.phase, done, training.steps, loss)
    module.load_state_dict(average, strict=False)
    module.eval().requires_grad_(False)


def _step(training: Training, optimizer: torch.optim.Optimizer, step: int) -> float:
    optimizer.zero_grad(set_to_none=True)
    loss = training.loss(step)
    loss.backward()  # type: ignore[no-untyped-call]
    nn.utils.clip_grad_norm_(training.module.parameters(), 1.0)
    optimizer.step()
    return float(loss.detach())


def _rate(training: Training, step: int) -> float:
    if step < training.warmup:
        return training.learning_rate * (step + 1) / training.warmup
    passed = (step - training.warmup) / max(training.steps - training.warmup, 1)
    return training.learning_rate * 0.5 * (1 + math.cos(math.pi * passed))


@torch.no_grad()
def _follow(average: dict[str, Tensor], module: nn.Module, decay: float) -> None:
    parameters = dict(module.named_parameters())
    torch._foreach_lerp_([average[name] for name in parameters], list(parameters.values()), 1 - decay)


def _save(path: Path, module: nn.Module, average: Any, optimizer: torch.optim.Optimizer, done: int) -> None:
    """Written whole or not at all: to a temporary name, then renamed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    state = {
        "module": module.state_dict(),
        "average": average,
        "optimizer": optimizer.state_dict(),
        "done": done,
    }
    with replacing(path) as temporary:
        torch.save(state, temporary)


def _restore(path: Path, module: nn.Module, average: Any, optimizer: torch.optim.Optimizer) -> int:
    if not path.exists():
        return 0
    state = torch.load(path, weights_only=True)
    module.load_state_dict(state["module"])
    optimizer.load_state_dict(state["optimizer"])
    average.update(state["average"])
    return int(state["done"])
