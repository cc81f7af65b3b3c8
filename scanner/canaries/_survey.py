"""What a data set is like, so that canaries fit in: its captions' words, the size and format of its images, a row.

>>> survey(open_dataset("laion-subset/")).words                              # doctest: +SKIP
"""

import io
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from scanner.canaries._copies import Style
from scanner.duplicates.captions import normalise_captions, words_of
from scanner.errors import UnusableInputError
from scanner.samples import Dataset, Sample, Shard, Undecodable, decode

SIZED = 500
"""Images that the median size is taken from, spread over the shards."""
_CAPTIONS_AT_ONCE = 20_000
_FORMATS = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True, kw_only=True)
class Survey:
    """A data set that was read once."""

    rows: int
    """Its rows with an image."""
    words: frozenset[str]
    """Every word of its captions, in lower case."""
    style: Style
    """Median width and height of its images; the format of the first, or PNG where canaries can't have that."""
    shard: Shard
    """The first that has a row."""
    example: dict[str, Any]
    """All fields but the image of the first row that has a caption."""


def survey(dataset: Dataset, advance: Callable[[], None] = lambda: None) -> Survey:
    """Read a data set from front to end; `advance` is called after every shard.

    Raises UnusableInputError where no row has an image that can be read, or none has a caption.
    """
    rows, words, sizes, first = 0, set[str](), list[tuple[int, int]](), None
    for shard in dataset.shards:
        captions: list[str] = []
        enough = len(sizes) + -(-SIZED // len(dataset.shards))
        for item in dataset.read(shard):
            if not isinstance(item, Sample) or item.encoded is None:
                continue
            rows += 1
            if len(sizes) < enough:
                sizes += _sizes(item.encoded)
            if item.caption:
                first = first or (shard, item)
                captions.append(item.caption)
            if len(captions) == _CAPTIONS_AT_ONCE:
                words |= _words(captions)
                captions = []
        words |= _words(captions)
        advance()
    if first is None or not sizes:
        raise UnusableInputError(
            "The data set has no readable image with a caption, and canaries need both; name the column of the "
            "captions with --caption-column."
        )
    style = _style(sizes, first[1].encoded or b"")
    return Survey(rows=rows, words=frozenset(words), style=style, shard=first[0], example=dict(first[1].extra))


def _sizes(encoded: bytes) -> list[tuple[int, int]]:
    """Width and height of an image, upright; nothing of one that can't be decoded."""
    try:
        height, width, _ = decode(encoded).shape
    except Undecodable:
        return []
    return [(width, height)]


def _words(captions: Iterable[str]) -> set[str]:
    normal = normalise_captions(pl.Series(list(captions), dtype=pl.String)).drop_nulls()
    return set(words_of(normal).vocabulary)


def _style(sizes: list[tuple[int, int]], encoded: bytes) -> Style:
    width, height = np.median(np.array(sizes), axis=0).astype(int).tolist()
    try:
        found = Image.open(io.BytesIO(encoded)).format
    except OSError:
        found = None
    return Style(width=width, height=height, format=found if found in _FORMATS else "PNG")
