"""Originals as the target saw them, read again from the data set and held against the index.

An original that is gone by now, that can't be decoded, or that is another picture than the one indexed is stood in for
by its thumbnail, enlarged: distances to it are those of block means, and `state` says so. Nothing is replaced in
silence: the hits table carries the state.

    >>> pictures = SquarePictures(images, samples, transform, blocks)          # doctest: +SKIP
    >>> pictures([17]).shape, pictures.state(17)                               # doctest: +SKIP
    ((1, 512, 512, 3), 'as_audited')
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.attack import as_unit
from scanner.samples import StoredImages, Undecodable, decode
from scanner.targets import Transform
from scanner.verify._blocks import Blocks, side_of, thumbnail_of

Pixels = NDArray[np.uint8]

CACHE_BYTES = 1_000_000_000
"""Of pictures that are kept in memory."""
_GONE = ("image_gone", "no_image")
"""Reasons of `Undecodable` that say that there is no file, or no row, any more."""


class Pictures(Protocol):
    """Gives originals as the target saw them."""

    def __call__(self, sample_ids: Sequence[int], /) -> Pixels:
        """uint8 (n, size, size, 3)."""

    def state(self, sample: int, /) -> str:
        """`as_audited`, or why its thumbnail stands for it: `gone`, `undecodable` or `changed`."""


class SquarePictures:
    """The pictures of an index, with the last gigabyte kept in memory."""

    def __init__(self, images: StoredImages, samples: pl.DataFrame, transform: Transform, blocks: Blocks) -> None:
        places = samples.select("sample_id", "file", "offset", "length").iter_rows()
        self._images, self._transform, self._blocks = images, transform, blocks
        self._places = {sample: place for sample, *place in places}
        self._cache: OrderedDict[int, Pixels] = OrderedDict()
        self._room = max(1, CACHE_BYTES // (transform.size**2 * 3))
        self._states: dict[int, str] = {}

    def __call__(self, sample_ids: Sequence[int]) -> Pixels:
        """uint8 (n, size, size, 3)."""
        size = self._transform.size
        squares = [self._one(int(sample)) for sample in sample_ids]
        return np.stack(squares) if squares else np.empty((0, size, size, 3), np.uint8)

    def state(self, sample: int) -> str:
        """See `Pictures.state`."""
        self._one(sample)
        return self._states.get(sample, "as_audited")

    def _one(self, sample: int) -> Pixels:
        if sample not in self._cache:
            self._cache[sample] = self._read(sample)
            if len(self._cache) > self._room:
                self._cache.popitem(last=False)
        self._cache.move_to_end(sample)
        return self._cache[sample]

    def _read(self, sample: int) -> Pixels:
        thumbnail = self._blocks.thumbnails.rows([int(np.searchsorted(self._blocks.sample_id, sample))])[0]
        try:
            picture = self._transform(decode(self._images(*self._places[sample])))
        except Undecodable as error:
            self._states[sample] = "gone" if error.reason in _GONE else "undecodable"
            return self._enlarged(thumbnail)
        if (thumbnail_of(as_unit(picture)) == thumbnail).all():
            return picture
        self._states[sample] = "changed"
        return self._enlarged(thumbnail)

    def _enlarged(self, thumbnail: Pixels) -> Pixels:
        side = side_of(self._transform.size)
        block = self._transform.size // side
        return thumbnail.reshape(side, side, 3).repeat(block, axis=0).repeat(block, axis=1)
