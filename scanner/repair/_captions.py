"""The captions of a group's rows, with what the captions table knows of each.

>>> captioned(rows, Carried(captions=captions, prompts=prompts)).columns              # doctest: +SKIP
"""

from dataclasses import dataclass

import polars as pl

from scanner.duplicates.captions import normalise_captions, prompt_ids


@dataclass(frozen=True, kw_only=True)
class Carried:
    """What the data set says under its pictures, as a run has counted it."""

    captions: pl.DataFrame
    """The captions table: `prompt_id, rows, near_id, near_pictures`."""
    prompts: pl.DataFrame
    """The prompts table: `prompt_id, group_id, risk`, and `agreement` of text and image where it has that column."""


def captioned(rows: pl.DataFrame, carried: Carried) -> pl.DataFrame:
    """The rows (`sample_id, group_id, caption`) with their caption's `prompt_id, near_id, caption_rows, pictures,
    words, agreement`; null where there is no caption, or nothing of it is left in normalised form."""
    normal = normalise_captions(rows["caption"])
    known = pl.DataFrame({"normal": normal.drop_nulls().unique()})
    known = known.with_columns(prompt_ids(known["normal"]))
    table = carried.captions.select("prompt_id", "near_id", caption_rows="rows", pictures="near_pictures")
    words = pl.when(pl.col("normal").is_not_null()).then(pl.col("caption").str.count_matches(r"\S+"))
    return (
        rows.with_columns(normal=normal)
        .join(known.join(table, on="prompt_id", how="left"), on="normal", how="left")
        .join(_agreement(carried.prompts), on=["group_id", "prompt_id"], how="left")
        .with_columns(words=words)
        .drop("normal")
    )


def _agreement(prompts: pl.DataFrame) -> pl.DataFrame:
    """By group and prompt, where it is known."""
    schema = {"group_id": pl.Int64, "prompt_id": pl.String, "agreement": pl.Float64}
    if "agreement" not in prompts.columns:
        return pl.DataFrame(schema=schema)
    known = prompts.filter(pl.col("group_id").is_not_null() & pl.col("agreement").is_not_null())
    return known.select(*schema).cast(schema).unique(["group_id", "prompt_id"], keep="first")  # type: ignore[arg-type]


def written_forms(rows: pl.DataFrame) -> pl.DataFrame:
    """By group its different captions as a list, `captions`: of each the written form of most rows (of equals the
    earliest), that of most rows first (likewise)."""
    keys = ["group_id", "prompt_id"]
    forms = (
        rows.filter(pl.col("prompt_id").is_not_null())
        .group_by(*keys, "caption")
        .agg(written=pl.len(), earliest=pl.col("sample_id").min())
        .sort("written", "earliest", descending=[True, False])
        .group_by(keys, maintain_order=True)
        .agg(pl.col("caption").first(), copies=pl.col("written").sum(), earliest=pl.col("earliest").min())
        .sort("copies", "earliest", descending=[True, False])
    )
    return forms.group_by("group_id", maintain_order=True).agg(captions=pl.col("caption"))
