"""What became of every picture of the truth: read, grouped, made a prompt, tried, attacked, given back.

A picture that is lost at one step is a miss of the chain, also where the attack never saw it. A picture of one copy is
in no group, and is tried only where it was drawn as a control.
"""

import polars as pl

from scanner.report import rate
from scanner.score._model import Funnel
from scanner.score._ranges import ranges

STEPS = ("read", "grouped", "prompted", "tried", "attacked", "verified")
"""In their order; a picture's `lost` is the first that it did not reach."""


def pictures_of(rows: pl.DataFrame, links: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """A row a picture: `copies`, `planted`, `twin_of`, `caption`, `rows` of the truth, `rows_read`, the steps that it
    reached, its best prompt and that one's verdict, and `lost`.

    `rows` are joined, `links` say which pictures stand under which prompt_id, `prompts` is `prompts_of`.
    """
    sizes = rows.drop_nulls("group_id").group_by("picture", "group_id").len()
    sizes = sizes.group_by("picture").agg(largest=pl.col("len").max())
    pictures = rows.group_by("picture").agg(
        copies=pl.col("copies").max(),
        planted=pl.col("planted").any(),
        twin_of=pl.col("twin_of").first(),
        caption=pl.col("caption").drop_nulls().first(),
        rows=pl.len(),
        rows_read=pl.col("sample_id").count(),
    )
    asked = _asked(links, prompts)
    given = prompts.filter("verified").group_by(picture="shown").agg(verified=pl.lit(True))
    pictures = pictures.join(sizes, on="picture", how="left").join(asked, on="picture", how="left")
    pictures = pictures.join(given, on="picture", how="left").with_columns(
        read=pl.col("rows_read") > 0, grouped=pl.col("largest").fill_null(0) > 1
    )
    steps = [pl.col(step).fill_null(False) for step in STEPS]
    return pictures.with_columns(steps).with_columns(lost=_lost()).drop("largest").sort("copies", "picture")


def _asked(links: pl.DataFrame, prompts: pl.DataFrame) -> pl.DataFrame:
    """Of each picture's prompts: how far any came, and the best: one that was verified, or the riskiest."""
    asked = links.select("picture", "prompt_id").join(
        prompts.select("prompt_id", "arm", "rank", "tried", "attacked", "verdict", "verified"), on="prompt_id"
    )
    best = asked.sort("picture", ~pl.col("verified"), pl.col("arm") != "risk", "rank").unique("picture", keep="first")
    steps = asked.group_by("picture").agg(
        prompted=pl.lit(True), tried=pl.col("tried").any(), attacked=pl.col("attacked").any()
    )
    return best.select("picture", "prompt_id", "arm", "rank", "verdict").join(steps, on="picture")


def _lost() -> pl.Expr:
    """The first step that a picture did not reach; null for one that was given back."""
    applies = {"grouped": pl.col("rows") > 1}
    first = (pl.when(~pl.col(step) & applies.get(step, True)).then(pl.lit(step)) for step in STEPS)
    return pl.when(~pl.col("verified")).then(pl.coalesce(*first))


def funnel(pictures: pl.DataFrame) -> tuple[Funnel, ...]:
    """Planted pictures by copies, fewest first."""
    planted = pictures.filter("planted")
    return tuple(counted(name, planted.filter(inside)) for name, inside in ranges(planted["copies"]))


def counted(name: str, pictures: pl.DataFrame) -> Funnel:
    """How many of some pictures reached each step."""
    reached = {step: int(pictures[step].sum()) for step in STEPS}
    kept = int((pictures["verified"] & pictures["attacked"]).sum())
    return Funnel(
        name=name,
        pictures=pictures.height,
        recall=rate(reached["verified"], pictures.height),
        attack_recall=rate(kept, reached["attacked"]),
        **reached,
    )
