"""The tables of duplicate groups: who is in them, how alike the members are, and what captions they carry.

A group is two or more rows of one picture, exact copies included. Its captions are compared in normalised form
(`normalise_caption`); shares and the entropy (Shannon, bits) count rows, since the model saw rows. Near-duplicate
captions are compared over the whole set and counted afterwards (`count_captions`): until then their columns are null.

    >>> found = group_tables(rows, collapse, vectors, parts)           # doctest: +SKIP
    >>> found.groups.sort("copies").tail(1)                            # doctest: +SKIP
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from scanner.duplicates._exact import Collapse
from scanner.duplicates._split import Part, medoid
from scanner.duplicates.captions import normalise_captions
from scanner.duplicates.neighbours import Rows
from scanner.tables import GROUPS, MEMBERS


@dataclass(frozen=True, kw_only=True)
class Groups:
    """What the search found."""

    members: pl.DataFrame
    """Rows of `scanner.tables.MEMBERS`."""
    groups: pl.DataFrame
    """Rows of `scanner.tables.GROUPS`."""


def _with_exact_groups(parts: Sequence[Part], collapse: Collapse) -> list[Part]:
    """All parts of two or more rows: the given ones, and distinct pictures that occur several times and are in none."""
    near = np.concatenate([np.empty(0, np.int64), *(part.members for part in parts)])
    repeated = np.setdiff1d(np.flatnonzero(collapse.copies > 1), near)
    exact = [Part(members=np.array([picture]), split_from=None) for picture in repeated]
    return [part for part in [*parts, *exact] if collapse.copies[part.members].sum() > 1]


def group_tables(rows: pl.DataFrame, collapse: Collapse, vectors: Rows, parts: Sequence[Part]) -> Groups:
    """Members and groups of the given parts and of all exact copies.

    `rows` has `sample_id` and `caption` of all rows; `vectors` (n) are the distinct pictures' unit embeddings.
    """
    ids = rows["sample_id"].to_numpy()[collapse.first]
    group_of = np.full(len(ids), -1, np.int64)
    similarity = np.ones(len(ids), np.float32)
    facts = []
    for part in _with_exact_groups(parts, collapse):
        centre = 0
        if len(part.members) > 1:
            own = vectors[part.members]
            centre = medoid(own, collapse.copies[part.members])
            similarity[part.members] = np.clip(own @ own[centre], -1, 1)
            similarity[part.members[centre]] = 1
        group_of[part.members] = ids[part.members[0]]
        split_from = None if part.split_from is None else int(ids[part.split_from])
        facts.append((int(ids[part.members[0]]), len(part.members), int(ids[part.members[centre]]), split_from))
    members = MEMBERS.conform(
        pl.DataFrame(
            {
                "sample_id": rows["sample_id"],
                "group_id": group_of[collapse.inverse],
                "similarity_to_medoid": similarity[collapse.inverse],
            }
        ).filter(pl.col("group_id") >= 0)
    )
    schema = {name: GROUPS.schema[name] for name in ("group_id", "distinct_images", "medoid", "split_from")}
    known = pl.DataFrame(facts, schema=schema, orient="row")
    return Groups(members=members, groups=GROUPS.conform(_described(known, members, rows)))


def _described(known: pl.DataFrame, members: pl.DataFrame, rows: pl.DataFrame) -> pl.DataFrame:
    """What is known of the groups, joined with what their members add up to."""
    counted = members.group_by("group_id").agg(
        copies=pl.len().cast(pl.Int64),
        min_similarity=pl.col("similarity_to_medoid").min(),
        median_similarity=pl.col("similarity_to_medoid").median().cast(pl.Float32),
    )
    captions = _caption_facts(members.join(rows, on="sample_id", how="left"))
    joined = known.join(counted, on="group_id", how="left").join(captions, on="group_id", how="left")
    return joined.with_columns(
        distinct_captions=pl.col("distinct_captions").fill_null(0),
        top_caption_share=(pl.col("top_copies") / pl.col("copies")).fill_null(0.0),
        caption_entropy=pl.col("caption_entropy").fill_null(0.0),
        near_captions=None,
        near_top_share=None,
    )


def _caption_facts(members: pl.DataFrame) -> pl.DataFrame:
    """Per group: distinct captions, the top one (of equals the earliest) as first written, its rows, the entropy."""
    each = (
        members.with_columns(normal=normalise_captions(members["caption"]))
        .filter(pl.col("normal").is_not_null())
        .sort("sample_id")
        .group_by("group_id", "normal", maintain_order=True)
        .agg(rows=pl.len().cast(pl.Int64), written=pl.col("caption").first(), earliest=pl.col("sample_id").first())
        .sort("group_id", "rows", "earliest", descending=[False, True, False])
    )
    share = pl.col("rows") / pl.col("rows").sum()
    return each.group_by("group_id", maintain_order=True).agg(
        distinct_captions=pl.len().cast(pl.Int64),
        top_caption=pl.col("written").first(),
        top_copies=pl.col("rows").first(),
        caption_entropy=(-(share * share.log(2)).sum()).clip(lower_bound=0.0) + 0.0,
    )
