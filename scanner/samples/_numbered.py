"""A data set whose shards have the numbers that a run gave them, whatever their names sort like.

>>> Numbered(dataset=dataset, numbers={"00001": 0, "00000": 1}).shards[0].name       # doctest: +SKIP
'00001'
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from scanner.samples._around import Around
from scanner.samples._sample import Dataset, Failure, Sample, Shard


@dataclass(frozen=True, kw_only=True)
class Numbered(Around):
    """A data set with its shards in another order; itself one."""

    dataset: Dataset
    """The data set."""
    numbers: Mapping[str, int]
    """By the shard's name: its index, each another."""

    @property
    def shards(self) -> tuple[Shard, ...]:
        """All shards, in the order of their numbers."""
        numbered = (replace(shard, index=self.numbers[shard.name]) for shard in self.dataset.shards)
        return tuple(sorted(numbered, key=lambda shard: shard.index))

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        """Every row of the shard once, in stored order."""
        return self.dataset.read(shard)
