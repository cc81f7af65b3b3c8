"""The prompts of a run with what the attack did to them and what the truth says of them.

One row a prompt: `tried`, `attacked`, `verdict` and `verified` of the attack; `copies`, `planted` and `picture` of the
truth (null where it has no picture under the caption), and `right_picture`, whether the original that a verified prompt
gave back shows such a picture. Where the truth has several pictures under one caption, the one of most copies counts.
`template` is the layout that pictures under the caption are variants of, and `right_template` whether the original is
one of them.
"""

import polars as pl

from scanner.run import Run
from scanner.tables import CANDIDATES, HITS, MEMBERS, PROMPTS, VERIFIED


def captioned(rows: pl.DataFrame) -> pl.DataFrame:
    """Distinct (prompt_id, picture, copies, planted, template) of joined rows: the pictures under a caption."""
    caption = pl.coalesce("caption_id", "row_caption_id")
    return rows.select("picture", "copies", "planted", "template", prompt_id=caption).drop_nulls("prompt_id").unique()


def with_pictures(rows: pl.DataFrame, run: Run) -> pl.DataFrame:
    """Joined rows with their duplicate `group_id`, and a `picture` where the truth names none: the group, or the row
    alone."""
    grouped = rows.join(run.read(MEMBERS).select("sample_id", "group_id"), on="sample_id", how="left")
    alone = pl.format("{} {}", pl.col("shard").fill_null(""), "key")
    return grouped.with_columns(picture=pl.coalesce("picture", pl.format("group {}", "group_id"), alone))


def shown_by(rows: pl.DataFrame, run: Run) -> pl.DataFrame:
    """sample_id → `shown`, the picture of the truth that a row of the run shows: as the truth says, or as the rest of
    its group does."""
    told = rows.drop_nulls("sample_id").select("sample_id", shown="picture")
    of_group = rows.drop_nulls("group_id").group_by("group_id").agg(shown=pl.col("picture").mode().sort().first())
    others = run.read(MEMBERS).select("sample_id", "group_id").join(told, on="sample_id", how="anti")
    return pl.concat([told, others.join(of_group, on="group_id").select("sample_id", "shown")])


def prompts_of(run: Run, pictures: pl.DataFrame, shown: pl.DataFrame) -> pl.DataFrame:
    """The table; `pictures` are those under a caption, `shown` those of the rows."""
    prompts = run.read(PROMPTS).select("prompt_id", "rank", "arm", "caption", "risk", "sample_id")
    attack = run.part_config("attack")
    limit = {arm: (attack[name] if attack else 0) for arm, name in (("risk", "prompts"), ("control", "control"))}
    attacked = run.read(CANDIDATES).select("prompt_id", "decision")
    hits = run.read(HITS).select("prompt_id", "verdict", hit="sample_id")
    best = pictures.drop("template").sort("copies", "picture", descending=[True, False])
    best = best.unique("prompt_id", keep="first")
    of_template = pl.col("template").is_not_null()
    under = pictures.group_by("prompt_id").agg(
        pl.col("template").drop_nulls().mode().sort().first(),
        under="picture",
        variants=pl.col("picture").filter(of_template),
    )
    frame = prompts.with_columns(tried=pl.col("rank") <= pl.col("arm").replace_strict(limit, return_dtype=pl.Int64))
    for other in (attacked, hits, best, under):
        frame = frame.join(other, on="prompt_id", how="left")
    frame = frame.join(shown, left_on="hit", right_on="sample_id", how="left")
    return (
        frame.with_columns(
            attacked=pl.col("decision").is_not_null(),
            verified=pl.col("verdict").is_in(VERIFIED).fill_null(False),
        )
        .with_columns(
            right_picture=(pl.col("verified") & pl.col("under").list.contains(pl.col("shown"))).fill_null(False),
            right_template=(pl.col("verified") & pl.col("variants").list.contains(pl.col("shown"))).fill_null(False),
        )
        .drop("decision", "under", "variants")
        .sort(pl.col("arm") != "risk", "rank")
    )
