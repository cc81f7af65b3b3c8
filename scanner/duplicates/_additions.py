"""Shards that were added to a run: which distinct pictures came with which addition, and what its parts are called.

A search that was done stays as it is. Each addition has parts of its own, in which its pictures are compared with one
another and with all before them, and no two of those before.

    >>> prefix_of(2), addition_of("added-2-cosine-00000"), addition_of("cosine-00000")
    ('added-2-', 2, 0)
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates._propose import part_names
from scanner.duplicates.neighbours import NeighbourConfig

_ADDED = re.compile(r"added-(\d+)-")


@dataclass(frozen=True, kw_only=True)
class Addition:
    """Pictures that came together: those of the first audit (number 0), or of shards that were added later."""

    number: int
    """0 for the first audit."""
    known: int
    """Distinct pictures that were there before."""
    count: int
    """Distinct pictures with these: theirs are `known` to `count` − 1."""
    parts: tuple[str, ...]
    """Names of the parts of their search, in order."""


def prefix_of(number: int) -> str:
    """What the names of an addition's parts begin with."""
    return f"added-{number}-" if number else ""


def addition_of(part: str) -> int:
    """The number of the addition that a part belongs to."""
    found = _ADDED.match(part)
    return int(found[1]) if found else 0


def additions_of(
    first: NDArray[np.int64], begins: Sequence[int], config: NeighbourConfig, *, hashed: bool
) -> tuple[Addition, ...]:
    """All additions. `first` (n,) are the rows of the distinct pictures, ascending; `begins` the rows with which an
    addition begins, ascending: without any, all came with the first audit."""
    ends = [*(int(np.searchsorted(first, row)) for row in begins), len(first)]
    return tuple(
        Addition(
            number=number,
            known=known,
            count=count,
            parts=part_names(count, config, known=known, hashed=hashed, prefix=prefix_of(number)),
        )
        for number, (known, count) in enumerate(zip([0, *ends], ends, strict=False))
    )
