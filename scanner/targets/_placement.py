"""Where a pipeline runs and in which type of number, and whether its weights fit there.

>>> chosen_device("cpu")
device(type='cpu')
"""

from typing import Any

import torch

from scanner.errors import UnusableInputError
from scanner.targets._memory import free_memory, is_out_of_memory
from scanner.targets._options import Loading
from scanner.targets._repository import Repository, loaded_files, stored_sizes

_BYTES = {torch.float32: 4, torch.float16: 2, torch.bfloat16: 2}


def chosen_device(asked: str) -> torch.device:
    """The device, auto being the best there is. Raises UnusableInputError for one that this machine does not have."""
    if asked == "auto":
        mps = torch.backends.mps.is_available()
        return torch.device("cuda" if torch.cuda.is_available() else "mps" if mps else "cpu")
    try:
        device = torch.device(asked)
        torch.zeros(1, device=device)
    except Exception as error:  # a name that torch does not know, a back-end that is not built in, no such device
        raise UnusableInputError(f"There is no device {asked} on this machine; use --device auto or cpu.") from error
    return device


def wants_half(loading: Loading, device: torch.device) -> bool:
    """Whether half-precision files are the ones to read."""
    return loading.dtype == "float16" or (loading.dtype == "auto" and device.type != "cpu")


def chosen_dtype(loading: Loading, device: torch.device, repository: Repository, variant: str | None) -> torch.dtype:
    """The type asked for; auto is float32 on a CPU, elsewhere that of the stored denoiser, float16 for float32."""
    if loading.dtype != "auto":
        dtype: torch.dtype = getattr(torch, loading.dtype)
        return dtype
    if device.type == "cpu":
        return torch.float32
    denoiser = next((part for part in ("unet", "transformer") if part in repository.parts), None)
    files = [] if denoiser is None else loaded_files(repository, denoiser, variant)
    types = {kind for _, kind in stored_sizes(files).values()}
    return torch.bfloat16 if "BF16" in types else torch.float16


def refuse_too_large(repository: Repository, variant: str | None, device: torch.device, dtype: torch.dtype) -> None:
    """Raises UnusableInputError for weights of more bytes than the device has free, where that can be read."""
    free = free_memory(device)
    if free is None:
        return
    sizes = [stored_sizes(loaded_files(repository, part, variant)) for part in repository.parts]
    needed = _BYTES[dtype] * sum(size for part in sizes for size, _ in part.values())
    if needed > free:
        raise UnusableInputError(
            f"The weights of {repository.name} take {needed / 1e9:.1f} GB as {str(dtype).removeprefix('torch.')} and "
            f"{free / 1e9:.1f} GB are free on {device}; give --dtype float16 or bfloat16, or another --device."
        )


def move(pipe: Any, device: torch.device, name: str) -> None:
    """Put a pipeline on its device. Raises UnusableInputError where it does not fit."""
    try:
        pipe.to(device)
    except Exception as error:
        if not is_out_of_memory(error):
            raise
        raise UnusableInputError(
            f"The weights of {name} do not fit the memory of {device}; give --dtype float16 or bfloat16, or another "
            "--device."
        ) from error
