"""What counts as evidence that a prompt is memorised, and which full-step images to make for it.

The search makes images of few steps; those that promise something are made again from the same seeds at full steps,
and these are the evidence. Where the originals are at hand, generations that agree on one original are what counts
(`ByOriginals`); without them, generations that are all alike (`ByClique`, Carlini et al. 2023, section 4.2).

    >>> rule = ByOriginals(group_of={7: 7, 9: 7}, most=16, chase=64, ceiling=0.12)
    >>> shown = [Shown(index=0, near=((7, 0.05),), png=None), Shown(index=1, near=(), png=None)]
    >>> rule.score(shown), rule.promising(shown, 0.1)
    (0.05, [0])
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import inf

import numpy as np
from numpy.typing import NDArray

from scanner.attack._agreement import agreement
from scanner.attack._clique import clique_of
from scanner.attack._generate import from_png
from scanner.attack._pairs import tile_distances


@dataclass(frozen=True, kw_only=True)
class Shown:
    """One usable image of a prompt."""

    index: int
    """Its number, of the search or of the evidence; equal numbers have equal seeds."""
    near: tuple[tuple[int, float], ...]
    """(sample_id, normalised l2) of the originals within the search radius, nearest first."""
    png: bytes | None
    """The image; None where it was not read."""


@dataclass(frozen=True, kw_only=True)
class ByOriginals:
    """Two full-step images that lie near one original."""

    group_of: Mapping[int, int]
    """By sample its duplicate group: rows of one group are one original."""
    most: int
    """Full-step images of a prompt, at most."""
    chase: int
    """Search images of a prompt of which one full-step image shows an original, at most."""
    ceiling: float
    """Normalised l2 within which an image shows an original, before the control arm was looked at."""
    families: frozenset[int] = frozenset()
    """Samples of template families that are in no duplicate group."""
    pictures: bool = False
    """Stored distances suffice."""

    def score(self, search: Sequence[Shown]) -> float:
        """The smallest normalised l2 at which any image promises something."""
        return min((self._promise(shown) for shown in search), default=inf)

    def promising(self, search: Sequence[Shown], threshold: float) -> list[int]:
        """Images that promise something within the threshold, nearest first."""
        near = sorted((self._promise(shown), shown.index) for shown in search)
        return [index for distance, index in near if distance <= threshold]

    def _promise(self, shown: Shown) -> float:
        """The distance to the nearest original of which the set has copies or variants; one that stands once, as most
        do of which some lies near any image of few steps, counts only where it lies within the ceiling."""
        return min((d for sample, d in shown.near if d <= self.ceiling or self._repeated(sample)), default=inf)

    def _repeated(self, sample: int) -> bool:
        return sample in self.group_of or sample in self.families

    def level(self, evidence: Sequence[Shown]) -> float | None:
        """The distance at which two images begin to agree on one original."""
        agreed = agreement([shown.near for shown in evidence], self.group_of, threshold=0)
        return None if agreed is None else agreed.distance

    def wanted(self, _search: Sequence[Shown], evidence: Sequence[Shown], promising: Sequence[int]) -> list[int]:
        """Number of the full-step image to make next, the best promising seed; none when there is enough."""
        made = {shown.index for shown in evidence}
        return [index for index in promising if index not in made][:1] if self._open(evidence) else []

    def more(self, search: Sequence[Shown], evidence: Sequence[Shown]) -> int:
        """Search images to make next: once a full-step image shows an original and no seed is left that promises a
        second, half as many again as there are, up to `chase` of them."""
        shows = any(shown.near and shown.near[0][1] <= self.ceiling for shown in evidence)
        made = len({shown.index for shown in search})
        return min(max(2, made // 2), self.chase - made) if shows and self._open(evidence) and made < self.chase else 0

    def _open(self, evidence: Sequence[Shown]) -> bool:
        level = self.level(evidence)
        return len(evidence) < self.most and (level is None or level > self.ceiling)


@dataclass(frozen=True, kw_only=True)
class ByClique:
    """As many full-step images as make a clique, all alike. A clique says that a prompt gives one image again and
    again, not whose it is: boilerplate and simple pictures do so too, which is why the control arm sets the level."""

    size: int
    """Images of a clique (the paper's 10)."""
    most: int
    """Full-step images of a prompt."""
    ceiling: float
    """Tile l2 of an edge, before the control arm was looked at."""
    pictures: bool = True
    """The images themselves are compared."""

    def score(self, search: Sequence[Shown]) -> float:
        """The tile l2 at which half of the images, at least two and no more than a clique, are all alike."""
        return self._level(search, max(2, min(self.size, len(search) // 2)))

    def promising(self, search: Sequence[Shown], threshold: float) -> list[int]:
        """All images of a prompt whose score reaches the threshold."""
        return [shown.index for shown in search] if self.score(search) <= threshold else []

    def level(self, evidence: Sequence[Shown]) -> float | None:
        """The tile l2 at which a clique begins."""
        found = self._level(evidence, self.size)
        return None if found == inf else found

    def wanted(self, search: Sequence[Shown], evidence: Sequence[Shown], promising: Sequence[int]) -> list[int]:
        """All of the evidence at once, since a clique needs that many: the seeds of the search, then new ones."""
        if not promising or evidence:
            return []
        fresh = max(shown.index for shown in search) + 1
        return [*promising, *range(fresh, fresh + self.most)][: self.most]

    def more(self, _search: Sequence[Shown], _evidence: Sequence[Shown]) -> int:
        """None: the evidence is made at once."""
        return 0

    def _level(self, images: Sequence[Shown], size: int) -> float:
        pixels = [from_png(shown.png) for shown in images if shown.png is not None]
        return clique_level(tile_distances(np.stack(pixels)), size) if len(pixels) >= size else inf


Rule = ByOriginals | ByClique
"""What counts as evidence in an attack."""


def clique_level(distances: NDArray[np.float32], size: int) -> float:
    """The smallest distance at which `size` of the images (n, n) are all alike; infinite where n is smaller.

    A decision that the clique test leaves undecided counts as no clique, so that the level is never too small.
    """
    levels = np.unique(distances[np.triu_indices(len(distances), 1)])
    if len(distances) < size or not len(levels):
        return inf
    low, high = 0, len(levels) - 1
    while low < high:
        middle = (low + high) // 2
        if clique_of(distances <= levels[middle], size=size).decision == "yes":
            high = middle
        else:
            low = middle + 1
    return float(levels[low])
