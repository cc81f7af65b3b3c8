"""The risk of groups before and after a mitigation, by the one formula of `scanner.prompts`.

Before, it is the highest risk that the prompts table gives a caption of the group. A group of which that table lists no
caption (each stands there for a riskier group) is scored here, each caption with its exact share of the group's copies.

>>> risks_after_recaption(pl.Series([101])).round(2).to_list()
[0.07]
"""

import polars as pl

from scanner.prompts import TEMPLATE_WEIGHT, RankConfig, concentration, risk_class, risk_score, specificity

_HALF = RankConfig().half_copies
_DIGITS = 12
"""Risks are rounded as the ranking rounds them, so that equals are equal on every machine."""


def highest_risks(rows: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """By group its `copies`, the highest risk of its captions, `risk` (0 where it has none), and the part of it that
    stays however few copies there are, `template_risk`: that of its template family, which may have lost rows by then.

    Needs `group_id, prompt_id, caption_rows` of every member, and the prompts table.
    """
    copies = rows.group_by("group_id").agg(copies=pl.len().cast(pl.Int64))
    if "template_part" not in prompts.columns:  # ranked before template families were
        prompts = prompts.with_columns(template_part=pl.lit(None, dtype=pl.Float64))
    template = pl.col("template_part").max().fill_null(0.0) * TEMPLATE_WEIGHT
    own = prompts.filter(pl.col("group_id").is_not_null())
    listed = own.group_by("group_id").agg(risk=pl.col("risk").max(), template_risk=template)
    risks = pl.concat([listed, _scored(rows.join(listed, on="group_id", how="anti"), copies)], how="diagonal")
    known = copies.join(risks, on="group_id", how="left")
    return known.with_columns(pl.col("risk", "template_risk").fill_null(0.0)).sort("group_id")


def _scored(rows: pl.DataFrame, copies: pl.DataFrame) -> pl.DataFrame:
    """By group the highest risk of its captions, by their exact shares."""
    each = (
        rows.filter(pl.col("prompt_id").is_not_null())
        .group_by("group_id", "prompt_id")
        .agg(caption_copies=pl.len().cast(pl.Int64), caption_rows=pl.col("caption_rows").first())
        .join(copies, on="group_id")
    )
    risks = _risks(each["copies"], each["caption_copies"], each["caption_rows"])
    return each.with_columns(risk=risks).group_by("group_id").agg(risk=pl.col("risk").max())


def risks_after_recaption(copies: pl.Series) -> pl.Series:
    """Of groups of so many copies, each under a caption of its own that stands nowhere else and shares no word with the
    others: captions that do share words keep more of the risk."""
    one = pl.repeat(1, len(copies), dtype=pl.Int64, eager=True)
    return _risks(copies, one, one)


def classes(risks: pl.Series) -> pl.Series:
    """The class of each risk."""
    different = risks.unique()
    named = pl.Series([risk_class(risk) for risk in different], dtype=pl.String)
    return risks.replace_strict(different, named, return_dtype=pl.String)


def _risks(copies: pl.Series, caption_copies: pl.Series, caption_rows: pl.Series) -> pl.Series:
    """Of groups of so many copies, under a caption that so many of them and so many rows of the whole set carry."""
    size, here, everywhere = (one.cast(pl.Float64).to_numpy() for one in (copies, caption_copies, caption_rows))
    risks = risk_score(
        copies=size, share=concentration(here / size), specificity=specificity(here, everywhere), half_copies=_HALF
    )
    return pl.Series("risk", risks, dtype=pl.Float64).round(_DIGITS)
