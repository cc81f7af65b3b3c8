"""An original that comes back mirrored or a little moved: told beside the verdict, and no hit by itself.

A model that was trained with random flips gives mirror images back, and one that crops at random gives moved ones; the
l2 of whole pictures misses both. Images that show no original as they lie are turned left to right, and moved by a
sixteenth of their side along one axis (the border is repeated where nothing moves in), and looked up again, at equal
mean and contrast, exactly as before but without the autoencoder's reconstructions.

    >>> placed(images, originals, threshold=0.12)                              # doctest: +SKIP
    Placed(mirrored=True, shift_x=0, shift_y=0, l2=0.04, sample_id=17)
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scanner.attack import NEEDED, agreement
from scanner.verify._originals import Originals

SHIFTS = 16
"""An image is moved by its side over this: one row of the search's block means at their coarsest."""

Floats = NDArray[np.float32]


@dataclass(frozen=True, kw_only=True)
class Placed:
    """How images lie on an original that two of them show."""

    mirrored: bool
    """Left to right."""
    shift_x: int
    """Pixels by which the original has moved to the right in the image, which is mirrored back first."""
    shift_y: int
    """Pixels by which it has moved down."""
    l2: float
    """Normalised l2 at which the second of the images shows the original, so placed."""
    sample_id: int
    """The original."""

    @property
    def words(self) -> str:
        """As the hits table has it."""
        moved = "shifted" if self.shift_x or self.shift_y else ""
        return " and ".join(word for word in ("mirrored" if self.mirrored else "", moved) if word)


def placed(images: Floats, originals: Originals, *, threshold: float) -> Placed | None:
    """The placement in which two of the images (n, size, size, 3) on [0, 1] show one original nearest, within the
    threshold; None where there is none. Their place as they lie is not tried."""
    found = list[Placed]()
    for mirrored, x, y in _tried(images.shape[1]):
        turned = images[:, :, ::-1] if mirrored else images
        near = originals.nearest(np.ascontiguousarray(moved(turned, -x, -y)), radius=threshold)
        agreed = agreement([() if one is None else (one,) for one in near], originals.group_of, threshold=threshold)
        if agreed is not None and agreed.count >= NEEDED:
            found.append(
                Placed(mirrored=mirrored, shift_x=x, shift_y=y, l2=agreed.distance, sample_id=agreed.sample_id)
            )
    return min(found, key=lambda one: one.l2, default=None)


def moved(images: Floats, x: int, y: int) -> Floats:
    """Images (n, size, size, 3) moved by x pixels to the right and y down, the border repeated."""
    rows = np.clip(np.arange(images.shape[1]) - y, 0, images.shape[1] - 1)
    columns = np.clip(np.arange(images.shape[2]) - x, 0, images.shape[2] - 1)
    return images[:, rows][:, :, columns]


def _tried(size: int) -> Iterator[tuple[bool, int, int]]:
    step = max(1, size // SHIFTS)
    for mirrored in (False, True):
        for x, y in ((0, 0), (-step, 0), (step, 0), (0, -step), (0, step)):
            if mirrored or x or y:
                yield mirrored, x, y
