"""Captions of groups and families with the parts of their risk, before the list is drawn up.

>>> candidates(units, groups, half_copies=100.0)                             # doctest: +SKIP
"""

import numpy as np
import polars as pl

from scanner.duplicates.captions import Words, words_of
from scanner.prompts._risk import combined_risk, concentration, copies_part, specificity, text_part
from scanner.prompts._shared_words import shared_words
from scanner.prompts._units import Units, carried

_TEMPLATE = (
    *("family_id", "text", "template_part"),
    *("family_share", "family_near", "family_near_here", "family_specificity"),
)
"""What a group's caption learns of the family that it stands over."""


def candidates(units: Units, groups: pl.DataFrame, half_copies: float) -> pl.DataFrame:
    """One row per caption of a group, and per caption of a family that pictures in no group carry.

    With `risk` and its parts, the counts that the reason is made of, and the caption's own columns of `Units.texts`.
    """
    words = words_of(units.texts["normal"])
    families = _of_families(units, words, half_copies)
    both = pl.concat(
        [_of_groups(units, words, groups, half_copies, families), _alone(units, families)], how="diagonal_relaxed"
    )
    copy_risk = both["copies_part"].to_numpy() * text_part(
        both["concentration"].to_numpy(), both["specificity"].to_numpy()
    )
    template = both["template_part"].fill_null(0.0).to_numpy()
    # rounded, so that equals tie on every machine
    risk = pl.Series(combined_risk(copy_risk, template), dtype=pl.Float64).round(12)
    both = both.with_columns(risk=risk, copy_risk=pl.Series(copy_risk, dtype=pl.Float64))
    both = both.join(units.family_sizes, on="family_id", how="left")
    return both.join(units.texts.drop("near_id", "normal"), on="text", how="left")


def _scored(units: Units, words: Words, found: pl.DataFrame, unit: str, half_copies: float) -> pl.DataFrame:
    """The parts of the risk of captions of units of one kind; `found` has the unit's rows as `copies`."""
    found = found.sort(unit, "text").join(units.texts.select("text", "near_rows"), on="text", how="left")
    number = found[unit].rle_id().cast(pl.Int64).to_numpy()
    texts, rows, sizes = (found[name].cast(pl.Int64).to_numpy() for name in ("text", "caption_copies", "copies"))
    shared = shared_words(number, texts, rows, sizes, words)
    here, everywhere = (found[name].cast(pl.Float64).to_numpy() for name in ("near_copies", "near_rows"))
    parts = {
        "copies_part": copies_part(sizes.astype(np.float64), half_copies),
        "concentration": concentration(shared),
        "specificity": specificity(here, everywhere),
        "shared_words": shared,
    }
    return found.drop("near_rows").with_columns(pl.Series(name, part, dtype=pl.Float64) for name, part in parts.items())


def _of_families(units: Units, words: Words, half_copies: float) -> pl.DataFrame:
    """Captions that stand, near-duplicates counted with them, under two pictures of a family or more."""
    sizes = units.family_sizes.select("family_id", copies="family_copies")
    found = carried(units, "family_id").join(sizes, on="family_id")
    # every caption of a family tells which words its rows hold, so none is left out before that
    scored = _scored(units, words, found, "family_id", half_copies).filter(pl.col("near_here") > 1)
    text = text_part(scored["concentration"].to_numpy(), scored["specificity"].to_numpy())
    return scored.with_columns(
        template_part=pl.Series(scored["copies_part"].to_numpy() * text, dtype=pl.Float64),
        family_share=pl.col("near_copies") / pl.col("copies"),
        family_near=pl.col("near_copies") > pl.col("caption_copies"),
        family_near_here="near_here",
        family_specificity="specificity",
    )


def _of_groups(
    units: Units, words: Words, groups: pl.DataFrame, half_copies: float, families: pl.DataFrame
) -> pl.DataFrame:
    facts = groups.select("group_id", "copies", "medoid")
    found = carried(units, "group_id").join(facts, on="group_id", how="inner")
    family_of = units.belonging.filter(pl.col("group_id").is_not_null() & pl.col("family_id").is_not_null())
    family_of = family_of.select("group_id", "family_id").unique()
    scored = _scored(units, words, found, "group_id", half_copies).join(family_of, on="group_id", how="left")
    scored = scored.join(families.select(_TEMPLATE), on=["family_id", "text"], how="left")
    shared = pl.col("template_part").is_not_null()
    return scored.rename({"medoid": "sample_id"}).with_columns(family_id=pl.when(shared).then("family_id"))


def _alone(units: Units, families: pl.DataFrame) -> pl.DataFrame:
    """Of the families' captions those that a picture carries which stands once."""
    single = units.rows.filter(pl.col("group_id").is_null() & pl.col("family_id").is_not_null())
    carrying = single.select("family_id", "text").unique()
    found = families.join(carrying, on=["family_id", "text"], how="semi")
    none = pl.lit(None, dtype=pl.Int64)
    return found.with_columns(
        group_id=none, copies=pl.lit(1, dtype=pl.Int64), copies_part=pl.lit(0.0), sample_id="first"
    )
