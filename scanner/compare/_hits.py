"""Hits before and after: the rates of both arms, and the same prompts one by one.

What counts as tried, attacked and verified is what the report says (`scanner.report.prompt_frame`). A prompt is paired
when it was tried in both runs and stands in the risk arm of either: after de-duplication a caption that was risky may
be a control.

    >>> compare_hits(match_hits(a, b)).paired.p_value                            # doctest: +SKIP
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from scanner.compare._mcnemar import mcnemar
from scanner.compare._model import ArmRates, Paired
from scanner.compare._records import HitChange
from scanner.report import prompt_frame, rate
from scanner.run import Run
from scanner.tables import HITS, PROMPTS, VERIFIED

LISTED = 100
"""Prompts listed of each state."""
STATES = ("only_before", "only_after", "before_untried", "after_untried")
_SIDES = ("before", "after")


def tried_prompts(run: Run) -> pl.DataFrame:
    """The prompts that were tried: `prompt_id`, `arm`, `caption`, `copies`, `attacked`, `hit`, `verdict` (held back:
    triage let it not through), `images`, `sample_id` (what came back, or the prompt's own)."""
    frame = prompt_frame(run).filter("tried")
    back = run.read(HITS).filter(pl.col("verdict").is_in(VERIFIED)).select("prompt_id", came_back="sample_id")
    verdict = pl.when("attacked").then(pl.col("verdict").fill_null("none")).otherwise(pl.lit("held back"))
    return (
        frame.join(back, on="prompt_id", how="left", maintain_order="left")
        .select(
            *("prompt_id", "arm", "caption", "copies", "attacked", "hit"),
            verdict=verdict,
            images=pl.col("generated").fill_null(0),
            sample_id=pl.coalesce("came_back", "sample_id"),
        )
        .unique("prompt_id", keep="first", maintain_order=True)
    )


def match_hits(before: pl.DataFrame, after: pl.DataFrame) -> pl.DataFrame:
    """The prompts tried in either run, with the columns of `tried_prompts` for both (`_before`, `_after`)."""
    sides = [
        frame.rename({name: f"{name}_{side}" for name in frame.columns if name != "prompt_id"})
        for frame, side in zip((before, after), _SIDES, strict=True)
    ]
    return sides[0].join(sides[1], on="prompt_id", how="full", coalesce=True).sort("prompt_id")


def arm_rates(before: pl.DataFrame, after: pl.DataFrame) -> tuple[ArmRates, ...]:
    """Verified hits of the prompts tried, by arm; of `tried_prompts` of both."""
    parts = {arm: [frame.filter(pl.col("arm") == arm) for frame in (before, after)] for arm in ("risk", "control")}
    rates = {arm: [rate(int(part["hit"].sum()), part.height) for part in both] for arm, both in parts.items()}
    return tuple(ArmRates(arm=arm, before=old, after=new) for arm, (old, new) in rates.items())


def pair(matched: pl.DataFrame) -> Paired:
    """The prompts tried in both runs."""
    tried = _paired(matched)
    old, new = pl.col("hit_before"), pl.col("hit_after")
    counts = tried.select(
        both=(old & new).sum(),
        only_before=(old & ~new).sum(),
        only_after=(~old & new).sum(),
        neither=(~old & ~new).sum(),
        held_back=(~pl.col("attacked_before") | ~pl.col("attacked_after")).sum(),
    ).row(0, named=True)
    numbers = {name: int(value or 0) for name, value in counts.items()}
    p_value = mcnemar(numbers["only_before"], numbers["only_after"])
    return Paired(tried=tried.height, p_value=p_value, **numbers)


def list_hits(matched: pl.DataFrame, before: Run, after: Run) -> tuple[HitChange, ...]:
    """Prompts verified in one run only; those tried in both first, then by copies."""
    rows = matched.with_columns(state=_state()).filter(pl.col("state").is_not_null())
    most = pl.max_horizontal("copies_before", "copies_after")
    listed = pl.concat(
        rows.filter(pl.col("state") == state).sort(most, "prompt_id", descending=[True, False]).head(LISTED)
        for state in STATES
    )
    known = {"before": _known(before, listed), "after": _known(after, listed)}
    return tuple(_change(row, known) for row in listed.iter_rows(named=True))


def _paired(matched: pl.DataFrame) -> pl.DataFrame:
    both = pl.col("hit_before").is_not_null() & pl.col("hit_after").is_not_null()
    return matched.filter(both & ((pl.col("arm_before") == "risk") | (pl.col("arm_after") == "risk")))


def _state() -> pl.Expr:
    old, new = pl.col("hit_before"), pl.col("hit_after")
    risky = (pl.col("arm_before") == "risk") | (pl.col("arm_after") == "risk")
    return (
        pl.when(~risky.fill_null(False))
        .then(None)
        .when(old & ~new)
        .then(pl.lit("only_before"))
        .when(~old & new)
        .then(pl.lit("only_after"))
        .when(old & new.is_null())
        .then(pl.lit("before_untried"))
        .when(new & old.is_null())
        .then(pl.lit("after_untried"))
    )


def _known(run: Run, listed: pl.DataFrame) -> dict[str, int]:
    """By prompt its copies in a run that ranks it, tried or not."""
    ids = pl.col("prompt_id").is_in(listed["prompt_id"].implode())
    rows = PROMPTS.scan(run.path).filter(ids).sort("arm").select("prompt_id", "copies").collect()
    return dict(rows.iter_rows())


def _change(row: Mapping[str, Any], known: Mapping[str, Mapping[str, int]]) -> HitChange:
    return HitChange(
        state=row["state"],
        prompt_id=row["prompt_id"],
        caption=row["caption_before"] or row["caption_after"] or "",
        verdict_before=row["verdict_before"],
        verdict_after=row["verdict_after"],
        images_before=row["images_before"] or 0,
        images_after=row["images_after"] or 0,
        copies_before=known["before"].get(row["prompt_id"]),
        copies_after=known["after"].get(row["prompt_id"]),
        sample_before=row["sample_id_before"],
        sample_after=row["sample_id_after"],
    )
