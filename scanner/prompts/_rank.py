"""Captions of duplicate groups and template families, ranked by the risk that a model gives the picture back (`_risk`).

The list is de-duplicated: a caption of several groups stands once, for its riskiest group, a group gives at most
`captions_per_group` captions, no two of them near-duplicates. Every rank carries its reason in words.

>>> rank_prompts(samples, members, groups, RankConfig())["reason"][0]       # doctest: +SKIP
'128 copies of one picture, 97 % under this caption, found nowhere else'
"""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl

from scanner.duplicates.captions import count_captions
from scanner.errors import UnusableInputError
from scanner.prompts._candidates import candidates
from scanner.prompts._classes import BOUNDARIES
from scanner.prompts._coverage import Coverage, coverage, covered_rows, first_ranks, left_out
from scanner.prompts._reasons import reasons
from scanner.prompts._risk import agreement_factor
from scanner.prompts._select import DESCENDING, ORDER, select
from scanner.prompts._units import read_units
from scanner.tables import FAMILIES, PROMPTS

AskAgreement = Callable[[pl.DataFrame], pl.Series]
"""Gives, for rows of `caption, sample_id` (a prompt and its group's medoid), how well text and picture agree: Float64,
0 to 1, the share of the set's own pairs that stand once and whose cosine is lower; null where it is not known."""


@dataclass(frozen=True, kw_only=True)
class RankConfig:
    """How captions of duplicate groups become a ranked list."""

    half_copies: float = 100.0
    """Further copies at which their part of the risk is one half; Stable Diffusion starts to repeat around 100."""
    captions_per_group: int = 3
    """Most captions of one group in the list."""
    agreement_of: int = 10_000
    """First prompts of which the text-image agreement is asked; it reorders these and no others."""

    def __post_init__(self) -> None:
        if not self.half_copies > 0:
            raise UnusableInputError(
                f"Half the risk at {self.half_copies} copies is not possible; give a number above 0."
            )
        if self.captions_per_group < 1:
            raise UnusableInputError(
                "A group must give at least one caption; raise the captions per group to 1 or more."
            )
        if self.agreement_of < 0:
            raise UnusableInputError("The agreement can't be asked of fewer than no prompts; give 0 or more.")


@dataclass(frozen=True, kw_only=True)
class Ranking:
    """A ranked list and what it covers."""

    prompts: pl.DataFrame
    """The risk arm, rows of `scanner.tables.PROMPTS`."""
    left_out: pl.DataFrame
    """Rows of `scanner.tables.LEFT_OUT`."""
    coverage: Coverage
    """Rows and groups that the list stands for."""


def rank_prompts(  # noqa: PLR0913 - one table each
    samples: pl.DataFrame | pl.LazyFrame,
    members: pl.DataFrame,
    groups: pl.DataFrame,
    config: RankConfig,
    *,
    captions: pl.DataFrame | pl.LazyFrame | None = None,
    families: pl.DataFrame | None = None,
    agreement: AskAgreement | None = None,
) -> pl.DataFrame:
    """The risk arm of `scanner.tables.PROMPTS`, riskiest first: that of `ranking`."""
    found = ranking(samples, members, groups, config, captions=captions, families=families, agreement=agreement)
    return found.prompts


def ranking(  # noqa: PLR0913 - one table each
    samples: pl.DataFrame | pl.LazyFrame,
    members: pl.DataFrame,
    groups: pl.DataFrame,
    config: RankConfig,
    *,
    captions: pl.DataFrame | pl.LazyFrame | None = None,
    families: pl.DataFrame | None = None,
    agreement: AskAgreement | None = None,
) -> Ranking:
    """The risk arm, riskiest first, and what it covers; empty where no group and no family has a caption.

    Of `samples` the columns `sample_id, caption, url` are read; the others are the tables of these names. Without
    `captions` they are counted here, without `families` there are none. Equal risks are ordered by copies, then
    group, family and prompt_id.
    """
    if captions is None:
        captions = count_captions(samples.lazy().select("sample_id", "caption").collect(), members, groups).captions
    units = read_units(samples, members, FAMILIES.empty() if families is None else families, captions)
    found = candidates(units, groups, config.half_copies)
    listed = _ranked(select(found, config.captions_per_group), config, agreement)
    listed = listed.with_columns(reasons(listed), _classes(), arm=pl.lit("risk"))
    urls = samples.lazy().select("sample_id", "url").join(listed.lazy().select("sample_id").unique(), on="sample_id")
    listed = listed.join(urls.collect(engine="streaming"), on="sample_id", how="left")
    rows = first_ranks(listed, units.belonging)
    prompts = PROMPTS.conform(covered_rows(listed, rows))
    left = left_out(groups, prompts, rows, found)
    total = int(samples.lazy().select(pl.len()).collect().item())
    return Ranking(prompts=prompts, left_out=left, coverage=coverage(prompts, rows, groups, left, total))


def _ranked(listed: pl.DataFrame, config: RankConfig, agreement: AskAgreement | None) -> pl.DataFrame:
    """In their final order, with `agreement` and `rank`; the list comes in the order of the other parts."""
    asked = listed.head(config.agreement_of)
    known = pl.Series("agreement", [None] * len(asked), dtype=pl.Float64)
    if agreement is not None and len(asked):
        known = _checked(agreement(asked.select("caption", "sample_id")), len(asked))
    factor = pl.Series(agreement_factor(known.fill_null(0.5).to_numpy()), dtype=pl.Float64)
    asked = asked.with_columns(known, risk=(asked["risk"] * factor).clip(upper_bound=1.0).round(12))
    rest = listed.slice(config.agreement_of).with_columns(agreement=pl.lit(None, dtype=pl.Float64))
    first = asked.sort(ORDER, descending=DESCENDING, nulls_last=True)
    return pl.concat([first, rest]).with_row_index("rank", offset=1)


def _checked(known: pl.Series, asked: int) -> pl.Series:
    """Raises ValueError when the callable's answer is no share for each prompt: an error of the program."""
    known = known.cast(pl.Float64).alias("agreement")
    if len(known) != asked or not known.drop_nulls().is_between(0, 1).all():
        raise ValueError(f"The agreement must be one number of 0 to 1, or null, for each of {asked} prompts.")
    return known


def _classes() -> pl.Expr:
    """`risk_class` by the boundaries, highest first."""
    name = pl.lit(None, dtype=pl.String)
    for label, least in reversed(BOUNDARIES.items()):
        name = pl.when(pl.col("risk") >= least).then(pl.lit(label)).otherwise(name)
    return name.alias("risk_class")
