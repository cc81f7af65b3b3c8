"""Decisions of an earlier run, taken over where the same pictures are in this one.

>>> take_over(Path("RUN"), Path("EARLIER"), items)                           # doctest: +SKIP
12
"""

import secrets
from collections.abc import Collection
from pathlib import Path

import polars as pl

from scanner.review._decisions import read_decisions, standing
from scanner.tables import REVIEWS


def take_over(run: Path, earlier: Path, items: Collection[str]) -> int:
    """Copy the decisions that hold in `earlier` about these items into `run`, and return their number.

    They keep reviewer, time and note. A decision that the same reviewer has made here since stays, as does one that was
    taken over before. Raises UnusableInputError when decisions can't be read.
    """
    theirs = standing(read_decisions(earlier)).filter(pl.col("item").is_in(list(items)))
    ours = read_decisions(run).group_by("item", "reviewer").agg(pl.col("decided_at").max().alias("here"))
    both = theirs.join(ours, on=("item", "reviewer"), how="left", maintain_order="left")
    new = both.filter(pl.col("here").is_null() | (pl.col("here") < pl.col("decided_at")))
    if new.is_empty():
        return 0
    session = f"taken-{secrets.token_hex(6)}"
    numbered = new.with_columns(
        session=pl.lit(session), number=pl.int_range(pl.len(), dtype=pl.Int64), taken_from=pl.lit(str(earlier))
    )
    REVIEWS.write(run, numbered, part=session)
    return new.height
