"""The batch and the attention slicing that fit the memory: one image is drawn in two steps and its peak is measured.

Attention slicing is switched on where one image does not fit without it, before anything else is given up.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from scanner.errors import UnusableInputError
from scanner.targets._memory import fitting_batch, free_memory, is_out_of_memory, peak_memory
from scanner.targets._options import Loading


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What was measured and chosen."""

    batch: int
    """Images at once."""
    free: int | None = None
    """Bytes free before; None where it was not asked for or can't be read."""
    image: int | None = None
    """Bytes of one image at most; None where it was not measured."""


class Slicing:
    """Attention in slices: whether a pipeline can, and whether it does."""

    def __init__(self, pipe: Any, asked: str) -> None:
        self.pipe, self.asked, self.on = pipe, asked, False
        modules = [part for part in pipe.components.values() if isinstance(part, torch.nn.Module)]
        self.possible = any(hasattr(module, "set_attention_slice") for module in modules)
        if asked == "on" and not self.possible:
            raise UnusableInputError(
                f"The attention of a {type(pipe).__name__} can't be sliced; leave out --attention-slicing on."
            )
        if asked == "on":
            self.begin()

    def begin(self) -> None:
        """Slice from now on."""
        self.pipe.enable_attention_slicing()
        self.on = True

    def begin_if_needed(self) -> bool:
        """Slice from now on if that was left to need and is still possible; whether it helps to try again."""
        if self.on or self.asked != "auto" or not self.possible:
            return False
        self.begin()
        return True


def fit_memory(pipe: Any, draw_one: Callable[[], Any], slicing: Slicing, loading: Loading) -> Fit:
    """As many images at once as fit. Raises UnusableInputError where not even one does.

    Where the free memory can't be read, the device's largest batch is taken; it halves when memory runs out.
    """
    if loading.batch:
        return Fit(batch=loading.batch)
    device = torch.device(pipe.device)
    free = free_memory(device)
    if free is None:
        return Fit(batch=fitting_batch(device, None, 0))
    image = _peak(pipe, device, draw_one)
    if (image is None or not fitting_batch(device, free, image)) and slicing.begin_if_needed():
        image = _peak(pipe, device, draw_one)
    if image is None:
        raise UnusableInputError(
            f"Not even one image fits the memory of {device} ({free / 1e9:.1f} GB free); give --dtype float16 or "
            "bfloat16, a smaller --image-size, or another --device."
        )
    return Fit(batch=max(1, fitting_batch(device, free, image)), free=free, image=image)


def _peak(pipe: Any, device: torch.device, draw_one: Callable[[], Any]) -> int | None:
    """None where memory ran out."""
    modules = [part for part in pipe.components.values() if isinstance(part, torch.nn.Module)]
    try:
        return peak_memory(device, modules, draw_one)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        return None
