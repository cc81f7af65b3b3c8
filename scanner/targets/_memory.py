"""How many images fit the memory there is: free bytes that are read, bytes of one image that are measured.

Nothing is assumed where memory can't be read: that is None, and the batch starts at its largest and halves when
memory runs out.

    >>> free_memory(torch.device("cpu")) > 0
    True
"""

import os
import weakref
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

LARGEST_BATCH = {"cpu": 16}
"""Images at once, at most: more on a CPU gain nothing (measured on the demo's target)."""
LARGEST_BATCH_ELSEWHERE = 64
"""The same on accelerators: ours, not measured."""
SHARE = 0.5
"""Part of the free memory that is given to images: what is measured leaves out the libraries' own work space."""
_OUT_OF_MEMORY = ("not enough memory", "can't allocate memory", "out of memory", "bad_alloc")
"""Words of the CPU's allocator (Windows, Linux), of mps, of C++; CUDA has an exception of its own."""


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an exception says that memory ran out, on any device."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    return isinstance(error, RuntimeError) and any(words in str(error) for words in _OUT_OF_MEMORY)


def fitting_batch(device: torch.device, free: int | None, image: int) -> int:
    """Images of `image` bytes each that fit `free` bytes (at most the device's largest batch); 0 when none does."""
    largest = LARGEST_BATCH.get(device.type, LARGEST_BATCH_ELSEWHERE)
    return largest if free is None else min(largest, int(SHARE * free) // max(1, image))


def free_memory(device: torch.device) -> int | None:
    """Bytes that may still be allocated on a device; None where that can't be read."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    if device.type == "mps":
        return int(torch.mps.recommended_max_memory() - torch.mps.driver_allocated_memory())
    if device.type != "cpu":
        return None
    known = [free for free in (_free_of_machine(), _free_of_group(), _free_of_process()) if free is not None]
    return min(known) if known else None


def _free_of_machine() -> int | None:
    try:
        lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text().splitlines())
        return int(lines["MemAvailable"].split()[0]) * 1024
    except (OSError, KeyError, ValueError):
        pass
    try:
        return os.sysconf("SC_AVPHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return None


def _free_of_group() -> int | None:
    """What a container's limit (cgroup v2) leaves; cached files count as free, since they give way."""
    group = Path("/sys/fs/cgroup")
    try:
        limit, used = int((group / "memory.max").read_text()), int((group / "memory.current").read_text())
        parts = dict(line.split() for line in (group / "memory.stat").read_text().splitlines())
        return limit - used + int(parts["inactive_file"]) + int(parts["active_file"])
    except (OSError, ValueError, KeyError):  # no such group, or a limit that reads "max"
        return None


def _free_of_process() -> int | None:
    """What the limit of the address space (ulimit -v) leaves."""
    try:
        import resource  # noqa: PLC0415 - Windows has none

        limit, _ = resource.getrlimit(resource.RLIMIT_AS)
        pages = int(Path("/proc/self/statm").read_text().split()[0])
    except (ImportError, OSError, ValueError):
        return None
    return None if limit == resource.RLIM_INFINITY else max(0, limit - pages * os.sysconf("SC_PAGE_SIZE"))


def peak_memory(device: torch.device, modules: Iterable[torch.nn.Module], work: Callable[[], Any]) -> int:
    """Bytes that `work` held at most at one time, besides the weights of `modules`."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        work()
        return int(torch.cuda.max_memory_allocated(device) - before)
    with _Storages(modules) as storages:
        work()
    return int(storages.peak)


class _Storages(TorchDispatchMode):  # type: ignore[no-untyped-call, unused-ignore]
    """Adds up the storages of all tensors that come into being while it is on, until they go."""

    def __init__(self, modules: Iterable[torch.nn.Module]) -> None:
        super().__init__()  # type: ignore[no-untyped-call, unused-ignore]
        self.held = self.peak = 0
        self.alive = {tensor.untyped_storage()._cdata for module in modules for tensor in module.state_dict().values()}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        for leaf in tree_leaves(out):
            if isinstance(leaf, torch.Tensor):
                self._hold(leaf.untyped_storage())
        return out

    def _hold(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self.alive:
            return
        self.alive.add(key)
        self.held += size
        self.peak = max(self.peak, self.held)
        weakref.finalize(storage, self._release, key, size)

    def _release(self, key: int, size: int) -> None:
        self.alive.discard(key)
        self.held -= size
