"""The risk of groups before and after a mitigation, by the one formula of `scanner.prompts`.

Before, it is the highest risk that the prompts table gives a caption of the group. A group of which that table lists no
caption (each stands there for a riskier group) is scored here, each caption with its exact share of the group's copies.

The formula is asked once for each different set of arguments, of which there are few (small whole numbers and their
ratios), so that a million groups need no million calls.

>>> risks_after_recaption(pl.Series([101])).round(3).to_list()
[0.05]
"""

from collections.abc import Callable

import polars as pl

from scanner.prompts import RankConfig, risk_class, risk_score

_HALF = RankConfig().half_copies
_DIGITS = 12
"""Risks are rounded as the ranking rounds them, so that equals are equal on every machine."""


def highest_risks(rows: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """By group its `copies` and the highest risk of its captions, `risk`; 0 where it has none.

    Needs `group_id, prompt_id, caption_rows` of every member, and the prompts table.
    """
    copies = rows.group_by("group_id").agg(copies=pl.len().cast(pl.Int64))
    listed = prompts.filter(pl.col("group_id").is_not_null()).group_by("group_id").agg(risk=pl.col("risk").max())
    risks = pl.concat([listed, _scored(rows.join(listed, on="group_id", how="anti"), copies)])
    return copies.join(risks, on="group_id", how="left").with_columns(pl.col("risk").fill_null(0.0)).sort("group_id")


def _scored(rows: pl.DataFrame, copies: pl.DataFrame) -> pl.DataFrame:
    """By group the highest risk of its captions, by their exact shares."""
    each = (
        rows.filter(pl.col("prompt_id").is_not_null())
        .group_by("group_id", "prompt_id")
        .agg(caption_copies=pl.len().cast(pl.Int64), caption_rows=pl.col("caption_rows").first())
        .join(copies, on="group_id")
    )
    scored = _asked(each, ["copies", "caption_copies", "caption_rows"], _risk)
    return scored.group_by("group_id").agg(risk=pl.col("risk").max())


def risks_at_one_copy(copies: pl.Series) -> pl.Series:
    """Of groups of which one copy stays, whatever its caption."""
    return pl.repeat(_risk(1, 1, 1), len(copies), dtype=pl.Float64, eager=True)


def risks_after_recaption(copies: pl.Series) -> pl.Series:
    """Of groups of so many copies, each under a caption of its own that stands nowhere else."""
    return _asked(pl.DataFrame({"copies": copies}), ["copies"], lambda copies: _risk(copies, 1, 1))["risk"]


def classes(risks: pl.Series) -> pl.Series:
    """The class of each risk."""
    different = risks.unique()
    named = pl.Series([risk_class(risk) for risk in different], dtype=pl.String)
    return risks.replace_strict(different, named, return_dtype=pl.String)


def _risk(copies: int, caption_copies: int, caption_rows: int) -> float:
    share, specificity = caption_copies / copies, caption_copies / caption_rows
    return round(risk_score(copies=copies, share=share, specificity=specificity, half_copies=_HALF), _DIGITS)


def _asked(frame: pl.DataFrame, names: list[str], risk: Callable[..., float]) -> pl.DataFrame:
    """The frame, in its order, with `risk` of the named columns, which is called once for each different row."""
    different = frame.select(names).unique()
    risks = pl.Series("risk", [risk(*row) for row in different.iter_rows()], dtype=pl.Float64)
    return frame.join(different.with_columns(risks), on=names, how="left", maintain_order="left")
