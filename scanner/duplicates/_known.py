"""What is known of the pictures of a search: which are connected, and which have failed to be one too often.

>>> known = Known(4, looks_per_row=2)
>>> known.record(np.array([0, 1]), np.array([1, 2]), np.array([True, False]))
>>> known.together(np.array([0, 0]), np.array([1, 2])).tolist()
[True, False]
"""

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates._components import Parents, new_forest, roots, unite
from scanner.duplicates._propose import Places
from scanner.duplicates._split import Linked

Bools = NDArray[np.bool_]


class Known:
    """Components of n pictures and their failed looks, as pairs are recorded."""

    def __init__(self, pictures: int, *, looks_per_row: int) -> None:
        """When both ends of a pair have failed `looks_per_row` times, no more is spent on it."""
        self.parents: Parents = new_forest(pictures)
        self._failed, self._looks = np.zeros(pictures, np.uint32), looks_per_row
        self._linked = list[Linked]()

    def together(self, left: Places, right: Places) -> Bools:
        """(p,): which pairs are connected."""
        same: Bools = self.component(left) == self.component(right)
        return same

    def component(self, places: Places) -> NDArray[np.uint32]:
        """(p,): the picture that stands for all that one is connected with."""
        return roots(self.parents, places)

    def is_open(self, left: Places, right: Places) -> Bools:
        """(p,): which pairs have ends that are neither connected nor both out of looks."""
        failed = np.minimum(self._failed[left], self._failed[right])
        return ~self.together(left, right) & (failed < self._looks)

    def record(self, left: Places, right: Places, accepted: Bools) -> None:
        """Take what a look said of pairs; those that are not accepted count against both ends."""
        self.tie(left[accepted], right[accepted])
        for side in (left, right):
            np.add.at(self._failed, side[~accepted], 1)

    def tie(self, left: Places, right: Places) -> None:
        """Connect pairs."""
        unite(self.parents, left, right)
        self._linked.append(Linked(left=left.astype(np.uint32), right=right.astype(np.uint32)))

    def links(self) -> Linked:
        """All accepted pairs."""
        return Linked.joined(self._linked)

    def over_budget(self) -> int:
        """Pictures that have failed as often as looks are spent on them."""
        return int((self._failed >= self._looks).sum())
