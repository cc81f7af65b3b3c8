"""How far the copies of each duplicate group carry one caption, against how many they are, and which groups came back.

>>> count_concentration(run, prompt_frame(run), returned).cells                 # doctest: +SKIP
"""

import polars as pl

from scanner.prompts import BUCKETS, bucket_label
from scanner.report._plotted import CaptionCell, Concentration
from scanner.run import Run
from scanner.tables import GROUPS

COPIES = tuple(bucket_label(low, high) for low, high in BUCKETS)
SHARES = {"all": 1.0, "75 % and more": 0.75, "50 % and more": 0.5, "25 % and more": 0.25, "less than 25 %": 0.0}
"""Ranges of the share of copies under the top caption, each with its least share."""


def count_concentration(run: Run, frame: pl.DataFrame, returned: pl.Series) -> Concentration | None:
    """`frame` is `prompt_frame`, `returned` the groups behind verified prompts. None without groups."""
    tried = frame.filter("tried", pl.col("arm") == "risk")["group_id"].drop_nulls().unique()
    share = pl.col("top_caption_share")
    groups = GROUPS.scan(run.path).select(
        copies=_range_of_copies(),
        share=_range_of_shares(share),
        captioned=pl.col("top_caption").is_not_null() & share.is_not_null(),
        tried=pl.col("group_id").is_in(tried.implode()),
        came_back=pl.col("group_id").is_in(returned.implode()),
    )
    both = (pl.col("tried") & pl.col("came_back")).sum()
    parts = groups.group_by("captioned", "copies", "share")
    elsewhere = pl.col("came_back").sum() - both
    counts = parts.agg(pl.len(), pl.col("tried").sum(), returned=both, elsewhere=elsewhere).collect()
    if counts.is_empty():
        return None
    cells = counts.filter("captioned").sort("copies", "share")
    return Concentration(
        groups=int(cells["len"].sum()),
        without_caption=int(counts.filter(~pl.col("captioned"))["len"].sum()),
        elsewhere=int(counts["elsewhere"].sum()),
        cells=tuple(
            CaptionCell(copies=COPIES[copies], share=tuple(SHARES)[part], groups=number, tried=asked, returned=back)
            for copies, part, number, asked, back in cells.select(
                "copies", "share", "len", "tried", "returned"
            ).iter_rows()
        ),
    )


def _range_of_copies() -> pl.Expr:
    """Its place in COPIES."""
    return pl.sum_horizontal((pl.col("copies") >= low).cast(pl.Int64) for low, _ in BUCKETS[1:])


def _range_of_shares(share: pl.Expr) -> pl.Expr:
    """Its place in SHARES."""
    return pl.sum_horizontal((share < least).cast(pl.Int64) for least in tuple(SHARES.values())[:-1])
