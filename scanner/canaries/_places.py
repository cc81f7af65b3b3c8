"""Where a canary's rows were written, as the scanner names the place when it reads them.

>>> [name for name, _ in numbered("canaries", copies, 1000)]                  # doctest: +SKIP
['canaries-00000', 'canaries-00001']
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from scanner.canaries._copies import Copy

ROWS_PER_FILE = 1000
"""Rows of one tar or table."""


@dataclass(frozen=True, kw_only=True)
class Placed:
    """One written row."""

    copy: Copy
    """The row."""
    shard: str
    """Last part of its shard's name."""
    key: str
    """Its key there."""
    file: str
    """File that holds it, below the folder of the planting."""


def numbered(name: str, copies: Sequence[Copy], rows: int) -> Iterator[tuple[str, Sequence[Copy]]]:
    """Names of files with their rows."""
    for number, start in enumerate(range(0, len(copies), rows)):
        yield f"{name}-{number:05d}", copies[start : start + rows]
