"""Which row of a run is which row of the truth.

By shard and key. A shard's name depends on the folder that the audit was given (`canaries-00000` there is
`planted/canaries/canaries-00000` here), so shards are one when one name is the other's end; parts of a large file
(`name:3`) are that file. Rows of the truth that were copied into other shards are found by key and caption. A row
whose captions differ is not the same row.
"""

import polars as pl

from scanner.errors import UnusableInputError
from scanner.score._truth import with_caption_ids


def join_rows(truth: pl.DataFrame, samples: pl.DataFrame, names: tuple[str, str]) -> pl.DataFrame:
    """The truth with the run's `sample_id` (null where the audit did not read the row) and `row_caption_id`.

    `samples` has sample_id, shard, key and caption; `names` are those of truth and run, for the message. Raises
    UnusableInputError where no row joins, or one row of the truth is several of the run.
    """
    numbered = truth.with_row_index("row")
    rows = with_caption_ids(samples.filter(pl.col("key").is_in(truth["key"].unique().implode())))
    rows = rows.select("sample_id", "key", run_shard="shard", row_caption_id="caption_id")
    pairs = numbered.select("row", "key", "shard", "caption_id").join(rows, on="key")
    pairs = pairs.filter((pl.col("caption_id") == pl.col("row_caption_id")) | pl.col("caption_id").is_null())
    here = pairs.filter(_one_shard()).sort("row", pl.col("shard") != pl.col("run_shard"))
    elsewhere = pairs.filter(pl.col("caption_id").is_not_null()).join(here, on="row", how="anti")
    found = pl.concat([_single(here, names), _single(elsewhere, names)])
    if found.is_empty():
        raise UnusableInputError(
            f"No row of {names[0]} is in {names[1]} (by shard, key and caption); give the truth of the data set that "
            "the run was made from."
        )
    return numbered.join(found.select("row", "sample_id", "row_caption_id"), on="row", how="left").drop("row")


def _one_shard() -> pl.Expr:
    """Whether two shards are one; a truth without shards goes by its keys."""
    ours, theirs = (pl.col(name).str.replace(r":\d+$", "") for name in ("shard", "run_shard"))
    slash = pl.lit("/")
    ends = (slash + ours).str.ends_with(slash + theirs) | (slash + theirs).str.ends_with(slash + ours)
    return pl.col("shard").is_null() | ends


def _single(pairs: pl.DataFrame, names: tuple[str, str]) -> pl.DataFrame:
    """At most one row of the run for each of the truth: that of the very shard where there is one."""
    exact = pairs.filter(pl.col("shard") == pl.col("run_shard"))
    rest = pairs.join(exact, on="row", how="anti")
    several = rest.filter(pl.col("row").is_duplicated())
    if several.height:
        shard, key = several.select("shard", "key").row(0)
        raise UnusableInputError(
            f"Key {key} of shard {shard} in {names[0]} stands in several shards of {names[1]}, and it can't be told "
            "which is meant; audit each part of the data set once."
        )
    return pl.concat([exact, rest])
