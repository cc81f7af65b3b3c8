"""The neighbourhood of an image among all training images, for a model of small pictures that takes no prompt.

Every distance is computed, as a matrix product over all pixels, and those that count are computed again exactly. That
is affordable because such models draw 32 or 64 pixels a side: it takes size² · 3 bytes a distinct training picture
(307 MB for 100,000 of 32 × 32, 1.2 GB of 64 × 64; twice that while it is opened), and 200 MB for the products.

RUN/unconditional-originals/*.npz    a shard's pictures in the target's own transform

    >>> index = Neighbourhoods(sample_id, pixels, group_of)                    # doctest: +SKIP
    >>> index(images)[0].adaptive_l2                                           # doctest: +SKIP
    0.31
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.attack import NEIGHBOURS, Neighbourhood, as_unit
from scanner.errors import UnusableInputError
from scanner.files import replacing
from scanner.samples import StoredImages, Undecodable, decode
from scanner.targets import Transform

Pixels = NDArray[np.uint8]

FOLDER = "unconditional-originals"
_BLOCK_BYTES = 50_000_000
"""Of float32 pixels that are multiplied at once."""
_DISTANCES = 25_000_000
"""Distances held at once: 100 MB."""


class Squares:
    """The stage that reads the training pictures: called with the distinct rows of one shard's samples table."""

    def __init__(self, images: StoredImages, transform: Transform) -> None:
        self.images, self.transform = images, transform

    def __call__(self, samples: pl.DataFrame) -> dict[str, NDArray[np.generic]]:
        """`sample_id` int64 (n,) and `pixels` uint8 (n, size, size, 3). A row whose image was never decoded and can't
        be is left out; raises Undecodable for any other."""
        squares, ids = list[Pixels](), list[int]()
        for sample, pixels, *where in samples.select(
            "sample_id", "pixel_sha256", "file", "offset", "length"
        ).iter_rows():
            try:
                squares.append(self.transform(decode(self.images(*where))))
                ids.append(sample)
            except Undecodable:
                if pixels is not None:
                    raise
        size = self.transform.size
        stacked = np.stack(squares) if squares else np.empty((0, size, size, 3), np.uint8)
        return {"sample_id": np.array(ids, np.int64), "pixels": stacked}


def squares_file(run: Path, part: str) -> Path:
    return run / FOLDER / f"{part}.npz"


def write_squares(run: Path, part: str, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write one shard's arrays whole or not at all."""
    with replacing(squares_file(run, part)) as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **arrays)


def stored_neighbourhoods(run: Path, group_of: Mapping[int, int]) -> "Neighbourhoods":
    """The index of all shards that were read."""
    files = sorted((run / FOLDER).glob("*.npz"))
    ids = [np.load(file)["sample_id"] for file in files]
    pixels, at = np.empty(0, np.uint8), 0
    for file, of_part in zip(files, ids, strict=True):  # one after the other: together they may be gigabytes
        part = np.load(file)["pixels"]
        if not at:
            pixels = np.empty((sum(map(len, ids)), *part.shape[1:]), np.uint8)
        pixels[at : at + len(of_part)] = part
        at += len(of_part)
    return Neighbourhoods(np.concatenate(ids), pixels, group_of)


class Neighbourhoods:
    """An open index of the training pictures; a lookup of `scanner.attack.Unprompted`."""

    def __init__(self, sample_id: NDArray[np.int64], pixels: Pixels, group_of: Mapping[int, int]) -> None:
        """`sample_id` (n,) and `pixels` (n, size, size, 3), one row a distinct picture; `group_of` gives the duplicate
        group of rows that are in one. Raises UnusableInputError for fewer than 51 groups and single pictures."""
        group = np.array([group_of.get(int(sample), int(sample)) for sample in sample_id], np.int64)
        order = np.lexsort((sample_id, group))
        self.sample_id, self.group, self.pixels = sample_id[order], group[order], pixels[order]
        self.grouped = np.array([int(sample) in group_of for sample in self.sample_id], bool)
        self.starts = np.flatnonzero(np.r_[True, self.group[1:] != self.group[:-1]])[: len(group)]
        self.ends = np.r_[self.starts[1:], len(group)]
        if len(self.starts) <= NEIGHBOURS:
            raise UnusableInputError(
                f"The data set holds {len(self.starts)} different pictures, and the adaptive distance is measured in "
                f"the {NEIGHBOURS} nearest ones; attack with the whole training set."
            )
        self._centre = self._flat(slice(None, 1000)).mean(axis=0)  # distances do not change, rounding errors shrink

    def __call__(self, images: Pixels) -> list[Neighbourhood]:
        """What lies around each image (n, size, size, 3)."""
        return self._around(images, [None] * len(images))

    def singles(self) -> NDArray[np.int64]:
        """Rows of the index (not sample ids) of the pictures that are in no duplicate group."""
        alone = (self.ends - self.starts == 1) & ~self.grouped[self.starts]
        return np.asarray(self.starts[alone])

    def without_themselves(self, rows: NDArray[np.int64]) -> list[Neighbourhood]:
        """What lies around some of the training pictures themselves, their own groups left out."""
        return self._around(self.pixels[rows], self.group[rows].tolist())

    def _around(self, images: Pixels, own: Sequence[int | None]) -> list[Neighbourhood]:
        batch = max(1, min(256, _DISTANCES // len(self.sample_id)))
        found: list[Neighbourhood] = []
        for at in range(0, len(images), batch):
            squares = self._squares(images[at : at + batch])
            for image, row, group in zip(images[at : at + batch], squares, own[at : at + batch], strict=True):
                if group is not None:
                    row[self.group == group] = np.inf
                found.append(self._neighbourhood(image, row))
        return found

    def _neighbourhood(self, image: Pixels, squares: NDArray[np.float32]) -> Neighbourhood:
        nearest = np.minimum.reduceat(squares, self.starts)
        groups = np.argpartition(nearest, NEIGHBOURS - 1)[:NEIGHBOURS]
        rows = np.array([self.starts[g] + squares[self.starts[g] : self.ends[g]].argmin() for g in groups])
        differences = as_unit(self.pixels[rows]).astype(np.float64) - as_unit(image)
        distances = np.sqrt(np.square(differences).mean(axis=(1, 2, 3)))
        best = int(distances.argmin())
        return Neighbourhood(
            sample_id=int(self.sample_id[rows[best]]), l2=float(distances[best]), mean_l2=float(distances.mean())
        )

    def _squares(self, images: Pixels) -> NDArray[np.float32]:
        """Squared distances of all pixels, (images, rows), in float32."""
        flat = as_unit(images).reshape(len(images), -1) - self._centre
        norms = np.square(flat).sum(axis=1)[:, None]
        squares = np.empty((len(images), len(self.sample_id)), np.float32)
        step = max(1, _BLOCK_BYTES // (4 * flat.shape[1]))
        for at in range(0, len(self.sample_id), step):
            part = self._flat(slice(at, at + step)) - self._centre
            squares[:, at : at + step] = norms + np.square(part).sum(axis=1) - 2 * (flat @ part.T)
        return squares

    def _flat(self, rows: slice) -> NDArray[np.float32]:
        return as_unit(self.pixels[rows]).reshape(len(self.pixels[rows]), -1)
