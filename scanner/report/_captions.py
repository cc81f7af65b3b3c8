"""What the captions say, from their table: how many there are, near-duplicates, and those over many pictures.

>>> count_captions(Run.open(Path("RUN"))).shared                             # doctest: +SKIP
"""

import polars as pl

from scanner.report._findings import Captions
from scanner.report._records import CaptionUse
from scanner.run import Run
from scanner.tables import CAPTIONS

LISTED_CAPTIONS = 20


def count_captions(run: Run) -> Captions | None:
    """The captions as a whole, and those over most pictures, near-duplicates counted as one; None without the table."""
    if not CAPTIONS.exists(run.path):
        return None
    columns = ("prompt_id", "near_id", "pictures", "near_pictures", "near_rows")
    frame = CAPTIONS.scan(run.path).select(columns).collect()
    sizes = frame.group_by("near_id").agg(captions=pl.len())
    leaders = frame.filter(pl.col("prompt_id") == pl.col("near_id")).join(sizes, on="near_id")
    shared = leaders.filter(pl.col("near_pictures") > 1)
    most = shared.sort("near_pictures", "near_rows", "prompt_id", descending=[True, True, False]).head(LISTED_CAPTIONS)
    return Captions(
        distinct=frame.height,
        clusters=sizes.height,
        near=int(sizes.filter(pl.col("captions") > 1)["captions"].sum()),
        shared=shared.height,
        most=_uses(run, most),
    )


def _uses(run: Run, most: pl.DataFrame) -> tuple[CaptionUse, ...]:
    """The listed captions with their texts."""
    listed = pl.col("prompt_id").is_in(most["prompt_id"].implode())
    texts = dict(CAPTIONS.scan(run.path).filter(listed).select("prompt_id", "caption").collect().iter_rows())
    return tuple(
        CaptionUse(
            prompt_id=row["prompt_id"],
            caption=texts[row["prompt_id"]],
            captions=row["captions"],
            pictures=row["near_pictures"],
            rows=row["near_rows"],
            exact_pictures=row["pictures"],
        )
        for row in most.iter_rows(named=True)
    )
