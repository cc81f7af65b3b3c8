"""Template families, from their table: pictures that share a part and are not copies.

Only close looks find them. Where none were made, the pairs of pictures are counted whose thumbnails agree on the whole
and differ in one place: they may be such families, or an edit that was drawn over a copy.

>>> count_templates(Run.open(Path("RUN"))).families                          # doctest: +SKIP
"""

import polars as pl

from scanner.duplicates import DuplicatesConfig
from scanner.report._findings import Templates
from scanner.report._records import Family
from scanner.run import Run
from scanner.tables import FAMILIES, PAIRS

LISTED_FAMILIES = 60
SHOWN_MEMBERS = 8


def count_templates(run: Run) -> Templates:
    """The families as a whole, and those of most pictures."""
    looked = FAMILIES.exists(run.path)
    frame = FAMILIES.scan(run.path).sort(FAMILIES.key).collect()
    families = frame.group_by("family_id", maintain_order=True).agg(
        pictures=pl.len(),
        rows=pl.col("copies").sum(),
        shared_area=pl.col("shared_area").median(),
        captions=pl.col("top_caption").drop_nulls().n_unique(),
        members=pl.col("sample_id").sort_by(~pl.col("centre"), "sample_id").head(SHOWN_MEMBERS),
        top_captions=pl.col("top_caption").sort_by(~pl.col("centre"), "sample_id").drop_nulls().head(3),
    )
    most = families.sort("pictures", "rows", "family_id", descending=[True, True, False]).head(LISTED_FAMILIES)
    return Templates(
        looked=looked,
        families=families.height,
        pictures=frame.height,
        rows=int(frame["copies"].sum()),
        largest=int(families["pictures"].max() or 0),  # type: ignore[arg-type]
        alike_but_for_a_part=None if looked else _alike_but_for_a_part(run),
        most=tuple(_family(**row) for row in most.iter_rows(named=True)),
    )


def _family(members: list[int], top_captions: list[str], **row: int) -> Family:
    return Family(**row, members=tuple(members), top_captions=tuple(top_captions))


def _alike_but_for_a_part(run: Run) -> int:
    """Pairs within the thumbnail look's mean distance that a block of it refused."""
    within = (pl.col("look") == "thumbnail") & ~pl.col("accepted")
    within &= pl.col("look_distance") <= DuplicatesConfig.max_distance
    return int(PAIRS.scan(run.path).select(within.sum()).collect().item() or 0)
