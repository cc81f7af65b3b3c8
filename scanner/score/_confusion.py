"""Verdicts against the truth, prompt by prompt.

A prompt is of a layout (its pictures are variants), planted twice or more, planted once, never planted (a twin), or not
in the truth: a truth of canaries knows the planted rows alone, so that the user's own captions, and controls drawn from
them, are of the last kind.
"""

import polars as pl

from scanner.score._model import Confused
from scanner.score._verdicts import of_layouts

KINDS = {
    "a layout's variants": of_layouts(),
    "planted twice or more": pl.col("planted") & (pl.col("copies") >= 2),
    "planted once": pl.col("planted") & (pl.col("copies") <= 1),
    "never planted": ~pl.col("planted"),
    "not in the truth": pl.col("planted").is_null(),
}
"""Kinds of prompts in truth; each prompt is of the first that holds."""


def confusion(prompts: pl.DataFrame) -> tuple[Confused, ...]:
    """The tried prompts of `prompts_of` by kind; kinds without a prompt are left out."""
    tried = prompts.filter("tried")
    first = tried.with_columns(kind=pl.coalesce(pl.when(of_kind).then(pl.lit(kind)) for kind, of_kind in KINDS.items()))
    counted = (_counted(name, first.filter(pl.col("kind") == name)) for name in KINDS)
    return tuple(one for one, some in counted if some)


def _counted(name: str, prompts: pl.DataFrame) -> tuple[Confused, bool]:
    verdict = pl.when("attacked").then(pl.col("verdict").fill_null("none")).otherwise(pl.lit("not_attacked"))
    found = dict(prompts.select(verdict=verdict).group_by("verdict").len().iter_rows())
    names = ("matching", "template", "retrieved", "none", "not_attacked")
    counts = {verdict: int(found.get(verdict, 0)) for verdict in names}
    return Confused(truth=name, right_picture=int(prompts["right_picture"].sum()), **counts), prompts.height > 0
