"""A network stored as TorchScript: code and weights in one zip, which runs nothing else while it is loaded.

>>> network = torchscript_network(Path("sscd_disc_mixup.torchscript.pt").read_bytes(), "sscd")     # doctest: +SKIP
>>> network(np.zeros((1, 3, 320, 320), np.float32)).shape                                   # doctest: +SKIP
(1, 512)
"""

import io
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from scanner.errors import UnusableInputError


def one_core() -> None:
    """In a thread of a pool: torch's setting is the calling thread's own."""
    torch.set_num_threads(1)


def torchscript_network(stored: bytes, name: str) -> Callable[[NDArray[np.float32]], Any]:
    """The network in a file's bytes.

    Raises UnusableInputError where they are no TorchScript: a zip of weights alone has no code to run.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch deprecates the format in which SSCD is published
            module = torch.jit.load(io.BytesIO(stored), map_location="cpu").eval()  # type: ignore[no-untyped-call]
    except RuntimeError as error:
        raise UnusableInputError(
            f"{name} holds no TorchScript (weights alone can't be run); give the file that ends in .torchscript.pt."
        ) from error

    def run(batch: NDArray[np.float32]) -> Any:
        with torch.inference_mode():
            found = module(torch.from_numpy(batch))
        return found.float().numpy() if isinstance(found, torch.Tensor) else found

    return run
