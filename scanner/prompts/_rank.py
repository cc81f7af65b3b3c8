"""Captions of duplicate groups, ranked by the risk that a model gives the picture back under them (see `_risk`).

The list is de-duplicated: a caption of several groups stands once, for its riskiest group, and a group gives at most
`captions_per_group` captions. Every rank carries its reason in words.

>>> rank_prompts(samples, members, groups, RankConfig())["reason"][0]       # doctest: +SKIP
'128 copies of one picture, 97 % under this caption, found nowhere else'
"""

from dataclasses import dataclass

import polars as pl

from scanner.duplicates.captions import normalise_captions, prompt_ids
from scanner.errors import UnusableInputError
from scanner.prompts._risk import risk_score
from scanner.tables import PROMPTS


@dataclass(frozen=True, kw_only=True)
class RankConfig:
    """How captions of duplicate groups become a ranked list."""

    half_copies: float = 100.0
    """Further copies at which their part of the risk is one half; Stable Diffusion starts to repeat around 100."""
    captions_per_group: int = 3
    """Most captions of one group in the list."""

    def __post_init__(self) -> None:
        if not self.half_copies > 0:
            raise UnusableInputError(
                f"Half the risk at {self.half_copies} copies is not possible; give a number above 0."
            )
        if self.captions_per_group < 1:
            raise UnusableInputError(
                "A group must give at least one caption; raise the captions per group to 1 or more."
            )


def caption_rows(samples: pl.DataFrame, members: pl.DataFrame) -> pl.DataFrame:
    """Rows whose caption says something, in order of sample_id, with what ranking and control arm need of them.

    Columns: `sample_id, caption, normal` (the caption normalised), `group_id` (null outside of groups), `rows` and
    `pictures` (rows, and different pictures, that carry the caption: a group counts as one, a row outside as one).
    """
    captioned = samples.select("sample_id", "caption").with_columns(normal=normalise_captions(samples["caption"]))
    picture = pl.coalesce("group_id", "sample_id")  # a group's id is a sample_id of its own members
    return (
        captioned.filter(pl.col("normal").is_not_null())
        .join(members.select("sample_id", "group_id"), on="sample_id", how="left")
        .with_columns(rows=pl.len().over("normal"), pictures=picture.n_unique().over("normal"))
        .sort("sample_id")
    )


def _per_group(rows: pl.DataFrame) -> pl.DataFrame:
    """One row per group and caption: its copies, and its most common written form (of equals the earliest)."""
    keys = ["group_id", "normal"]
    written = (
        rows.filter(pl.col("group_id").is_not_null())
        .group_by(*keys, "caption", maintain_order=True)
        .agg(
            written=pl.len(),
            earliest=pl.col("sample_id").first(),
            rows=pl.col("rows").first(),
            pictures=pl.col("pictures").first(),
        )
        .sort(*keys, "written", "earliest", descending=[False, False, True, False])
    )
    return written.group_by(keys, maintain_order=True).agg(
        caption=pl.col("caption").first(),
        caption_copies=pl.col("written").sum().cast(pl.Int64),
        caption_rows=pl.col("rows").first().cast(pl.Int64),
        caption_groups=pl.col("pictures").first().cast(pl.Int64),
    )


def _reason(copies: int, share: float, pictures: int) -> str:
    percent = min(max(round(100 * share), 1), 99)
    under = "all under this caption" if share == 1 else f"{percent} % under this caption"
    others = pictures - 1
    found = f"found on {others:,} other picture{'s' if others > 1 else ''}" if others else "found nowhere else"
    return f"{copies:,} copies of one picture, {under}, {found}"


def _scored(candidates: pl.DataFrame, config: RankConfig) -> pl.DataFrame:
    """The candidates with their risk (rounded, so that equals tie on every machine) and its reason."""
    risks, reasons = [], []
    columns = ("copies", "caption_copies", "caption_rows", "caption_groups")
    for copies, caption_copies, caption_rows, pictures in candidates.select(columns).iter_rows():
        share, specificity = caption_copies / copies, caption_copies / caption_rows
        risk = risk_score(copies=copies, share=share, specificity=specificity, half_copies=config.half_copies)
        risks.append(round(risk, 12))
        reasons.append(_reason(copies, share, pictures))
    return candidates.with_columns(
        risk=pl.Series(risks, dtype=pl.Float64),
        reason=pl.Series(reasons, dtype=pl.String),
        prompt_id=prompt_ids(candidates["normal"]),
    )


def rank_prompts(
    samples: pl.DataFrame, members: pl.DataFrame, groups: pl.DataFrame, config: RankConfig
) -> pl.DataFrame:
    """The risk arm of `scanner.tables.PROMPTS`, riskiest first; empty where no group has a caption.

    `samples` has `sample_id, caption, url`; `members` and `groups` are the tables of that name. Equal risks are ordered
    by copies, then group, then prompt_id.
    """
    order, descending = ["risk", "copies", "group_id", "prompt_id"], [True, True, False, False]
    candidates = _per_group(caption_rows(samples, members)).join(
        groups.select("group_id", "copies", "medoid"), on="group_id", how="inner"
    )
    urls = samples.select(medoid="sample_id", url="url")
    ranked = (
        _scored(candidates, config)
        .sort(order, descending=descending)
        .unique("normal", keep="first", maintain_order=True)
        .filter(pl.int_range(pl.len()).over("group_id") < config.captions_per_group)
        .join(urls, on="medoid", how="left")
        .sort(order, descending=descending)
        .with_row_index("rank", offset=1)
        .with_columns(arm=pl.lit("risk"), sample_id="medoid")
    )
    return PROMPTS.conform(ranked)
