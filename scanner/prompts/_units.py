"""What prompts are made for: duplicate groups and template families, and how many of their rows carry each caption.

Only rows of a group or a family are read, so a set of many millions costs what its duplicates cost. What the rest of
the set carries is known from the captions table.

>>> read_units(samples, members, families, captions).rows                    # doctest: +SKIP
"""

from dataclasses import dataclass

import polars as pl

from scanner.duplicates.captions import normalise_captions, prompt_ids
from scanner.errors import UnusableInputError


@dataclass(frozen=True, kw_only=True)
class Units:
    """The captioned rows of groups and families, with their captions."""

    rows: pl.DataFrame
    """`sample_id, caption` (as written), `text` (place in `texts`), `group_id` and `family_id` (null where in none)."""
    texts: pl.DataFrame
    """One row per normalised caption: `text, normal`, and `prompt_id, caption_rows, caption_groups, near_id, near_rows,
    near_pictures` of the captions table."""
    family_sizes: pl.DataFrame
    """`family_id, family_copies, family_pictures`: its rows, captioned or not, and its pictures."""
    belonging: pl.DataFrame
    """Every row of a group or a family: `sample_id, group_id, family_id`."""


def read_units(
    samples: pl.DataFrame | pl.LazyFrame,
    members: pl.DataFrame,
    families: pl.DataFrame,
    captions: pl.DataFrame | pl.LazyFrame,
) -> Units:
    """The units of tables of these names; of `samples` the columns `sample_id, caption` are read.

    Raises UnusableInputError when a caption is not in the captions table.
    """
    belonging = _belonging(members, families)
    wanted = samples.lazy().select("sample_id", "caption").join(belonging.lazy(), on="sample_id", how="inner")
    rows = wanted.filter(pl.col("caption").is_not_null()).collect(engine="streaming")
    rows = rows.with_columns(normal=normalise_captions(rows["caption"])).filter(pl.col("normal").is_not_null())
    texts = _texts(rows["normal"].unique().sort(), captions)
    rows = rows.join(texts.select("normal", "text"), on="normal", how="left").drop("normal").sort("sample_id")
    in_family = belonging.filter(pl.col("family_id").is_not_null())
    sizes = in_family.group_by("family_id").agg(
        family_copies=pl.len().cast(pl.Int64),
        family_pictures=pl.coalesce("group_id", "sample_id").n_unique().cast(pl.Int64),
    )
    return Units(rows=rows, texts=texts, family_sizes=sizes, belonging=belonging)


def _belonging(members: pl.DataFrame, families: pl.DataFrame) -> pl.DataFrame:
    """A family holds all rows of its groups, and its pictures that stand once."""
    grouped = pl.col("group_id").is_not_null()
    of_groups = families.filter(grouped).select("group_id", "family_id").unique("group_id")
    single = families.filter(~grouped).select("sample_id", "group_id", "family_id")
    inside = members.select("sample_id", "group_id").join(of_groups, on="group_id", how="left")
    return pl.concat([inside, single])


def _texts(normal: pl.Series, captions: pl.DataFrame | pl.LazyFrame) -> pl.DataFrame:
    known = pl.DataFrame({"normal": normal}).with_row_index("text").with_columns(prompt_ids(normal))
    counted = captions.lazy().select(
        "prompt_id", "near_id", "near_rows", "near_pictures", caption_rows="rows", caption_groups="pictures"
    )
    wanted = counted.join(known.lazy().select("prompt_id"), on="prompt_id", how="semi").collect(engine="streaming")
    texts = known.join(wanted, on="prompt_id", how="left", maintain_order="left")
    if texts["caption_rows"].has_nulls():
        raise UnusableInputError(
            "captions.parquet does not hold the captions of these rows; give the same `scanner audit` again."
        )
    return texts


def carried(units: Units, unit: str) -> pl.DataFrame:
    """One row per unit (`group_id` or `family_id`) and caption, sorted by both.

    Columns: the unit, `text`, `caption` (its most common written form, of equals the earliest), `first` (the smallest
    sample_id), `caption_copies`, and of the caption with its near-duplicates in the unit `near_copies` and
    `near_here` (their pictures).
    """
    rows = units.rows.filter(pl.col(unit).is_not_null())
    keys = [unit, "text"]
    written = (
        rows.group_by(*keys, "caption")
        .agg(written=pl.len().cast(pl.Int64), first=pl.col("sample_id").min())
        .sort(*keys, "written", "first", descending=[False, False, True, False])
    )
    each = written.group_by(keys, maintain_order=True).agg(
        caption=pl.col("caption").first(), first=pl.col("first").min(), caption_copies=pl.col("written").sum()
    )
    return each.join(units.texts.select("text", "near_id"), on="text", how="left", maintain_order="left").join(
        _near(units, rows, unit), on=[unit, "near_id"], how="left", maintain_order="left"
    )


def _near(units: Units, rows: pl.DataFrame, unit: str) -> pl.DataFrame:
    near = rows.join(units.texts.select("text", "near_id"), on="text", how="left")
    return near.group_by(unit, "near_id").agg(
        near_copies=pl.len().cast(pl.Int64),
        near_here=pl.coalesce("group_id", "sample_id").n_unique().cast(pl.Int64),
    )
