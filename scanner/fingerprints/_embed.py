"""Pictures to unit vectors, by any open_clip model (https://github.com/mlfoundations/open_clip) or the demo model.

The batch always has the same shape (the last one is filled up with zeros), because the way a matrix product is cut
up, and so its rounding, depends on the shape: a picture's embedding is the same whatever stands beside it.

On a CPU each core runs a batch of its own: 640 pictures through the demo model took 2.0 s on 2 cores that way, and
2.7 s with both cores at one batch, since the threads of one batch wait for each other at every layer.

    >>> embedder = load_embedder("ViT-B-32", "laion2b_s34b_b79k")   # doctest: +SKIP
    >>> embedder([picture]).shape                                   # doctest: +SKIP
    (1, 512)
"""

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scanner.fingerprints._load import Model, load_model
from scanner.fingerprints._text import TextEmbedder
from scanner.fingerprints._unit import unit_rows


class Embedder:
    """A loaded model that turns pictures into embeddings; its text tower, where it has one, is `text()`."""

    def __init__(self, model: Model, *, device: str, batch: int) -> None:
        self.name = model.name
        """The model as the user named it, with its tag."""
        self.checksum = model.checksum
        """sha-256 of the weights: every tensor's name, type, shape and bytes, hex."""
        self.has_text = model.tokenizer is not None
        """Whether the model has a text tower, so that captions can be embedded too."""
        self.batch = batch
        """Pictures in one call of the network."""
        self.prepare = model.prepare
        """A picture (uint8, h × w × 3) as the network's input (3 × side × side; float32, or uint8 where the network
        scales it itself); may run in a thread."""
        self._model = replace(model, network=model.network.to(device).eval())
        self._network: Any = self._model.network
        self.device = device
        """Where the network runs."""
        self._input_shape = self.prepare(np.zeros((1, 1, 3), np.uint8)).shape
        cores = os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(cores, initializer=_one_core) if device == "cpu" else None
        self.at_once = batch * (2 * cores if device == "cpu" else 1)
        """Pictures to give to `embed` at once, so that all of the device has work."""
        self.width = self._run([]).shape[1]
        """Numbers in an embedding."""

    def __call__(self, pictures: Sequence[NDArray[np.uint8]]) -> NDArray[np.float16]:
        """Embeddings of pictures (each uint8, h × w × 3): float16, shape (n, width), rows of unit length."""
        return self.embed([self.prepare(picture) for picture in pictures])

    def embed(self, prepared: Sequence[Tensor]) -> NDArray[np.float16]:
        """The same for pictures that went through `prepare`.

        Raises ScannerError when the model gives a row that is not finite or has no length.
        """
        batches = [prepared[start : start + self.batch] for start in range(0, len(prepared), self.batch)]
        run = map if self._pool is None else self._pool.map
        blocks = list(run(self._run, batches)) or [np.empty((0, self.width), np.float32)]
        return unit_rows(self.name, np.concatenate(blocks)).astype(np.float16)

    def text(self) -> TextEmbedder:
        """The same model's text tower, which makes embeddings of captions that are comparable with pictures'.

        Raises ScannerError for a model without a text tower (`has_text`), or when its tokenizer can't be had.
        """
        return TextEmbedder(self._model, device=self.device, batch=self.batch, pool=self._pool)

    def _run(self, prepared: Sequence[Tensor]) -> NDArray[np.float32]:
        batch = torch.zeros((self.batch, *self._input_shape)).contiguous(memory_format=torch.channels_last)
        for row, picture in enumerate(prepared):
            batch[row] = picture
        with torch.inference_mode():
            rows: Tensor = self._network.encode_image(batch.to(self.device))
            return rows.float().cpu().numpy()[: len(prepared)]


def _one_core() -> None:
    """In a thread of the pool: torch's setting is the calling thread's own."""
    torch.set_num_threads(1)


def load_embedder(model: str, pretrained: str | None = None, device: str = "cpu", batch: int = 16) -> Embedder:
    """Load `demo`, `local-dir:DIR`, `hf-hub:ORG/NAME`, or an open_clip name with the tag or file of its weights.

    `batch` is the number of pictures in one call of the network. Raises UnusableInputError, in one sentence, for a
    model that is unknown or whose weights can't be had: nothing runs on random weights.
    """
    return Embedder(load_model(model, pretrained), device=device, batch=batch)
