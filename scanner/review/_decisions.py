"""Decisions as they are stored (`scanner.tables.REVIEWS`), and which of them hold.

>>> standing(read_decisions(Path("RUN")))                                    # doctest: +SKIP
"""

from pathlib import Path

import polars as pl

from scanner.errors import UnusableInputError
from scanner.tables import REVIEWS

ACCEPTED, REJECTED, UNSURE, WITHDRAWN = "accepted", "rejected", "unsure", "withdrawn"
DECISIONS = (ACCEPTED, REJECTED, UNSURE)
"""What a reviewer can say of an item; `withdrawn` takes it back."""
LONGEST_NOTE = 2_000
"""Characters."""
LONGEST_NAME = 64
"""Characters of a reviewer's name."""


def read_decisions(run: Path) -> pl.DataFrame:
    """All decisions of a run, sorted by the table's key; those of a part that lacks a newer column have null there.

    Raises UnusableInputError when a part can't be read.
    """
    parts = REVIEWS.parts(run)
    return pl.concat([_read_part(part) for part in parts]).sort(REVIEWS.key) if parts else REVIEWS.empty()


def _read_part(part: Path) -> pl.DataFrame:
    try:
        rows = pl.scan_parquet(part, schema=REVIEWS.schema, missing_columns="insert", extra_columns="ignore")
        return rows.collect()
    except (pl.exceptions.PolarsError, OSError) as error:
        raise UnusableInputError(f"{part} holds no decisions that can be read; move it away to go on.") from error


def standing(decisions: pl.DataFrame) -> pl.DataFrame:
    """The last decision of each reviewer about each item, without those that were withdrawn."""
    last = decisions.sort(REVIEWS.key).unique(("item", "reviewer"), keep="last", maintain_order=True)
    return last.filter(pl.col("decision") != WITHDRAWN)


def reviewer_name(name: str) -> str:
    """A name as it is stored. Raises UnusableInputError when it is empty, too long, or holds control characters."""
    name = " ".join(name.split())
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        raise UnusableInputError(
            f"A reviewer's name has 1 to {LONGEST_NAME} characters that can be printed; give another as --reviewer."
        )
    return name
