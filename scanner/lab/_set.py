"""The training set in the form that every family reads, checked before anything is written.

>>> TrainingSet(pictures=np.zeros((1, 8, 8, 3), np.uint8), picture_of_row=np.array([0, 0]), captions=["a", "a"]).size
8
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scanner.errors import UnusableInputError


@dataclass(frozen=True, kw_only=True)
class TrainingSet:
    """Distinct pictures and the rows that show them; raises `UnusableInputError` when they do not fit together."""

    pictures: NDArray[np.uint8]
    """The distinct pictures (n, size, size, 3)."""
    picture_of_row: NDArray[np.integer[Any]]
    """Number of the picture that a row shows, (rows,)."""
    captions: Sequence[str]
    """Caption of each row; an unconditional model does not read them."""

    def __post_init__(self) -> None:
        _check_pictures(self.pictures)
        _check_rows(self.picture_of_row, self.captions, len(self.pictures))

    @property
    def size(self) -> int:
        """Side of the pictures, pixels."""
        return int(self.pictures.shape[1])

    @property
    def fingerprint(self) -> str:
        """sha-256, hex, of pictures, rows and captions."""
        digest = hashlib.sha256(np.ascontiguousarray(self.pictures).tobytes())
        digest.update(np.asarray(self.picture_of_row, np.int64).tobytes())
        digest.update(json.dumps(list(self.captions)).encode())
        return digest.hexdigest()

    def numbers(self) -> Tensor:
        """`picture_of_row` as int64."""
        return torch.from_numpy(np.array(self.picture_of_row, np.int64))


def as_tensor(pictures: NDArray[np.uint8]) -> Tensor:
    """uint8 (n, size, size, 3) as float32 (n, 3, size, size) in [−1, 1]."""
    return torch.from_numpy(pictures).permute(0, 3, 1, 2).float().div(127.5).sub(1).contiguous()


def refuse_odd_size(size: int, halvings: int) -> None:
    """Raises `UnusableInputError` where a side of `size` pixels can't be halved that often."""
    if size % 2**halvings:
        raise UnusableInputError(f"A picture's side must be a multiple of {2**halvings}, not {size}.")


def _check_pictures(pictures: NDArray[Any]) -> None:
    if pictures.ndim != 4 or pictures.shape[1] != pictures.shape[2] or pictures.shape[3] != 3:
        raise UnusableInputError(f"Pictures must have the shape (n, size, size, 3), not {pictures.shape}.")
    if pictures.dtype != np.uint8:
        raise UnusableInputError(f"Pictures must be 8-bit (uint8), not {pictures.dtype}.")


def _check_rows(picture_of_row: NDArray[Any], captions: Sequence[str], pictures: int) -> None:
    if not len(captions):
        raise UnusableInputError("The training set has no captions: give one for each row.")
    if not np.issubdtype(picture_of_row.dtype, np.integer):
        raise UnusableInputError(f"Picture numbers must be integers, not {picture_of_row.dtype}.")
    if picture_of_row.shape != (len(captions),):
        raise UnusableInputError(
            f"There must be one picture number for each of the {len(captions)} captions, "
            f"but picture_of_row has the shape {picture_of_row.shape}."
        )
    if picture_of_row.min() < 0 or picture_of_row.max() >= pictures:
        raise UnusableInputError(f"Each picture number must be from 0 to {pictures - 1}.")
