"""The index of originals: for each distinct picture, a thumbnail of the block means of what the target was trained on.

One pass over the data set in the target's own training transform; a shard's files hold, per distinct picture, the
thumbnail, block means rounded to 8 bits (PART.npy, 3,072 bytes a picture, memory-mapped), and (PART.npz) `sample_id`,
the first row that shows it, `mean` and `deviation` of all its pixels, `rest`, how far the pixels are from their block
means, and `rounding`, how far those are from the thumbnail. Bounds at equal mean and contrast follow from these without
reading the picture again.

    >>> stage = BlockMeans(images, transform)                                  # doctest: +SKIP
    >>> arrays = stage(samples_of_one_shard)                                   # doctest: +SKIP
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.attack import as_unit, block_means
from scanner.errors import UnusableInputError
from scanner.files import replacing
from scanner.fingerprints import pixel_sha256
from scanner.samples import StoredImages, Undecodable, decode
from scanner.targets import Transform
from scanner.verify._finer import LENGTHS
from scanner.verify._screen import ROW_BYTES
from scanner.verify._thumbnails import Thumbnails

FOLDER = "originals"
INDEX_BYTES = 32 * 32 * 3 + 24
"""Of one picture in the index, at most: its thumbnail and five numbers."""
OPEN_INDEX_BYTES = 24 + 2 * (ROW_BYTES + 4 * LENGTHS + 20)
"""Of one picture in the opened index, at most: those numbers, and what bounds its plain and its normalised l2."""
NUMBERS = ("sample_id", "mean", "deviation", "rest", "rounding")


def side_of(size: int) -> int:
    """Blocks along a side of size × size pixels: 32 where they cut it evenly, else 16."""
    return 32 if size % 32 == 0 else 16


@dataclass(frozen=True, kw_only=True)
class Blocks:
    """The index of all shards, in the order of sample ids."""

    sample_id: NDArray[np.int64]
    """(n,) the first row of each distinct picture."""
    thumbnails: Thumbnails
    """(n, side · side · 3) uint8: means of side × side blocks, rounded."""
    mean: NDArray[np.float32]
    """(n,) mean over all pixels and channels, on [0, 1]."""
    deviation: NDArray[np.float32]
    """(n,) standard deviation over the same."""
    rest: NDArray[np.float32]
    """(n,) l2 of the pixels to their block means."""
    rounding: NDArray[np.float32]
    """(n,) l2 of the block means to the thumbnail: 1 / (255 √12) as a rule, at most 0.5 / 255."""

    @classmethod
    def of(cls, images: NDArray[np.float32], sample_id: NDArray[np.int64]) -> "Blocks":
        """The index of pictures (n, size, size, 3) on [0, 1] in memory."""
        return cls.from_arrays([{"sample_id": sample_id, **_columns([described(image) for image in images])}])

    @classmethod
    def from_arrays(cls, parts: Sequence[Mapping[str, NDArray[Any]]]) -> "Blocks":
        """The index from the arrays of its shards, in the order of sample ids."""
        numbers = {name: np.concatenate([part[name] for part in parts]) for name in NUMBERS}
        assert (np.diff(numbers["sample_id"]) > 0).all()
        return cls(thumbnails=Thumbnails([part["thumbnails"] for part in parts]), **numbers)


def described(image: NDArray[np.float32]) -> dict[str, Any]:
    """What the index holds of a picture (size, size, 3) on [0, 1], named as in `Blocks`."""
    side = side_of(image.shape[0])
    means, thumbnail = block_means(image, side), thumbnail_of(image)
    return {
        "thumbnails": thumbnail,
        "mean": image.mean(dtype=np.float64),
        "deviation": image.std(dtype=np.float64),
        "rest": rest_of(image, side),
        "rounding": np.sqrt(np.square(as_unit(thumbnail) - means, dtype=np.float64).mean()),
    }


def thumbnail_of(image: NDArray[np.float32]) -> NDArray[np.uint8]:
    """uint8 (side · side · 3): the block means of a picture (size, size, 3) on [0, 1], rounded."""
    return np.asarray((block_means(image, side_of(image.shape[0])) * 255).round(), np.uint8)


def rest_of(images: NDArray[np.float32], side: int) -> NDArray[np.float32]:
    """l2 of images (..., size, size, 3) to their own side × side block means: (...)."""
    *front, size, _, _ = images.shape
    blocks = images.reshape(*front, side, size // side, side, size // side, 3)
    means = block_means(images, side).reshape(*front, side, 1, side, 1, 3)
    return np.asarray(np.sqrt(np.square(blocks - means, dtype=np.float64).mean(axis=(-5, -4, -3, -2, -1))), np.float32)


class BlockMeans:
    """The stage: made once, called with the distinct rows of one shard's samples table."""

    def __init__(self, images: StoredImages, transform: Transform) -> None:
        self.images, self.transform = images, transform

    def __call__(self, samples: pl.DataFrame) -> dict[str, NDArray[np.generic]]:
        """Arrays named as in `Blocks`. A row whose image was never decoded (it has no `pixel_sha256`) and can't be is
        left out; raises UnusableInputError for another image that can't be had as it was audited."""
        columns = ("sample_id", "pixel_sha256", "file", "offset", "length")
        ids, rows = list[int](), list[dict[str, Any]]()
        for sample, digest, *where in samples.select(columns).iter_rows():
            picture = self._picture(digest, *where)
            if picture is not None:
                ids.append(sample)
                rows.append(described(as_unit(self.transform(picture))))  # one in memory, not those of a shard
        width = 3 * side_of(self.transform.size) ** 2
        empty = {"thumbnails": np.empty((0, width), np.uint8)}
        return {"sample_id": np.array(ids, np.int64), **_columns(rows), **({} if rows else empty)}

    def _picture(self, digest: str | None, file: str, offset: int, length: int | None) -> NDArray[np.uint8] | None:
        try:
            picture: NDArray[np.uint8] = decode(self.images(file, offset, length))
        except Undecodable as error:
            if digest is None:
                return None
            raise _not_as_audited(file, offset, error.message) from error
        if digest is not None and pixel_sha256(picture) != digest:
            raise _not_as_audited(file, offset, "it is another picture by now")
        return picture


def _not_as_audited(file: str, offset: int, why: str) -> UnusableInputError:
    return UnusableInputError(
        f"The image at {offset:,} of {file} is not what was audited ({why.rstrip('.')}); put it back, or audit the "
        "data set again."
    )


def _columns(rows: Sequence[Mapping[str, Any]]) -> dict[str, NDArray[Any]]:
    numbers = {name: np.array([row[name] for row in rows], np.float32) for name in NUMBERS[1:]}
    return {"thumbnails": np.array([row["thumbnails"] for row in rows], np.uint8), **numbers}


def write_blocks(run: Path, part: str, arrays: Mapping[str, NDArray[np.generic]]) -> None:
    """Write one shard's arrays, each file whole or not at all, the numbers last."""
    with replacing(run / FOLDER / f"{part}.npy") as temporary, temporary.open("wb") as file:
        np.save(file, arrays["thumbnails"], allow_pickle=False)
    with replacing(run / FOLDER / f"{part}.npz") as temporary, temporary.open("wb") as file:
        np.savez(file, allow_pickle=False, **{name: arrays[name] for name in NUMBERS})


def has_blocks(run: Path, part: str) -> bool:
    """Whether a shard's files are there; what an earlier version wrote, one file with fewer numbers, is not enough, nor
    is it beside a thumbnail file that a stopped run has written since."""
    numbers = run / FOLDER / f"{part}.npz"
    if not (numbers.exists() and numbers.with_suffix(".npy").exists()):
        return False
    with np.load(numbers) as stored:
        return set(NUMBERS) <= set(stored.files)


def has_earlier_blocks(run: Path) -> bool:
    """Whether an earlier version wrote an index, which the stage makes anew."""
    return any(not has_blocks(run, file.stem) for file in (run / FOLDER).glob("*.npz"))


def stored_blocks(run: Path) -> Blocks:
    """The index of a run, from all its shards' files; the thumbnails are not read yet."""
    files = sorted((run / FOLDER).glob("*.npz"))  # a part is named by its shard's number: in the order of sample ids
    parts = [dict(np.load(file)) for file in files]
    thumbnails = [np.load(file.with_suffix(".npy"), mmap_mode="c") for file in files]
    return Blocks.from_arrays(
        [part | {"thumbnails": pictures} for part, pictures in zip(parts, thumbnails, strict=True)]
    )
