"""The nearest originals of an image over the whole training set: exact, without reading most of it.

Lower bounds of the l2, from a few numbers a picture (`_screen`) and then from its thumbnail (`_space`), dismiss most
originals unread, for plain and for normalised pixels. The others are decided on the full images, in the target's own
training transform. Of each duplicate group the nearest row stands for it. Where the target has an autoencoder, an
original's distance is the smaller of that to itself and that to its reconstruction, since a latent model can give back
no more (checked for the nearest originals within the radius).

    >>> originals = Originals(blocks, pictures, group_of, reconstruct)         # doctest: +SKIP
    >>> originals(images)[0].near                                              # doctest: +SKIP
"""

from collections.abc import Callable, Mapping
from functools import cached_property, partial

import numpy as np
from numpy.typing import NDArray

from scanner.attack import Near, as_unit, l2, normalise
from scanner.verify._blocks import Blocks
from scanner.verify._nearest import UNLIMITED, nearest
from scanner.verify._pictures import Pictures, Pixels
from scanner.verify._space import COARSE, Asked, Space

RADIUS = 0.25
"""Normalised l2 within which originals are looked at: twice the loosest threshold, so that a generation near a
reconstruction is not dismissed for the distance of the reconstruction to its original."""
KEPT = 8
"""Originals kept per image."""
TOGETHER = 512
"""Images that are looked up at once."""


class Originals:
    """An open index of the originals; a `scanner.attack.Lookup`."""

    def __init__(
        self,
        blocks: Blocks,
        pictures: Pictures,
        group_of: Mapping[int, int],
        reconstruct: Callable[[Pixels], Pixels] | None,
    ) -> None:
        self.blocks, self.pictures, self.group_of, self._reconstruct = blocks, pictures, group_of, reconstruct
        self._reconstructed: dict[int, NDArray[np.float32]] = {}

    def __call__(self, images: NDArray[np.float32]) -> list[Near]:
        """What lies near each image (n, size, size, 3) on [0, 1]."""
        return [near for at in range(0, len(images), TOGETHER) for near in self._near(images[at : at + TOGETHER])]

    def nearest(self, images: NDArray[np.float32], *, radius: float = UNLIMITED) -> list[tuple[int, float] | None]:
        """(sample_id, normalised l2) of the nearest original of each image (n, size, size, 3) on [0, 1], as it is and
        not as the autoencoder gives it back; None where none lies within the radius."""
        found = []
        for at in range(0, len(images), TOGETHER):
            found += self._search(self._normalised, images[at : at + TOGETHER], kept=1, radius=radius)
        return [one[0] if one else None for one in found]

    def nearest_blocks(self, images: NDArray[np.float32]) -> NDArray[np.float32]:
        """The least l2 of 16 × 16 block means to any original, at equal mean and contrast, of images (n, size, size, 3)
        on [0, 1]: (n,), up to the rounding of the stored means. No picture is read."""
        asked = self._coarse.queries(images)
        found = nearest(self._coarse, asked, partial(self._coarse.distances, asked), kept=1, radius=UNLIMITED)
        return np.array([distance for ((distance, _),) in found], np.float32)

    def reconstruction(self, sample: int) -> Pixels | None:
        """The original as the target's autoencoder gives it back; None without an autoencoder."""
        return None if self._reconstruct is None else self._reconstruct(self.pictures([sample]))[0]

    def state(self, sample: int) -> str:
        """Whether an original can still be read as it was audited; see `SquarePictures.state`."""
        return self.pictures.state(sample)

    def restored(self, pictures: Pixels) -> Pixels | None:
        """Pictures (n, size, size, 3) as the target's autoencoder gives them back; None without an autoencoder."""
        return None if self._reconstruct is None else self._reconstruct(pictures)

    def count_within(self, sample: int, radius: float) -> list[int]:
        """Distinct originals (their first rows) within plain l2 `radius` of an original, itself among them."""
        image = as_unit(self.pictures([sample]))
        found = self._search(self._plain, image, kept=len(self.blocks.sample_id), radius=radius, alone=True)
        return sorted(original for original, _ in found[0])

    @cached_property
    def _plain(self) -> Space:
        return Space(self.blocks, normalised=False)

    @cached_property
    def _normalised(self) -> Space:
        return Space(self.blocks, normalised=True)

    @cached_property
    def _coarse(self) -> Space:
        return Space(self.blocks, normalised=True, side=COARSE)

    def _near(self, images: NDArray[np.float32]) -> list[Near]:
        plain = self._search(self._plain, images, kept=1, radius=UNLIMITED)
        near = self._search(self._normalised, images, kept=KEPT, radius=RADIUS)
        return [
            Near(near=self._with_reconstructions(image, close), l2_sample_id=first[0], l2=first[1])
            for image, close, (first,) in zip(normalise(images), near, plain, strict=True)
        ]

    def _search(
        self, space: Space, images: NDArray[np.float32], *, kept: int, radius: float, alone: bool = False
    ) -> list[list[tuple[int, float]]]:
        """Per image (sample_id, distance): the nearest row of each group within the radius, nearest first; every row if
        each stands `alone`."""
        asked = space.queries(images)
        original = int if alone else self._original
        found = nearest(
            space, asked, partial(self._distances, space, asked), kept=kept, radius=radius, original=original
        )
        return [[(int(self.blocks.sample_id[row]), distance) for distance, row in one] for one in found]

    def _distances(self, space: Space, asked: Asked, image: int, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        originals = as_unit(self.pictures(self.blocks.sample_id[rows].tolist()))
        return l2(asked.images[image], normalise(originals) if space.normalised else originals)

    def _original(self, row: int) -> int:
        """A row's group, or itself where it is in none."""
        sample = int(self.blocks.sample_id[row])
        return self.group_of.get(sample, sample)

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
