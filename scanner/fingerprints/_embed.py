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

import numpy as np
import open_clip
import torch
from numpy.typing import NDArray
from torch import Tensor

from scanner.errors import ScannerError
from scanner.fingerprints._load import INSTEAD, Model, load_model, quiet_logging


class Embedder:
    """A loaded model that turns pictures into embeddings, and captions where it has a text tower."""

    def __init__(self, model: Model, *, device: str, batch: int) -> None:
        self.name = model.name
        """The model as the user named it, with its tag."""
        self.checksum = model.checksum
        """sha-256 of the weights: every tensor's name, type, shape and bytes, hex."""
        self.has_text = model.tokenizer is not None
        """Whether captions can be encoded."""
        self.batch = batch
        """Pictures in one call of the network."""
        self.prepare = model.prepare
        """A picture (uint8, h × w × 3) as the network's input (3 × side × side; float32, or uint8 where the network
        scales it itself); may run in a thread."""
        self._network = model.network.to(device).eval()
        self.device = device
        """Where the network runs."""
        self._tokenizer = model.tokenizer
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
        return self._unit_rows(list(run(self._run, batches)))

    def encode_text(self, captions: Sequence[str]) -> NDArray[np.float16]:
        """Embeddings of captions: float16, shape (n, width), rows of unit length, comparable with pictures'.

        Raises ScannerError for a model without a text tower (`has_text`), or when its tokenizer can't be had.
        """
        if self._tokenizer is None:
            raise ScannerError(f"The model {self.name} has no text tower, so captions can't be compared with pictures.")
        try:
            with quiet_logging():
                tokenize = open_clip.get_tokenizer(self._tokenizer)
        except Exception as error:  # of open_clip, the hub or a tokenizer package
            raise ScannerError(f"The tokenizer of {self.name} can't be loaded; {INSTEAD}.") from error
        blocks = []
        for start in range(0, len(captions), self.batch):
            tokens = tokenize(list(captions[start : start + self.batch]))
            blocks.append(self._encode("encode_text", tokens))
        return self._unit_rows(blocks)

    def _run(self, prepared: Sequence[Tensor]) -> NDArray[np.float32]:
        batch = torch.zeros((self.batch, *self._input_shape)).contiguous(memory_format=torch.channels_last)
        for row, picture in enumerate(prepared):
            batch[row] = picture
        return self._encode("encode_image", batch)[: len(prepared)]

    def _encode(self, method: str, inputs: Tensor) -> NDArray[np.float32]:
        with torch.inference_mode():
            rows: Tensor = getattr(self._network, method)(inputs.to(self.device))
            return rows.float().cpu().numpy()

    def _unit_rows(self, blocks: Sequence[NDArray[np.float32]]) -> NDArray[np.float16]:
        rows = np.concatenate(blocks) if blocks else np.empty((0, self.width), np.float32)
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        bad = int((~np.isfinite(lengths) | (lengths == 0)).sum())
        if bad:
            raise ScannerError(
                f"{self.name} gave {bad} of {len(rows)} embeddings that are not finite or have no length; "
                "check its weights."
            )
        return np.asarray(rows / lengths, dtype=np.float16)


def _one_core() -> None:
    """In a thread of the pool: torch's setting is the calling thread's own."""
    torch.set_num_threads(1)


def load_embedder(model: str, pretrained: str | None = None, device: str = "cpu", batch: int = 16) -> Embedder:
    """Load `demo`, `local-dir:DIR`, `hf-hub:ORG/NAME`, or an open_clip name with the tag or file of its weights.

    `batch` is the number of pictures in one call of the network. Raises UnusableInputError, in one sentence, for a
    model that is unknown or whose weights can't be had: nothing runs on random weights.
    """
    return Embedder(load_model(model, pretrained), device=device, batch=batch)
