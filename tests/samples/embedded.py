"""Data sets of embeddings, written by the calls that their tools make: clip-retrieval's writer (numpy's `save`, pandas'
`to_parquet`, numbers padded to the width of the partition count) and DataComp's `savez`."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Rows = Mapping[str, Sequence[object]]


def unit(count: int, width: int = 32, seed: int = 0) -> NDArray[np.float16]:
    """(count, width) random unit vectors."""
    rows = np.random.default_rng([seed, 5]).normal(size=(count, width))
    return (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float16)


def turned(vector: NDArray[np.float16], cosine: float, seed: int = 0) -> NDArray[np.float16]:
    """A unit vector of that cosine to the given one (float16: within 10⁻³)."""
    one = vector.astype(np.float64) / np.linalg.norm(vector.astype(np.float64))
    other = np.random.default_rng([seed, 6]).normal(size=len(one))
    other -= (other @ one) * one
    other /= np.linalg.norm(other)
    return (cosine * one + np.sqrt(1 - cosine**2) * other).astype(np.float16)


def names(count: int, first: int = 0) -> dict[str, list[object]]:
    """Columns of that many rows, as clip-retrieval joins them from img2dataset's metadata."""
    numbers = range(first, first + count)
    return {
        "image_path": [f"{number:09d}" for number in numbers],
        "caption": [f"caption {number}" for number in numbers],
        "url": [f"https://example.org/{number}.jpg" for number in numbers],
        "key": [f"{number:09d}" for number in numbers],
        "similarity": [number / 100 for number in numbers],
    }


def write_clip_retrieval(folder: Path, parts: Sequence[tuple[NDArray[np.floating], Rows]], partitions: int) -> Path:
    """What `clip-retrieval inference` leaves in its output folder, its text embeddings too."""
    digits = len(str(partitions))
    for name in ("img_emb", "text_emb", "metadata"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    for number, (vectors, rows) in enumerate(parts):
        label = str(number).zfill(digits)
        np.save(folder / "img_emb" / f"img_emb_{label}.npy", vectors)
        np.save(folder / "text_emb" / f"text_emb_{label}.npy", unit(len(vectors), 7, seed=9))
        pd.DataFrame(rows).to_parquet(folder / "metadata" / f"metadata_{label}.parquet")
    return folder


def write_datacomp(folder: Path, name: str, arrays: Mapping[str, NDArray[np.floating]], rows: Rows) -> Path:
    """A part of DataComp's metadata."""
    folder.mkdir(parents=True, exist_ok=True)
    np.savez(folder / f"{name}.npz", **arrays)
    pd.DataFrame(rows).to_parquet(folder / f"{name}.parquet")
    return folder
