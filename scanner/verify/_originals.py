"""The nearest originals of an image over the whole training set: exact, without reading most of it.

The l2 of block means never exceeds the l2 of the images (`scanner.attack.block_means`), for plain and for normalised
pixels. So originals whose bound lies beyond the search radius are dismissed unread, and the others are decided on
the full images, in the target's own training transform. Of each duplicate group the nearest row stands for it.
Where the target has an autoencoder, an original's distance is the smaller of that to itself and that to its
reconstruction, since a latent model can give back no more (checked for the nearest originals within the radius).

    >>> originals = Originals(blocks, pictures, group_of, reconstruct)         # doctest: +SKIP
    >>> originals(images)[0].near                                              # doctest: +SKIP
"""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.attack import Near, as_unit, block_means, l2, normalise
from scanner.samples import StoredImages, decode
from scanner.targets import Transform
from scanner.verify._blocks import SIDE, Blocks

Pixels = NDArray[np.uint8]

RADIUS = 0.25
"""Normalised l2 within which originals are looked at: twice the loosest threshold, so that a generation near a
reconstruction is not dismissed for the distance of the reconstruction to its original."""
KEPT = 8
"""Originals kept per image."""
ROUNDING = 2e-3
"""What float32 rounding can add to a bound (the product form loses digits near zero): allowed for, so that no
original is dismissed for it."""
CACHE_BYTES = 1_000_000_000


class SquarePictures:
    """Originals as the target saw them, read again from the data set, with the last gigabyte kept in memory."""

    def __init__(self, images: StoredImages, samples: pl.DataFrame, transform: Transform) -> None:
        places = samples.select("sample_id", "file", "offset", "length").iter_rows()
        self._images = images
        self._places = {sample: place for sample, *place in places}
        self._transform = transform
        self._cache: OrderedDict[int, Pixels] = OrderedDict()
        self._room = max(1, CACHE_BYTES // (transform.size**2 * 3))

    def __call__(self, sample_ids: Sequence[int]) -> Pixels:
        """uint8 (n, size, size, 3)."""
        size = self._transform.size
        squares = [self._one(int(sample)) for sample in sample_ids]
        return np.stack(squares) if squares else np.empty((0, size, size, 3), np.uint8)

    def _one(self, sample: int) -> Pixels:
        if sample not in self._cache:
            self._cache[sample] = self._transform(decode(self._images(*self._places[sample])))
            if len(self._cache) > self._room:
                self._cache.popitem(last=False)
        self._cache.move_to_end(sample)
        return self._cache[sample]


class Originals:
    """An open index of the originals; a `scanner.attack.Lookup`."""

    def __init__(
        self,
        blocks: Blocks,
        pictures: Callable[[Sequence[int]], Pixels],
        group_of: Mapping[int, int],
        reconstruct: Callable[[Pixels], Pixels] | None,
    ) -> None:
        self.blocks, self.pictures, self.group_of, self._reconstruct = blocks, pictures, group_of, reconstruct
        gain = np.float32(0.25) / np.maximum(blocks.deviation, np.float32(0.01))
        self._normalised = (blocks.blocks - blocks.mean[:, None]) * gain[:, None]
        self._reconstructed: dict[int, NDArray[np.float32]] = {}

    def __call__(self, images: NDArray[np.float32]) -> list[Near]:
        """What lies near each image (n, size, size, 3) on [0, 1]."""
        plain = self._nearest_plain(images)
        normalised = normalise(images)
        near = self._within(normalised, RADIUS)
        return [
            Near(
                near=self._with_reconstructions(normalised[i], near[i]),
                l2_sample_id=plain[i][0],
                l2=plain[i][1],
            )
            for i in range(len(images))
        ]

    def nearest_blocks(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """The least l2 of 16 × 16 block means to any original, at equal mean and contrast, of images (n, size, size, 3)
        on [0, 1]: (n,). No picture is read."""
        return np.asarray(_bounds(block_means(normalise(images), SIDE), self._normalised).min(axis=1))

    def reconstruction(self, sample: int) -> Pixels | None:
        """The original as the target's autoencoder gives it back; None without an autoencoder."""
        return None if self._reconstruct is None else self._reconstruct(self.pictures([sample]))[0]

    def restored(self, pictures: Pixels) -> Pixels | None:
        """Pictures (n, size, size, 3) as the target's autoencoder gives them back; None without an autoencoder."""
        return None if self._reconstruct is None else self._reconstruct(pictures)

    def count_within(self, sample: int, radius: float) -> list[int]:
        """Distinct originals (their first rows) within plain l2 `radius` of an original, itself among them."""
        image = as_unit(self.pictures([sample]))
        bound = _bounds(block_means(image, SIDE), self.blocks.blocks)[0]
        rows = np.flatnonzero(bound <= radius + ROUNDING)
        distances = l2(image, as_unit(self.pictures(self.blocks.sample_id[rows].tolist())))
        return [int(id_) for id_ in self.blocks.sample_id[rows[distances <= radius]]]

    def _nearest_plain(self, images: NDArray[np.float32]) -> list[tuple[int, float]]:
        bounds = _bounds(block_means(images, SIDE), self.blocks.blocks)
        first = bounds.argmin(axis=1)
        reach = l2(images, as_unit(self.pictures(self.blocks.sample_id[first].tolist())))
        rows, distances = self._exact(images, bounds <= reach[:, None] + ROUNDING, normalised=False)
        best = distances.argmin(axis=1)
        return [(int(self.blocks.sample_id[rows[j]]), float(distances[i, j])) for i, j in enumerate(best)]

    def _within(self, normalised: NDArray[np.float32], radius: float) -> list[list[tuple[int, float]]]:
        """Per image (sample_id, distance): the nearest row of each group within the radius, nearest first."""
        bounds = _bounds(block_means(normalised, SIDE), self._normalised)
        rows, distances = self._exact(normalised, bounds <= radius + ROUNDING, normalised=True)
        ids = self.blocks.sample_id[rows].tolist()
        return [self._nearest_of_groups(ids, row, radius) for row in distances]

    def _nearest_of_groups(
        self, ids: list[int], distances: NDArray[np.float64], radius: float
    ) -> list[tuple[int, float]]:
        found: dict[int, tuple[int, float]] = {}
        for j in np.argsort(distances, kind="stable"):
            if distances[j] > radius or len(found) == KEPT:
                break
            found.setdefault(self.group_of.get(ids[j], ids[j]), (ids[j], float(distances[j])))
        return list(found.values())

    def _exact(
        self, images: NDArray[np.float32], mask: NDArray[np.bool_], *, normalised: bool
    ) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Rows of the index that any image needs, and exact distances (images, rows); infinite where masked out."""
        rows = np.flatnonzero(mask.any(axis=0))
        distances = np.full((len(images), len(rows)), np.inf)
        for at in range(0, len(rows), 256):
            part = rows[at : at + 256]
            originals = as_unit(self.pictures(self.blocks.sample_id[part].tolist()))
            originals = normalise(originals) if normalised else originals
            for i, image in enumerate(images):
                wanted = np.flatnonzero(mask[i, part])
                distances[i, at + wanted] = l2(image, originals[wanted])
        return rows, distances

    def _with_reconstructions(
        self, image: NDArray[np.float32], near: list[tuple[int, float]]
    ) -> tuple[tuple[int, float], ...]:
        if self._reconstruct is None:
            return tuple(near)
        closer = [(sample, min(d, float(l2(image, self._normalised_reconstruction(sample))))) for sample, d in near]
        return tuple(sorted(closer, key=lambda pair: pair[1]))

    def _normalised_reconstruction(self, sample: int) -> NDArray[np.float32]:
        """Each original goes through the autoencoder alone: in a batch its rounding would depend on its mates, and so
        a distance on what was looked up before, which a resumed attack does not repeat."""
        if sample not in self._reconstructed:
            restored = self.reconstruction(sample)
            assert restored is not None
            self._reconstructed[sample] = normalise(as_unit(restored))
        return self._reconstructed[sample]


def _bounds(a: NDArray[np.floating], b: NDArray[np.floating]) -> NDArray[np.float32]:
    """l2 of every pair of block means: (n, d), (m, d) → (n, m)."""
    squared = (a**2).sum(axis=1)[:, None] + (b**2).sum(axis=1)[None, :] - 2 * (a @ b.T)
    return np.asarray(np.sqrt(np.maximum(squared, 0) / a.shape[1]))
