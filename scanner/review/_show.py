"""What stands beside the pictures of an item: its facts, read from the run's tables when it is shown.

>>> show_group(OpenedRun(run), group_id=17).members[0].rows                  # doctest: +SKIP
38
"""

import math
from dataclasses import dataclass
from typing import Any

import polars as pl

from scanner.opened import OpenedRun
from scanner.review._made import MadeImages

SHOWN_GENERATIONS = 8
SHOWN_MEMBERS = 60
SHOWN_CAPTIONS = 6

_DISTANCES = (
    *("agreeing", "evidence", "normalised_l2", "reconstruction_l2", "tile_l2", "l2", "copy_similarity"),
    *("template_area", "template_l2", "masked_share", "placement", "placement_l2"),
    *("k", "seed", "paper_rule", "paper_l2"),
)
_MEMORISED = ("candidates", "generations", "adaptive_l2", "l2", "seed")
_GROUP = (
    *("copies", "distinct_images", "distinct_captions", "top_caption_share", "caption_entropy", "min_similarity"),
    *("median_similarity", "split_from"),
)


@dataclass(frozen=True, kw_only=True)
class ShownSample:
    """A row of the data set."""

    sample_id: int
    """For joins with the tables."""
    shard: str
    """As the data set names it."""
    key: str
    """As the data set names it."""
    url: str | None
    """Where it came from, if the data set says."""
    caption: str | None
    """Its own."""
    width: int | None
    """Pixels; None where it was not decoded."""
    height: int | None
    """Pixels; None where it was not decoded."""
    rows: int
    """Rows of its group that show these very pixels; 1 where that is not asked."""
    similarity: float | None
    """Cosine to its group's medoid; None where it is in no group."""


@dataclass(frozen=True, kw_only=True)
class ShownGeneration:
    """A generated image."""

    image_index: int
    """With the prompt its place in the generations table."""
    seed: int | None
    """None where it was made elsewhere and its seed is not known."""
    steps: int | None
    """Denoising steps; None where nobody can know."""
    distance: float | None
    """Normalised l2 to its nearest original or reconstruction; adaptive l2 where there is no prompt."""


@dataclass(frozen=True, kw_only=True)
class ShownPair:
    """A generation beside an original."""

    original: ShownSample | None
    """None where no original is known."""
    copies: int
    """Rows of its duplicate group; 1 where it is in none."""
    generations: tuple[ShownGeneration, ...]
    """The one that stands for the pair first, then the nearest of the others."""
    facts: dict[str, Any]
    """Scores as the hits table (or memorised) has them."""


@dataclass(frozen=True, kw_only=True)
class ShownGroup:
    """A duplicate group."""

    members: tuple[ShownSample, ...]
    """Its different pictures, the medoid's first, then the least alike first; at most SHOWN_MEMBERS."""
    pictures: int
    """How many different pictures there are."""
    captions: tuple[tuple[str, int], ...]
    """Captions as written with their rows, the most frequent first."""
    facts: dict[str, Any]
    """Figures as the groups table has them."""


def show_pair(run: OpenedRun, item: dict[str, Any], made: MadeImages) -> ShownPair:
    """A pair of `list_items`."""
    prompted = item["prompt_id"] is not None
    if prompted:
        facts = _one(run.hits.filter(pl.col("prompt_id") == item["prompt_id"]), _DISTANCES)
    else:
        facts = _one(run.memorised.filter(pl.col("image_index") == item["image_index"]), _MEMORISED)
    found = _samples(run, [] if item["sample_id"] is None else [item["sample_id"]])
    member = run.members.filter(pl.col("sample_id") == item["sample_id"]).select("group_id").collect()
    copies = run.groups.filter(pl.col("group_id").is_in(member["group_id"].to_list())).select("copies").collect()
    return ShownPair(
        original=_sample(found.row(0, named=True)) if found.height else None,
        copies=int(copies["copies"].sum()) or 1,
        generations=_generations(made, item),
        facts=facts,
    )


def _generations(made: MadeImages, item: dict[str, Any]) -> tuple[ShownGeneration, ...]:
    rows = made.of(item["prompt_id"], item["image_index"])
    others = pl.col("image_index") != (-1 if item["image_index"] is None else item["image_index"])
    ordered = rows.sort(others, "distance", "image_index", nulls_last=True).head(SHOWN_GENERATIONS)
    return tuple(ShownGeneration(**row) for row in ordered.iter_rows(named=True))


def show_group(run: OpenedRun, group_id: int) -> ShownGroup:
    """A duplicate group by its id."""
    group = run.groups.filter(pl.col("group_id") == group_id)
    medoid = group.select("medoid").collect().item()
    members = run.members.filter(pl.col("group_id") == group_id).select("sample_id", "similarity_to_medoid").collect()
    rows = _samples(run, members["sample_id"].to_list()).join(members, on="sample_id", how="left")
    named = pl.coalesce("pixel_sha256", pl.concat_str("shard", pl.lit("/"), "key"))
    first = rows.sort(pl.col("sample_id") != medoid, "sample_id").with_columns(
        picture=named, similarity="similarity_to_medoid"
    )
    different = first.with_columns(rows=pl.len().over("picture")).unique("picture", keep="first", maintain_order=True)
    ordered = different.sort(pl.col("sample_id") != medoid, "similarity", "sample_id")
    captions = rows.drop_nulls("caption").group_by("caption").len().sort("len", "caption", descending=[True, False])
    return ShownGroup(
        members=tuple(_sample(row) for row in ordered.head(SHOWN_MEMBERS).iter_rows(named=True)),
        pictures=different.height,
        captions=tuple(captions.head(SHOWN_CAPTIONS).iter_rows()),
        facts=_one(group, _GROUP),
    )


def _samples(run: OpenedRun, sample_ids: list[int]) -> pl.DataFrame:
    if not sample_ids:
        return run.samples.head(0).collect()
    # the bounds let whole row groups be passed over
    within = pl.col("sample_id").is_between(min(sample_ids), max(sample_ids)) & pl.col("sample_id").is_in(sample_ids)
    columns = ("sample_id", "shard", "key", "url", "caption", "width", "height", "pixel_sha256")
    return run.samples.filter(within).select(columns).collect().sort("sample_id")


def _sample(row: dict[str, Any]) -> ShownSample:
    names = ("sample_id", "shard", "key", "url", "caption", "width", "height")
    similarity = _finite(row.get("similarity"))
    return ShownSample(**{name: row[name] for name in names}, rows=row.get("rows", 1), similarity=similarity)


def _one(frame: pl.LazyFrame, columns: tuple[str, ...]) -> dict[str, Any]:
    found = frame.select(columns).collect()
    return {name: _finite(value) for name, value in found.row(0, named=True).items()} if found.height else {}


def _finite(value: Any) -> Any:
    """None for NaN and infinity, which JSON has no way to write."""
    return None if isinstance(value, float) and not math.isfinite(value) else value
