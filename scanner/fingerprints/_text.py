"""Captions to unit vectors, by the text tower of an open_clip model whose image tower embedded the pictures.

A batch always has the same shape, filled up with its last caption, so that a caption's embedding is the same whatever
stands beside it. On a CPU each core runs a batch of its own: ViT-B/32's text tower embedded 33 captions a second on 2
cores that way, and 18 with both cores at one batch (its image tower 25 pictures a second).

    >>> text = load_embedder("ViT-B-32", "laion2b_s34b_b79k").text()    # doctest: +SKIP
    >>> text(["a red fox"]).rows.shape                                  # doctest: +SKIP
    (1, 512)
"""

from collections.abc import Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scanner.errors import ScannerError
from scanner.fingerprints._load import Model
from scanner.fingerprints._tokenizer import load_tokenizer
from scanner.fingerprints._unit import unit_rows

_LONGEST_TOKEN = 32
"""Characters, in CLIP's byte-pair table. What lies beyond the window is kept from the tokenizer: it merges letter by
letter, and took 38 s for one word of 16,000 letters (an encoded file, say)."""


@dataclass(frozen=True, kw_only=True)
class EmbeddedCaptions:
    """Captions as the text tower sees them."""

    rows: NDArray[np.float32]
    """(n, width), of unit length, comparable with the same model's embeddings of pictures."""
    cut: NDArray[np.bool_]
    """(n,): the caption was longer than the context window, and its end was not seen."""


class TextEmbedder:
    """A loaded text tower with its tokenizer."""

    def __init__(self, model: Model, *, device: str, batch: int, pool: Executor | None) -> None:
        """`pool` runs the batches side by side. Raises ScannerError when the model has no text tower, or its tokenizer
        can't be had, or the two don't work together, or the tower's weights are no numbers."""
        if model.tokenizer is None:
            raise ScannerError(f"{model.name} has no text tower, so captions can't be compared with pictures.")
        self.name = model.name
        """The model as the user named it, with its tag."""
        self._network: Any = model.network
        self._device, self._batch, self._pool = device, batch, pool
        self._tokenize = load_tokenizer(model.tokenizer, name=model.name)
        self.context_length = self._tokenize.context_length
        """Tokens in the context window, those that mark start and end included."""
        self.width = self._try_out().shape[1]
        """Numbers in an embedding."""

    def __call__(self, captions: Sequence[str]) -> EmbeddedCaptions:
        """Embeddings of captions; those that are too long are cut by the tokenizer.

        Raises ScannerError when the model gives a row that is not finite or has no length.
        """
        seen = [self._beginning(caption) for caption in captions]
        batches = [seen[start : start + self._batch] for start in range(0, len(seen), self._batch)]
        tokens = [self._tokenize(batch) for batch in batches]
        cut = [self._cut(batch, found) for batch, found in zip(batches, tokens, strict=True)]
        run = map if self._pool is None else self._pool.map
        blocks = list(run(self._run, tokens)) or [np.empty((0, self.width), np.float32)]
        return EmbeddedCaptions(
            rows=unit_rows(self.name, np.concatenate(blocks)), cut=np.concatenate([*cut, np.empty(0, np.bool_)])
        )

    def _beginning(self, caption: str) -> str:
        """As many characters as the context window can hold, where there are more."""
        most = self.context_length * _LONGEST_TOKEN
        return caption if len(caption) <= most else " ".join(caption.split())[:most]

    def _cut(self, captions: list[str], tokens: Tensor) -> NDArray[np.bool_]:
        """Whose tokens are more than those: in a window of one token more they are not the same and a filler."""
        wider = self.context_length + 1
        filler = self._tokenize([""], wider)[:, -1:].expand(len(captions), 1)
        found: NDArray[np.bool_] = (self._tokenize(captions, wider) != torch.cat([tokens, filler], 1)).any(1).numpy()
        return found

    def _run(self, tokens: Tensor) -> NDArray[np.float32]:
        filled = torch.cat([tokens, tokens[-1:].expand(self._batch - len(tokens), -1)])
        with torch.inference_mode():
            rows: Tensor = self._network.encode_text(filled.to(self._device))
            return rows.float().cpu().numpy()[: len(tokens)]

    def _try_out(self) -> NDArray[np.float32]:
        try:
            return unit_rows(self.name, self._run(self._tokenize(["a"])))
        except ScannerError:
            raise
        except Exception as error:  # whatever torch says of token ids that the tower does not know, ...
            raise ScannerError(f"The text tower of {self.name} does not work with its tokenizer ({error}).") from error
