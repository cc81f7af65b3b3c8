"""A network stored as ONNX (https://onnx.ai), run by onnxruntime: the extra `onnx`.

>>> found = onnx_network(Path("sscd.onnx").read_bytes(), "sscd.onnx")          # doctest: +SKIP
>>> found.fixed                                                             # doctest: +SKIP
(288, 288)
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scanner.errors import UnusableInputError

_ELSEWHERE = b"\n\x08location\x12"
"""How a tensor whose weights lie in another file begins to say which (StringStringEntryProto of onnx.proto)."""


@dataclass(frozen=True, kw_only=True)
class OnnxNetwork:
    """A network and the size of the pictures that it takes."""

    run: Callable[[NDArray[np.float32]], Any]
    """(1, 3, height, width) to the network's output; runs on one core of the calling thread."""
    fixed: tuple[int, int] | None
    """Height and width, pixels; None where it takes any."""


def onnx_network(stored: bytes, name: str) -> OnnxNetwork:
    """The network in a file's bytes.

    Raises UnusableInputError where onnxruntime is missing, the bytes are no ONNX, their weights lie in another file
    (which no checksum here would cover), or it takes and gives something else than a batch of pictures and of rows.
    """
    try:
        import onnxruntime  # noqa: PLC0415 - an extra
    except ImportError as error:
        raise UnusableInputError(
            f"{name} is ONNX, which needs onnxruntime; install it with pip install 'trainset-scanner[onnx]'."
        ) from error
    if _ELSEWHERE in stored:
        raise UnusableInputError(f"{name} keeps its weights in another file; export it again with external_data=False.")
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(stored, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions have no common class
        raise UnusableInputError(f"{name} can't be read as ONNX; give the file as it was exported.") from error
    inputs, outputs = session.get_inputs(), session.get_outputs()
    if len(inputs) != 1 or len(outputs) != 1:
        raise UnusableInputError(
            f"{name} has {len(inputs)} inputs and {len(outputs)} outputs; export it with one picture in and one "
            "embedding out."
        )
    fixed = _fixed(inputs[0], name)
    return OnnxNetwork(run=lambda batch: session.run(None, {inputs[0].name: batch})[0], fixed=fixed)


def _fixed(taken: Any, name: str) -> tuple[int, int] | None:
    """The size that an input names in numbers."""
    shape: Sequence[int | str | None] = taken.shape
    batch, channels, *size = shape if len(shape) == 4 else (0, 0)
    wanted = all(not isinstance(given, int) or given == own for given, own in ((batch, 1), (channels, 3)))
    if taken.type != "tensor(float)" or not wanted:
        raise UnusableInputError(
            f"{name} takes {taken.type} of shape {list(shape)}; export it for float32 of shape (1, 3, height, width)."
        )
    height, width = size
    return (height, width) if isinstance(height, int) and isinstance(width, int) else None
