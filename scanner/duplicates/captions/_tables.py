"""How many rows, groups and pictures carry each caption, alone and with its near-duplicates.

A picture is a duplicate group or a row in none: a caption over many pictures is boilerplate or a template, one over a
single picture points at it. Captions are compared in normalised form; near-duplicates are those of `near_captions`.

    >>> counted = count_captions(samples, members, groups)                     # doctest: +SKIP
    >>> counted.captions.sort("pictures").tail(1)["caption"]                   # doctest: +SKIP
"""

from dataclasses import dataclass

import polars as pl

from scanner.duplicates.captions._identity import prompt_ids
from scanner.duplicates.captions._near import near_captions
from scanner.duplicates.captions._normal import normalise_captions
from scanner.tables import CAPTIONS, GROUPS


@dataclass(frozen=True, kw_only=True)
class CountedCaptions:
    """What the captions add up to."""

    captions: pl.DataFrame
    """Rows of `scanner.tables.CAPTIONS`."""
    groups: pl.DataFrame
    """Rows of `scanner.tables.GROUPS`, with `near_captions` and `near_top_share`."""


def count_captions(samples: pl.DataFrame, members: pl.DataFrame, groups: pl.DataFrame) -> CountedCaptions:
    """The captions table, and the groups with what depends on near-duplicate captions.

    `samples` has `sample_id, caption`; `members` and `groups` are the tables of that name. A caption of which nothing
    is left in normalised form counts as none.
    """
    rows = _captioned(samples, members)
    known = _distinct(rows)
    rows = rows.join(known.select("normal", "near_id"), on="normal", how="left")
    near = rows.group_by("near_id").agg(near_rows=pl.len(), near_pictures=pl.col("picture").n_unique())
    return CountedCaptions(
        captions=CAPTIONS.conform(known.join(near, on="near_id", how="left")),
        groups=GROUPS.conform(_with_near(groups, rows)),
    )


def _captioned(samples: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """The rows that say something, by sample_id: `caption`, `normal`, `group_id` (null in none), `picture`."""
    return (
        samples.select("sample_id", "caption")
        .with_columns(normal=normalise_captions(samples["caption"]))
        .filter(pl.col("normal").is_not_null())
        .join(members.select("sample_id", "group_id"), on="sample_id", how="left")
        # a group's id is a sample_id of its own members
        .with_columns(picture=pl.coalesce("group_id", "sample_id"))
        .sort("sample_id")
    )


def _distinct(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per normalised caption with its own counts, its id and that of the caption that leads its cluster."""
    known = rows.group_by("normal", maintain_order=True).agg(
        caption=pl.col("caption").first(),
        rows=pl.len().cast(pl.Int64),
        groups=pl.col("group_id").drop_nulls().n_unique(),
        pictures=pl.col("picture").n_unique(),
    )
    ids = prompt_ids(known["normal"])
    leaders = near_captions(known["normal"], known["rows"].to_numpy())
    return known.with_columns(ids, near_id=ids.gather(leaders))


def _with_near(groups: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """Groups with the caption clusters among their copies and the share of the one that holds the top caption."""
    each = rows.filter(pl.col("group_id").is_not_null()).group_by("group_id", "near_id").agg(near_copies=pl.len())
    clusters = each.group_by("group_id").agg(near_captions=pl.len())
    top = groups.select("group_id", normal=normalise_captions(groups["top_caption"]))
    top = top.join(rows.select("normal", "near_id").unique(), on="normal").join(each, on=["group_id", "near_id"])
    return (
        groups.drop("near_captions", "near_top_share", strict=False)
        .join(clusters, on="group_id", how="left")
        .join(top.select("group_id", "near_copies"), on="group_id", how="left")
        .with_columns(
            near_captions=pl.col("near_captions").fill_null(0),
            near_top_share=(pl.col("near_copies") / pl.col("copies")).fill_null(0.0),
        )
    )
