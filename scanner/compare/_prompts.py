"""What became of the prompts of the risk arm: by class of risk, and one by one.

A prompt is a normalised caption and keeps its id from run to run. Its class is computed here from its risk, by
`scanner.prompts.BOUNDARIES`. Captions, reasons and pictures are read for the listed prompts only.

    >>> count_risk(match_prompts(a, b), b).gone                               # doctest: +SKIP
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from scanner.compare._model import RiskCounts
from scanner.compare._records import ClassCount, PromptChange, Transition
from scanner.prompts import BOUNDARIES
from scanner.run import Run
from scanner.tables import CAPTIONS, PROMPTS

LISTED = 150
"""Prompts listed of each state."""
SAME_RISK = 1e-9
"""Risks that differ by no more are equal: sums in another order."""


def match_prompts(before: Run, after: Run) -> pl.DataFrame:
    """The prompts of either risk arm: `prompt_id`, `state` (gone, new, changed, unchanged), and `rank`, `risk`,
    `copies` and `class`, each with `_before` and `_after`, null where that risk arm lacks it."""
    both = _risk_arm(before, "before").join(_risk_arm(after, "after"), on="prompt_id", how="full", coalesce=True)
    apart = (pl.col("risk_before") - pl.col("risk_after")).abs() > SAME_RISK
    state = (
        pl.when(pl.col("rank_after").is_null())
        .then(pl.lit("gone"))
        .when(pl.col("rank_before").is_null())
        .then(pl.lit("new"))
        .when(apart | (pl.col("copies_before") != pl.col("copies_after")))
        .then(pl.lit("changed"))
        .otherwise(pl.lit("unchanged"))
    )
    classes = {f"class_{side}": _class_of(pl.col(f"risk_{side}")) for side in ("before", "after")}
    return both.with_columns(state=state, **classes).collect().sort("prompt_id")


def count_risk(prompts: pl.DataFrame, after: Run) -> RiskCounts:
    """How many prompts of each kind there are; `after` is run B, which may have those that are gone as controls."""
    states = dict(prompts.group_by("state").len().iter_rows())
    gone = prompts.filter(pl.col("state") == "gone").select("prompt_id")
    changed = prompts.filter(pl.col("state") == "changed")
    rise = pl.col("risk_after") - pl.col("risk_before")
    cells = prompts.group_by("class_before", "class_after").len()
    counts = {(old or "none", new or "none"): number for old, new, number in cells.iter_rows()}
    names = (*BOUNDARIES, "none")
    transitions = [
        Transition(before=old, after=new, prompts=counts.get((old, new), 0))
        for old in names
        for new in names
        if (old, new) != ("none", "none")
    ]
    return RiskCounts(
        before=prompts["rank_before"].count(),
        after=prompts["rank_after"].count(),
        gone=gone.height,
        gone_as_controls=_rows(_controls(after).join(gone.lazy(), on="prompt_id", how="semi")),
        gone_with_caption=_rows(CAPTIONS.scan(after.path).join(gone.lazy(), on="prompt_id", how="semi"))
        if CAPTIONS.exists(after.path)
        else None,
        new=states.get("new", 0),
        changed=states.get("changed", 0),
        risen=changed.filter(rise > SAME_RISK).height,
        fallen=changed.filter(rise < -SAME_RISK).height,
        unchanged=states.get("unchanged", 0),
        classes=tuple(
            ClassCount(
                name=name,
                before=sum(one.prompts for one in transitions if one.before == name),
                after=sum(one.prompts for one in transitions if one.after == name),
            )
            for name in BOUNDARIES
        ),
        transitions=tuple(transitions),
    )


def list_prompts(prompts: pl.DataFrame, before: Run, after: Run) -> tuple[PromptChange, ...]:
    """gone, changed, new; the riskiest of each."""
    risk = pl.max_horizontal("risk_before", "risk_after")
    weight = (
        pl.when(pl.col("state") == "changed").then((pl.col("risk_before") - pl.col("risk_after")).abs()).otherwise(risk)
    )
    listed = pl.concat(
        prompts.filter(pl.col("state") == state)
        .sort(weight, "rank_before", "rank_after", "prompt_id", descending=[True, False, False, False], nulls_last=True)
        .head(LISTED)
        for state in ("gone", "changed", "new")
    )
    texts = {"before": _texts(before, listed), "after": _texts(after, listed)}
    elsewhere = {"gone": _elsewhere(after, listed), "new": _elsewhere(before, listed)}
    return tuple(_change(row, texts, elsewhere) for row in listed.iter_rows(named=True))


def _risk_arm(run: Run, side: str) -> pl.LazyFrame:
    rows = PROMPTS.scan(run.path).filter(pl.col("arm") == "risk")
    rows = rows.select("prompt_id", "rank", pl.col("risk").fill_nan(None), "copies").sort("rank")
    return rows.unique("prompt_id", keep="first").rename(
        {name: f"{name}_{side}" for name in ("rank", "risk", "copies")}
    )


def _controls(run: Run) -> pl.LazyFrame:
    return PROMPTS.scan(run.path).filter(pl.col("arm") == "control").select("prompt_id")


def _class_of(risk: pl.Expr) -> pl.Expr:
    """The name of `scanner.prompts.risk_class`; null where there is no risk."""
    named = pl.lit(None, pl.String)
    for name, least in reversed(BOUNDARIES.items()):
        named = pl.when(risk >= least).then(pl.lit(name)).otherwise(named)
    return named


def _rows(frame: pl.LazyFrame) -> int:
    return int(frame.select(pl.len()).collect().item())


def _listed_ids(listed: pl.DataFrame) -> pl.Expr:
    return pl.col("prompt_id").is_in(listed["prompt_id"].implode())


def _texts(run: Run, listed: pl.DataFrame) -> dict[str, dict[str, Any]]:
    """By prompt its caption, reason and sample in the risk arm."""
    rows = PROMPTS.scan(run.path).filter(pl.col("arm") == "risk", _listed_ids(listed))
    frame = rows.select("prompt_id", "caption", "reason", "sample_id").collect()
    return {row["prompt_id"]: row for row in frame.iter_rows(named=True)}


def _elsewhere(run: Run, listed: pl.DataFrame) -> tuple[dict[str, int] | None, set[str]]:
    """By prompt the rows under its caption, None where the run does not say; and those that are controls."""
    controls = set(_controls(run).filter(_listed_ids(listed)).collect()["prompt_id"])
    if not CAPTIONS.exists(run.path):
        return None, controls
    rows = CAPTIONS.scan(run.path).filter(_listed_ids(listed)).select("prompt_id", "rows")
    return dict(rows.collect().iter_rows()), controls


def _change(
    row: Mapping[str, Any],
    texts: Mapping[str, Mapping[str, Mapping[str, Any]]],
    elsewhere: Mapping[str, tuple[dict[str, int] | None, set[str]]],
) -> PromptChange:
    name = row["prompt_id"]
    old, new = (texts[side].get(name, {}) for side in ("before", "after"))
    rows, controls = elsewhere.get(row["state"], (None, set()))
    return PromptChange(
        **{key: row[key] for key in ("state", "prompt_id")},
        **{f"{key}_{side}": row[f"{key}_{side}"] for key in ("rank", "risk", "class", "copies") for side in texts},
        caption=old.get("caption") or new.get("caption") or "",
        reason_before=old.get("reason"),
        reason_after=new.get("reason"),
        rows_elsewhere=None if rows is None else rows.get(name, 0),
        control_elsewhere=name in controls,
        sample_before=old.get("sample_id"),
        sample_after=new.get("sample_id"),
    )
