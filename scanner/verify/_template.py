"""Templates: what several originals have in common, and how far an image is from that part alone.

Webster 2023 (https://arxiv.org/abs/2305.08694) calls it a template verbatim when a model gives a layout back and paints
something of its own into a region; the l2 of whole pictures misses these. Originals that belong together (a duplicate
group, a template family, the pictures under one caption) are laid on one another in the target's transform. In a grid
of 16 × 16 cells, the cells in which they agree are the layout, and the others are masked. An image is then compared
with the layout alone, at equal mean and contrast there, so that what stands in the masked region can't count.

The l2 of the cells' means is a lower bound of that distance, since cells are masked as a whole (Jensen); it is computed
first, and the pixels decide what lies within it. A layout that covers too little, or that is a plain ground, would be
found in every picture: it is none.

    >>> template = common_layout(np.stack([mug_with_a, mug_with_b, mug_with_c]))            # doctest: +SKIP
    >>> template.area, layout_l2(images, template.reference, template.layout)               # doctest: +SKIP
    (0.8, array([0.03, 0.41]))
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from scanner.attack import DEVIATION, LEAST_DEVIATION, as_unit

CELLS = 16
"""Cells along a side: 4 pixels each at 64 × 64."""
ALIKE = 0.05
"""Root mean square on [0, 1] within which a cell of a picture shows what the others show. Copies re-encoded as JPEG
differ by 0.01 to 0.03."""
SHARE_ALIKE = 0.9
"""Share of the pictures that must agree in a cell."""
LEAST_AREA = 0.25
"""Share of the picture that a layout covers at least."""
LEAST_CONTRAST = 0.05
"""Standard deviation of the layout's pixels on [0, 1], at least: a plain ground is no layout."""
LEAST_SPREAD = 0.1
"""Median l2 of two originals in the masked region, at least: below, nothing there differs visibly."""
COPIED = 0.35
"""An image has copied an original's masked region when its l2 there is at most this share of the median l2 of two
originals there. Between what was measured, on which it was chosen: 0.22 and 0.26 where a heavily duplicated variant
came back (demo), 0.47 to 1.06 where a layout did whose variants stood once each (18 layouts of a lab target)."""

Floats = NDArray[np.float32]
Cells = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True, eq=False)
class Template:
    """What originals have in common."""

    reference: NDArray[np.uint8]
    """(size, size, 3) the median picture; outside the layout it shows nothing that exists."""
    layout: Cells
    """(CELLS, CELLS) cells in which the originals agree."""
    spread: float
    """Median l2 on [0, 1] of two of the originals in the masked region."""

    @property
    def area(self) -> float:
        """Share of the picture that is not masked."""
        return float(self.layout.mean())


def common_layout(pictures: NDArray[np.uint8]) -> Template | None:
    """The layout of two originals and more (n, size, size, 3); None where they have none, or differ nowhere visibly."""
    units = as_unit(pictures)
    median = np.median(units, axis=0).astype(np.float32)
    apart = np.sqrt(np.quantile(_cell_means(np.square(units - median).mean(axis=-1)), SHARE_ALIKE, axis=0))
    layout = np.asarray(apart <= ALIKE)
    inside = pixels_of(layout, units.shape[1])
    if not LEAST_AREA <= layout.mean() < 1 or median[inside].std() < LEAST_CONTRAST:
        return None
    masked = units[:, ~inside]
    between = [np.sqrt(np.square(a - b).mean()) for a, b in combinations(masked, 2)]
    spread = float(np.median(between))
    if spread < LEAST_SPREAD:
        return None
    return Template(reference=as_bytes(median), layout=layout, spread=spread)


def as_bytes(images: Floats) -> NDArray[np.uint8]:
    """Images on [0, 1] as they are stored."""
    return np.asarray((images * 255).round(), np.uint8)


def pixels_of(cells: Cells, size: int) -> NDArray[np.bool_]:
    """(size, size): the pixels of some cells."""
    at = np.arange(size) * CELLS // size
    return cells[np.ix_(at, at)]


def layout_l2(images: Floats, reference: Floats, layout: Cells) -> NDArray[np.float64]:
    """l2 of images (n, size, size, 3) on [0, 1] to a reference (size, size, 3) in the layout's cells alone, both at
    mean 0 and deviation 0.25 there: (n,)."""
    inside = pixels_of(layout, images.shape[1])
    both = np.concatenate([images[:, inside], reference[inside][None]]).reshape(len(images) + 1, -1)
    seen = _levelled(both, both.mean(axis=1, dtype=np.float64), both.std(axis=1, dtype=np.float64))
    return np.asarray(np.sqrt(np.square(seen[:-1] - seen[-1], dtype=np.float64).mean(axis=1)))


def masked_l2(images: Floats, original: Floats, layout: Cells) -> NDArray[np.float64]:
    """Plain l2 of images (n, size, size, 3) to an original (size, size, 3) outside the layout: (n,)."""
    outside = ~pixels_of(layout, images.shape[1])
    return np.asarray(np.sqrt(np.square(images[:, outside] - original[outside], dtype=np.float64).mean(axis=(1, 2))))


@dataclass(frozen=True, kw_only=True, eq=False)
class InCells:
    """Images by their cells: enough for a lower bound of `layout_l2` under any layout."""

    means: Floats
    """(n, CELLS, CELLS, 3)."""
    squares: Floats
    """(n, CELLS, CELLS) mean square of a cell's values."""
    even: bool
    """Whether all cells have as many pixels."""

    @classmethod
    def of(cls, images: Floats) -> "InCells":
        """Of images (n, size, size, 3) on [0, 1]."""
        means = np.stack([_cell_means(images[..., channel]) for channel in range(3)], axis=-1)
        squares = _cell_means(np.square(images).mean(axis=-1))
        return cls(means=means, squares=squares, even=images.shape[1] % CELLS == 0)

    def bounds(self, reference: "InCells", layout: Cells) -> NDArray[np.float64]:
        """(n,): at most `layout_l2` to the one image of `reference`. 0 where the pictures' side is no multiple of
        CELLS, since cells of unequal size would weigh alike."""
        if not self.even:
            return np.zeros(len(self.means))
        ours, other = self._seen(layout), reference._seen(layout)
        return np.asarray(np.sqrt(np.square(ours - other, dtype=np.float64).mean(axis=1)))

    def _seen(self, layout: Cells) -> Floats:
        means = self.means[:, layout].reshape(len(self.means), -1)
        mean = means.mean(axis=1, dtype=np.float64)
        variance = self.squares[:, layout].mean(axis=1, dtype=np.float64) - np.square(mean)
        return _levelled(means, mean, np.sqrt(np.maximum(variance, 0)))


def _levelled(values: Floats, mean: NDArray[np.float64], deviation: NDArray[np.float64]) -> Floats:
    gain = DEVIATION / np.maximum(deviation, LEAST_DEVIATION)
    return np.asarray((values - mean[:, None]) * gain[:, None], np.float32)


def _cell_means(values: Floats) -> Floats:
    """(n, size, size) → (n, CELLS, CELLS)."""
    size = values.shape[1]
    starts = np.searchsorted(np.arange(size) * CELLS // size, np.arange(CELLS))
    counts = np.diff([*starts, size])
    summed = np.add.reduceat(np.add.reduceat(values, starts, axis=1, dtype=np.float64), starts, axis=2)
    return np.asarray(summed / (counts[:, None] * counts), np.float32)
