"""The index of originals: for each distinct picture, 16 × 16 colour block means of what the target was trained on.

One pass over the data set in the target's own training transform; a shard's file holds, per distinct picture,
`sample_id` (the first row that shows it) and `blocks` float32 (16 · 16 · 3), `mean` and `deviation` of all its pixels.
Normalised block means follow from these without reading the picture again.

    >>> stage = BlockMeans(images, transform)                                  # doctest: +SKIP
    >>> arrays = stage(samples_of_one_shard)                                   # doctest: +SKIP
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.attack import as_unit, block_means
from scanner.files import replacing
from scanner.samples import StoredImages, Undecodable, decode
from scanner.targets import Transform

FOLDER = "originals"
SIDE = 16


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """The index of all shards, in the order of sample ids."""

    sample_id: NDArray[np.int64]
    """(n,) the first row of each distinct picture."""
    blocks: NDArray[np.float32]
    """(n, 768) means of 16 × 16 blocks on [0, 1]."""
    mean: NDArray[np.float32]
    """(n,) mean over all pixels and channels."""
    deviation: NDArray[np.float32]
    """(n,) standard deviation over the same."""


class BlockMeans:
    """The stage: made once, called with the distinct rows of one shard's samples table."""

    def __init__(self, images: StoredImages, transform: Transform) -> None:
        self.images, self.transform = images, transform

    def __call__(self, samples: pl.DataFrame) -> dict[str, NDArray[np.generic]]:
        """Arrays named as in `Blocks`. A row whose image was never decoded (it has no `pixel_sha256`) and can't be is
        left out; raises Undecodable for any other."""
        columns = ("sample_id", "pixel_sha256", "file", "offset", "length")
        ids, blocks, means, deviations = list[int](), list[NDArray[np.float32]](), list[float](), list[float]()
        for sample, pixels, *where in samples.select(columns).iter_rows():
            try:
                image = as_unit(self.transform(decode(self.images(*where))))
            except Undecodable:
                if pixels is not None:
                    raise
                continue
            ids.append(sample)
            blocks.append(block_means(image, SIDE))  # one image in memory, not those of a shard
            means.append(image.mean(dtype=np.float64))
            deviations.append(image.std(dtype=np.float64))
        return {
            "sample_id": np.array(ids, np.int64),
            "blocks": np.array(blocks, np.float32).reshape(len(ids), SIDE * SIDE * 3),
            "mean": np.array(means, np.float32),
            "deviation": np.array(deviations, np.float32),
        }


def write_blocks(run: Path, part: str, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write one shard's arrays whole or not at all."""
    with replacing(run / FOLDER / f"{part}.npz") as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def has_blocks(run: Path, part: str) -> bool:
    return (run / FOLDER / f"{part}.npz").exists()


def stored_blocks(run: Path) -> Blocks:
    """The index of a run, from all its shards' files."""
    parts: list[Mapping[str, NDArray[np.generic]]] = [dict(np.load(p)) for p in sorted((run / FOLDER).glob("*.npz"))]
    arrays = {
        name: np.concatenate([part[name] for part in parts]) for name in ("sample_id", "blocks", "mean", "deviation")
    }
    order = np.argsort(arrays["sample_id"])
    return Blocks(**{name: values[order] for name, values in arrays.items()})
