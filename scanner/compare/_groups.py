"""What became of the duplicate groups: gone, new, changed, split, merged.

Group ids are sample ids and differ between runs, so a group is known by its rows' contents (see
`scanner.compare._identity`): a group of A and one of B belong together when a content stands in both. Where one belongs
to one, it is the same group; one of A to several of B that belong to no other, it was split; several to one, they were
merged; anything more tangled is called regrouped. Everything is joined on hashes and ids, without captions or pictures,
which are read for the listed groups only.

    >>> match_groups(a, b, "pixels").gone                                        # doctest: +SKIP
"""

from dataclasses import dataclass

import polars as pl

from scanner.compare._identity import contents, rows_by_content
from scanner.compare._model import GroupCounts
from scanner.report import Duplicates
from scanner.run import Run
from scanner.tables import GROUPS, MEMBERS


@dataclass(frozen=True, kw_only=True)
class Matched:
    """The groups of both runs and how they belong together."""

    links: pl.DataFrame
    """A pair that belongs together: `before`, `after` (group ids), `state` (unchanged, changed, split, merged,
    regrouped), `copies_before`, `copies_after`."""
    gone: pl.DataFrame
    """Groups of A without a link: `group_id`, `copies`, `rows_elsewhere` (rows of B with their contents)."""
    new: pl.DataFrame
    """Groups of B without a link, likewise."""
    ambiguous: int
    """Contents that stand in several groups of one run."""


def match_groups(before: Run, after: Run, identity: str) -> Matched:
    """Join the groups of both runs by the contents of their rows."""
    (old, old_several), (new, new_several) = (_grouped(run, identity) for run in (before, after))
    links = _links(_group_sizes(before, old), _group_sizes(after, new), old.join(new, on="content", suffix="_after"))
    return Matched(
        links=links,
        gone=_alone(before, old, links["before"], rows_by_content(after, identity)),
        new=_alone(after, new, links["after"], rows_by_content(before, identity)),
        ambiguous=pl.concat([old_several, new_several]).n_unique(),
    )


def count_groups(matched: Matched, identity: str, before: Duplicates, after: Duplicates) -> GroupCounts:
    """How many groups of each kind there are."""
    links = {
        state: part
        for (state,), part in matched.links.select("before", "after", "state")
        .partition_by("state", as_dict=True)
        .items()
    }
    one_to_one = matched.links.filter(pl.col("state") == "changed")
    more = pl.col("copies_after") > pl.col("copies_before")
    less = pl.col("copies_after") < pl.col("copies_before")

    def count(state: str, side: str) -> int:
        return links[state][side].n_unique() if state in links else 0

    return GroupCounts(
        identity=identity,
        ambiguous=matched.ambiguous,
        before=before.groups,
        after=after.groups,
        gone=matched.gone.height,
        gone_without_row=_with_rows(matched.gone, 0),
        gone_with_one_row=_with_rows(matched.gone, 1),
        gone_with_more_rows=_with_rows(matched.gone, None),
        new=matched.new.height,
        new_pictures=_with_rows(matched.new, 0),
        new_from_one_row=_with_rows(matched.new, 1),
        new_from_more_rows=_with_rows(matched.new, None),
        unchanged=count("unchanged", "before"),
        changed=count("changed", "before"),
        grown=one_to_one.filter(more).height,
        shrunk=one_to_one.filter(less).height,
        split=count("split", "before"),
        split_into=count("split", "after"),
        merged=count("merged", "before"),
        merged_into=count("merged", "after"),
        regrouped=count("regrouped", "before"),
        regrouped_into=count("regrouped", "after"),
        buckets=tuple(
            (old.label, old.groups, new.groups) for old, new in zip(before.buckets, after.buckets, strict=True)
        ),
    )


def _with_rows(alone: pl.DataFrame, rows: int | None) -> int:
    """Groups with so many rows in the other run; None: two or more."""
    elsewhere = pl.col("rows_elsewhere")
    return alone.filter(elsewhere > 1 if rows is None else elsewhere == rows).height


def _grouped(run: Run, identity: str) -> tuple[pl.DataFrame, pl.Series]:
    """`group_id` and `content`, each pair once, of the contents that stand in one group; and the contents that stand in
    more."""
    members = MEMBERS.scan(run.path).select("sample_id", "group_id")
    pairs = members.join(contents(run, identity), on="sample_id").select("group_id", "content").unique()
    frame = pairs.collect(engine="streaming")
    several = frame.group_by("content").len().filter(pl.col("len") > 1).select("content")
    return frame.join(several, on="content", how="anti"), several["content"]


def _group_sizes(run: Run, grouped: pl.DataFrame) -> pl.DataFrame:
    """`group_id`, `copies`, and `contents`: how many different ones it has."""
    sizes = GROUPS.scan(run.path).select("group_id", "copies").collect()
    return sizes.join(grouped.group_by("group_id").agg(contents=pl.len()), on="group_id", how="left")


def _links(old: pl.DataFrame, new: pl.DataFrame, shared: pl.DataFrame) -> pl.DataFrame:
    pairs = shared.group_by("group_id", "group_id_after").agg(shared=pl.len())
    pairs = pairs.rename({"group_id": "before", "group_id_after": "after"})
    pairs = pairs.join(_sided(old, "before"), on="before").join(_sided(new, "after"), on="after")
    parts = pairs.with_columns(parts=pl.len().over("before"), sources=pl.len().over("after"))
    known = parts.with_columns(
        most_sources=pl.col("sources").max().over("before"), most_parts=pl.col("parts").max().over("after")
    )
    return known.select("before", "after", "copies_before", "copies_after", state=_state()).sort("before", "after")


def _state() -> pl.Expr:
    equal = (pl.col("copies_before") == pl.col("copies_after")) & (pl.col("shared") == pl.col("contents_before"))
    equal &= pl.col("shared") == pl.col("contents_after")
    one_to_one = (pl.col("parts") == 1) & (pl.col("sources") == 1)
    return (
        pl.when(one_to_one & equal)
        .then(pl.lit("unchanged"))
        .when(one_to_one)
        .then(pl.lit("changed"))
        .when((pl.col("parts") > 1) & (pl.col("most_sources") == 1))
        .then(pl.lit("split"))
        .when((pl.col("sources") > 1) & (pl.col("most_parts") == 1))
        .then(pl.lit("merged"))
        .otherwise(pl.lit("regrouped"))
    )


def _sided(groups: pl.DataFrame, side: str) -> pl.DataFrame:
    return groups.select(pl.col("group_id").alias(side), pl.col("copies", "contents").name.suffix(f"_{side}"))


def _alone(run: Run, grouped: pl.DataFrame, linked: pl.Series, elsewhere: pl.LazyFrame) -> pl.DataFrame:
    """The groups of a run that have no link, with the rows of the other run that have their contents."""
    alone = GROUPS.scan(run.path).select("group_id", "copies").collect()
    alone = alone.join(linked.unique().to_frame("group_id"), on="group_id", how="anti")
    wanted = grouped.join(alone.select("group_id"), on="group_id", how="semi").lazy()
    rows = wanted.join(elsewhere, on="content").group_by("group_id").agg(rows_elsewhere=pl.col("rows").sum())
    counted = alone.join(rows.collect(engine="streaming"), on="group_id", how="left")
    return counted.with_columns(pl.col("rows_elsewhere").fill_null(0)).sort("group_id")
