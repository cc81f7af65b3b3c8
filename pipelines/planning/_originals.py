"""What the originals take: pictures to index, and a timed look-up among a sample of them.

The index holds block means of every distinct picture; a generation is compared with all of them, and its nearest are
read in full. Both are timed on up to 256 of a run's pictures and grow with their number.

    >>> places = distinct_pictures(run)                                             # doctest: +SKIP
    >>> time_originals(run, places, target, generations)                            # doctest: +SKIP
"""

import time
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.fetching import can_be_fetched
from pipelines.verification import stored_images
from scanner.attack import as_unit
from scanner.run import Run
from scanner.targets import Target
from scanner.verify import CACHE_BYTES, BlockMeans, Blocks, Originals, SquarePictures

SAMPLE = 256
"""Pictures that are timed."""


@dataclass(frozen=True, kw_only=True)
class Pictures:
    """The pictures that generations would be compared with."""

    distinct: int
    """Different pictures that can be read."""
    by_url: bool
    """Whether further ones are known by their addresses alone, and fetched for the attacked prompts."""


@dataclass(frozen=True, kw_only=True)
class OriginalsTime:
    """What reading and comparing takes."""

    timed: int
    """Pictures that were read for it."""
    index_seconds: float
    """Of one picture: read, decoded, cut to the target's size, its block means taken."""
    lookup_seconds: float
    """Of one generation, compared with all pictures."""
    restore_seconds: float
    """Of one picture that goes through the target's autoencoder, once, to be compared as that gives it back; 0 without
    one."""


def count_originals(run: Run, places: pl.DataFrame) -> Pictures:
    """Count the pictures of a run."""
    return Pictures(distinct=len(places), by_url=can_be_fetched(run))


def time_originals(
    run: Run, places: pl.DataFrame, target: Target, generations: NDArray[np.uint8]
) -> OriginalsTime | None:
    """Read a sample of the pictures and look the generations (n, size, size, 3) up among them; None without either.

    Raises UnusableInputError when the data set is gone, or one of its pictures can't be had as it was audited.
    """
    images, transform = stored_images(run, fetch=True), target.transform
    if places.is_empty() or not len(generations):
        return None
    sample = places.sample(min(SAMPLE, len(places)), seed=0).sort("sample_id")
    begun = time.perf_counter()
    arrays = BlockMeans(images, transform)(sample)
    seconds = time.perf_counter() - begun
    blocks = Blocks.from_arrays([arrays])
    originals = Originals(blocks, SquarePictures(images, sample, transform, blocks), {}, None)
    fits = cached_bytes(len(places), transform.size) < CACHE_BYTES
    lookup = _lookup_seconds(originals, generations, times=2 if fits else 1)
    return OriginalsTime(
        timed=len(sample),
        index_seconds=seconds / len(sample),
        lookup_seconds=lookup / len(generations) * len(places) / len(sample),
        restore_seconds=_restore_seconds(target, generations[:1]),
    )


def _lookup_seconds(originals: Originals, generations: NDArray[np.uint8], *, times: int) -> float:
    """Of the last of so many look-ups of all generations. Where all pictures fit the cache it is the second that
    counts: by then what is near has been read."""
    seconds = 0.0
    for _ in range(times):
        begun = time.perf_counter()
        originals(as_unit(generations))
        seconds = time.perf_counter() - begun
    return seconds


def _restore_seconds(target: Target, pictures: NDArray[np.uint8]) -> float:
    """Of the second of two times through the autoencoder, one picture alone as a look-up does it."""
    seconds = 0.0
    for _ in range(2 if target.has_autoencoder else 0):
        begun = time.perf_counter()
        target.reconstruct(pictures)
        seconds = time.perf_counter() - begun
    return seconds


def cached_bytes(pictures: int, size: int) -> int:
    """Pictures as they are kept in memory once they were read, at most `CACHE_BYTES`."""
    return min(CACHE_BYTES, pictures * size**2 * 3)
