"""Pictures to copy embeddings, by the network in a user's file.

Each picture is a batch of its own: an embedding does not depend on what stands beside it, any size can follow any, and
as many run at once as there are threads that call.

>>> load_copy_model("sscd_disc_mixup.torchscript.pt", "skew-320").width            # doctest: +SKIP
512
"""

import hashlib
import io
import zipfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scanner.errors import ScannerError, UnusableInputError
from scanner.fingerprints.copy_model._onnx import onnx_network
from scanner.fingerprints.copy_model._prepare import PREPROCESSINGS, prepared
from scanner.fingerprints.copy_model._torchscript import torchscript_network

_PROBE = np.random.default_rng(0).integers(0, 256, (48, 64, 3), dtype=np.uint8)


class CopyModel:
    """A loaded copy-detection network; several threads may call it."""

    def __init__(
        self,
        run: Callable[[NDArray[np.float32]], Any],
        *,
        name: str,
        checksum: str,
        preprocessing: str,
        fixed: tuple[int, int] | None = None,
    ) -> None:
        """`run` takes (1, 3, height, width); raises UnusableInputError where it does not give (1, d)."""
        self.name = name
        """The file's name."""
        self.checksum = checksum
        """sha-256 of the file, hex."""
        self.preprocessing = preprocessing if fixed is None else f"skew-{fixed[0]}x{fixed[1]}"
        """How a picture is brought to size: a name in `PREPROCESSINGS`, or the one size that the file takes."""
        self._run, self._how, self._fixed = run, preprocessing, fixed
        self.width = self._probed()
        """Numbers in an embedding."""

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.float16]:
        """(width,) float16 of unit length, of a picture (uint8, h × w × 3, RGB).

        Raises ScannerError when the network gives something that is not finite or has no length.
        """
        return self._unit(np.asarray(self._run(prepared(picture, self._how, self._fixed)), np.float32)[0])

    def _unit(self, row: NDArray[np.float32]) -> NDArray[np.float16]:
        length = float(np.linalg.norm(row.astype(np.float64)))
        if not np.isfinite(length) or length == 0:
            raise ScannerError(
                f"{self.name} gave an embedding that is not finite or has no length; check the file, or give another "
                "--copy-model."
            )
        return np.asarray(row / np.float32(length), np.float16)

    def _probed(self) -> int:
        try:
            found = self._run(prepared(_PROBE, self._how, self._fixed))
        except Exception as error:  # of torch or onnxruntime: the network's own code runs
            raise UnusableInputError(
                f"{self.name} does not take a batch of RGB pictures, float32 of shape (1, 3, height, width); give a "
                "copy-detection network."
            ) from error
        shape = getattr(found, "shape", None)
        if shape is None or len(shape) != 2 or shape[0] != 1 or not shape[1]:
            what = "no tensor" if shape is None else f"shape {tuple(shape)}"
            raise UnusableInputError(
                f"{self.name} gives {what} for one picture and not one row of numbers, (1, d); give a network whose "
                "output is an embedding."
            )
        self._unit(np.asarray(found, np.float32)[0])
        return int(shape[1])


def load_copy_model(file: str | Path, preprocessing: str) -> CopyModel:
    """Load a TorchScript or an ONNX file; a zip is TorchScript, what is named .onnx is ONNX.

    Raises UnusableInputError, in one sentence, where there is no such file, it holds neither, or its network takes or
    gives something else.
    """
    path = Path(file)
    if preprocessing not in PREPROCESSINGS:
        raise UnusableInputError(f"There is no preprocessing '{preprocessing}'; use {' or '.join(PREPROCESSINGS)}.")
    if not path.is_file():
        raise UnusableInputError(f"There is no file {path} to load a copy-detection network from.")
    stored = path.read_bytes()
    made = partial(CopyModel, name=path.name, checksum=hashlib.sha256(stored).hexdigest(), preprocessing=preprocessing)
    if zipfile.is_zipfile(io.BytesIO(stored)):
        return made(torchscript_network(stored, path.name))
    if path.suffix != ".onnx":
        raise UnusableInputError(
            f"{path.name} is neither TorchScript (a zip) nor named .onnx; give SSCD's .torchscript.pt, or an ONNX file."
        )
    found = onnx_network(stored, path.name)
    if found.fixed is not None and preprocessing == "small-288":
        raise UnusableInputError(
            f"{path.name} takes pictures of {found.fixed[0]} × {found.fixed[1]} pixels alone, so their aspect can't be "
            "kept; use --copy-preprocessing skew-320, which then squeezes them to that size."
        )
    return made(found.run, fixed=found.fixed)
