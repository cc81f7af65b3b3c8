"""What a data set around another one takes from it.

>>> class Shuffled(Around): ...                                                      # doctest: +SKIP
"""

from scanner.samples._place import Place
from scanner.samples._sample import Dataset


class Around:
    """A data set around another: with its layout and its root."""

    dataset: Dataset
    """The other one."""

    @property
    def layout(self) -> str:
        return self.dataset.layout

    @property
    def root(self) -> Place:
        return self.dataset.root
