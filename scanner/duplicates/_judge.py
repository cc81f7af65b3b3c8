"""What decides whether a proposed pair is one picture: a look at the thumbnails, or the cosine where there are none.

A data set of embeddings has no pictures to look at. There the cosine of the embeddings as they are, which elsewhere
only proposes, decides; the members of a group then have at least that cosine to the group's centre.

    >>> judge = BySimilarity(vectors, 0.95)                                    # doctest: +SKIP
    >>> judge(proposals).accepted.all()                                        # doctest: +SKIP
    True
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates._config import DuplicatesConfig
from scanner.duplicates._copies import CopyCosines
from scanner.duplicates._look import look
from scanner.duplicates._propose import Proposals
from scanner.duplicates.geometry import Features, GeometryConfig, compare
from scanner.duplicates.neighbours import Rows

Members = NDArray[np.int64]
"""Positions among the distinct pictures, ascending."""


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """What was found of p pairs."""

    accepted: NDArray[np.bool_]
    """(p,): one picture."""
    distance: NDArray[np.float32] | None
    """(p,): of the pictures, see `Looks`; None where none were looked at."""
    worst_block: NDArray[np.float32] | None
    """(p,): the same."""


class Judge(Protocol):
    """Decides on pairs, and on the members of a group."""

    look: str
    """As the pairs table names it: thumbnail or similarity."""

    def __call__(self, pairs: Proposals) -> Verdicts:
        """Whether each pair is one picture."""
        ...

    def alike(self, members: Members, centre: int) -> NDArray[np.bool_]:
        """Which members show the picture of the one at position `centre` among them, which is one of these."""
        ...


FeaturesOf = Callable[[int], Features | None]
"""The features of a distinct picture, by its position; None where it was never looked at closely."""


class ByThumbnail:
    """A look at 32 × 32 colour thumbnails."""

    look = "thumbnail"

    def __init__(self, planes: NDArray[np.uint8], config: DuplicatesConfig) -> None:
        """`planes` (n, 3, 32, 32) are the thumbnails of the distinct pictures."""
        self._planes, self._config, self._geometry = planes, config, GeometryConfig()
        self.features: FeaturesOf | None = None
        """Where there are features, the geometry may say what the thumbnails don't (see `alike`)."""
        self.copies: CopyCosines | None = None
        """The same for the copy model."""

    def __call__(self, pairs: Proposals) -> Verdicts:
        looks = look(self._planes[pairs.left], self._planes[pairs.right], self._config)
        accepted = looks.accepted
        if self._config.close_looks:
            accepted = accepted & (looks.worst_block <= self._config.sure_worst_block)
        return Verdicts(accepted=accepted, distance=looks.distance, worst_block=looks.worst_block)

    def alike(self, members: Members, centre: int) -> NDArray[np.bool_]:
        """Under a looser limit than a pair's: two edits of one original differ by more than either differs from it.

        A crop or a mirror image is like the centre when the geometry finds it to be, or the copy model.
        """
        planes, config = self._planes, self._config
        other = np.broadcast_to(planes[members[centre]], (len(members), *planes.shape[1:]))
        looks = look(planes[members], other, config)
        within = (looks.distance <= config.max_distance) & (looks.worst_block <= config.max_chained_block)
        within[centre] = True
        if self.features is not None and (middle := self.features(int(members[centre]))) is not None:
            for place in np.flatnonzero(~within):
                own = self.features(int(members[place]))
                within[place] = own is not None and compare(own, middle, self._geometry).accepted
        if self.copies is not None:
            left = members[~within]
            within[~within] = self.copies(left, np.full_like(left, members[centre])) >= config.copy_cosine
        return within


class BySimilarity:
    """The cosine of the embeddings, and nothing else: what is proposed is accepted."""

    look = "similarity"

    def __init__(self, rows: Rows, cosine: float) -> None:
        """`rows` (n), of unit length, are the distinct embeddings; `cosine` makes a pair."""
        self._rows, self._cosine = rows, cosine

    def __call__(self, pairs: Proposals) -> Verdicts:
        return Verdicts(accepted=pairs.similarity >= self._cosine, distance=None, worst_block=None)

    def alike(self, members: Members, centre: int) -> NDArray[np.bool_]:
        """Under the same limit as a pair: there is nothing but the cosine that could keep a chain from growing."""
        within: NDArray[np.bool_] = self._rows[members] @ self._rows[members[[centre]]][0] >= self._cosine
        within[centre] = True
        return within
