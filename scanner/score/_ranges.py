"""Numbers of copies as lines of a table: each by itself where they are few, in ranges by doubling where they are many.

>>> [name for name, _ in ranges(pl.Series([8, 8, 128]))]
['8', '128']
"""

from collections.abc import Iterator

import polars as pl

from scanner.prompts import BUCKETS, bucket_label

EXACT_UP_TO = 10
"""So many different numbers of copies have a line each; more go into ranges."""


def ranges(copies: pl.Series) -> Iterator[tuple[str, pl.Expr]]:
    """Names of the numbers or ranges that occur, fewest copies first, and how to choose their rows by `copies`."""
    there = copies.unique().sort()
    if len(there) <= EXACT_UP_TO:
        for number in there:
            yield f"{number:,}", pl.col("copies") == number
        return
    for low, high in ((1, 1), *BUCKETS):
        if there.is_between(low, high or 2**62).any():
            yield "1" if high == 1 else bucket_label(low, high), pl.col("copies").is_between(low, high or 2**62)
