"""What the list covers: rows of the data set under its first prompts, and the groups that none of them stands for.

>>> covered(prompts, belonging)                                              # doctest: +SKIP
"""

from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from scanner.tables import LEFT_OUT

NO_CAPTION, CAPTION_TAKEN = "no_caption", "caption_taken"


@dataclass(frozen=True, kw_only=True)
class Step:
    """What the first prompts of the risk arm cover."""

    prompts: int
    """So many, riskiest first: 10, 100, 1,000, ..., all."""
    rows: int
    """Rows of the data set in their groups and families."""
    share: float | None
    """The same as a share of all rows; None without rows."""
    duplicated: int
    """Of these rows, those in a duplicate group."""
    duplicated_share: float | None
    """The same as a share of all rows in a duplicate group; None without groups."""


@dataclass(frozen=True, kw_only=True)
class Coverage:
    """What the list covers."""

    groups: int
    """Duplicate groups."""
    covered: int
    """Those that a prompt of the list stands for."""
    no_caption: int
    """Those without: no copy has a caption."""
    caption_taken: int
    """Those without: all their captions stand in the list for other pictures."""
    families: int
    """Template families that a prompt of the list stands for."""
    steps: tuple[Step, ...]
    """By number of prompts."""


def first_ranks(prompts: pl.DataFrame, belonging: pl.DataFrame) -> pl.DataFrame:
    """`belonging` (a row of each row in a group or a family) with `first`, the first rank that covers it, or null."""
    by_group, by_family = (
        prompts.filter(pl.col(unit).is_not_null()).group_by(unit).agg(pl.col("rank").min().alias(f"{unit}_rank"))
        for unit in ("group_id", "family_id")
    )
    return (
        belonging.join(by_group, on="group_id", how="left")
        .join(by_family, on="family_id", how="left")
        .with_columns(first=pl.min_horizontal("group_id_rank", "family_id_rank"))
    )


def covered_rows(prompts: pl.DataFrame, ranked: pl.DataFrame) -> pl.DataFrame:
    """The prompts with `covered_rows`, from the rows with their `first` rank."""
    fresh = ranked.filter(pl.col("first").is_not_null()).group_by(rank="first").agg(fresh=pl.len().cast(pl.Int64))
    counted = prompts.join(fresh, on="rank", how="left").sort("rank")
    return counted.with_columns(covered_rows=pl.col("fresh").fill_null(0).cum_sum()).drop("fresh")


def left_out(
    groups: pl.DataFrame, prompts: pl.DataFrame, ranked: pl.DataFrame, candidates: pl.DataFrame
) -> pl.DataFrame:
    """Rows of `scanner.tables.LEFT_OUT`: groups of which no row (`ranked`, with the `first` rank that covers it) is
    covered; `candidates` are the captions of groups that the list was drawn from."""
    inside = ranked.filter(pl.col("first").is_not_null()).select("group_id").unique()
    without = groups.select("group_id", "copies").join(inside, on="group_id", how="anti")
    own = candidates.select("group_id", "prompt_id", "caption_copies").join(without, on="group_id", how="semi")
    most = own.sort("group_id", "caption_copies", "prompt_id", descending=[False, True, False])
    most = most.join(prompts.select("prompt_id"), on="prompt_id", how="semi", maintain_order="left")
    named = without.join(most.unique("group_id", keep="first", maintain_order=True), on="group_id", how="left")
    taken = pl.col("prompt_id").is_not_null()
    return LEFT_OUT.conform(
        named.with_columns(reason=pl.when(taken).then(pl.lit(CAPTION_TAKEN)).otherwise(pl.lit(NO_CAPTION)))
    )


def coverage(
    prompts: pl.DataFrame, ranked: pl.DataFrame, groups: pl.DataFrame, left: pl.DataFrame, rows: int
) -> Coverage:
    """Of a list with its `covered_rows`, of the rows with their `first` rank, of the groups, and of all `rows`."""
    reasons = dict(left.group_by("reason").len().iter_rows())
    return Coverage(
        groups=len(groups),
        covered=len(groups) - len(left),
        no_caption=reasons.get(NO_CAPTION, 0),
        caption_taken=reasons.get(CAPTION_TAKEN, 0),
        families=prompts["family_id"].drop_nulls().n_unique(),
        steps=tuple(_steps(prompts, ranked, rows)),
    )


def _steps(prompts: pl.DataFrame, ranked: pl.DataFrame, rows: int) -> Iterator[Step]:
    inside = ranked.filter(pl.col("group_id").is_not_null())
    ranks, duplicated = inside["first"].drop_nulls().sort(), len(inside)
    covered = prompts.sort("rank")["covered_rows"]
    for number in step_sizes(len(prompts)):
        of_groups = int(ranks.search_sorted(number, side="right"))
        here = int(covered[number - 1])
        yield Step(
            prompts=number,
            rows=here,
            share=here / rows if rows else None,
            duplicated=of_groups,
            duplicated_share=of_groups / duplicated if duplicated else None,
        )


def step_sizes(prompts: int) -> list[int]:
    """10, 100, 1,000, ... below the number of prompts, and that number; nothing of none."""
    sizes, size = [], 10
    while size < prompts:
        sizes.append(size)
        size *= 10
    return [*sizes, prompts] if prompts else []
