"""Randomness that depends only on (seed, purpose, step), so that a resumed training needs no stored state."""

import zlib

import numpy as np
import torch
from numpy.typing import NDArray


def numpy_generator(seed: int, purpose: str, step: int = 0) -> np.random.Generator:
    """A generator of its own for each (seed, purpose, step)."""
    return np.random.default_rng((seed, zlib.crc32(purpose.encode()), step))


def torch_generator(seed: int, purpose: str, step: int = 0) -> torch.Generator:
    """The same for torch, on the CPU."""
    number = int(numpy_generator(seed, purpose, step).integers(2**63))
    return torch.Generator().manual_seed(number)


def draw_rows(rows: int, batch: int, step: int, seed: int) -> NDArray[np.int64]:
    """The rows of one training step: every row once per epoch, in an order of its own for each epoch.

    Steps cut the endless sequence of shuffled epochs into batches, so a batch may span two epochs and every
    row is drawn equally often. Returns `batch` row numbers, 0 ≤ row < `rows`.
    """
    positions = np.arange(step * batch, (step + 1) * batch)
    epochs = positions // rows
    drawn = np.empty(batch, np.int64)
    for epoch in np.unique(epochs):
        order = numpy_generator(seed, "epoch", int(epoch)).permutation(rows)
        drawn[epochs == epoch] = order[positions[epochs == epoch] % rows]
    return drawn
