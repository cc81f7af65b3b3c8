"""Memory of a device and of this process while something runs on it, as the system counts it.

On CUDA it is what torch allocated; on a CPU the resident set of this process (Linux). Elsewhere nothing is known, and
None says so.

    >>> before = resident()                                                    # doctest: +SKIP
    >>> peak, result = peak_while(lambda: target.generate(...), "cpu")         # doctest: +SKIP
"""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import torch

Result = TypeVar("Result")

_STATUS, _RESET = Path("/proc/self/status"), Path("/proc/self/clear_refs")


def resident() -> int | None:
    """Bytes that this process holds in memory now."""
    return _status("VmRSS")


def peak_while(work: Callable[[], Result], device: str) -> tuple[int | None, Result]:
    """What `work` needs at its peak, bytes above what was held before, and its result."""
    if device.startswith("cuda"):
        torch.cuda.reset_peak_memory_stats(device)
        before = torch.cuda.memory_allocated(device)
        result = work()
        return torch.cuda.max_memory_allocated(device) - before, result
    held = resident() if device == "cpu" and _reset_peak() else None
    result = work()
    peak = _status("VmHWM")
    return (None if held is None or peak is None else max(0, peak - held)), result


def _reset_peak() -> bool:
    """Begin the peak of the resident set anew (proc(5): 5 written to clear_refs)."""
    try:
        _RESET.write_text("5")
    except OSError:
        return False
    return True


def _status(name: str) -> int | None:
    try:
        found = re.search(rf"^{name}:\s+(\d+) kB$", _STATUS.read_text(), re.MULTILINE)
    except OSError:
        return None
    return int(found[1]) * 1024 if found else None
