"""Precision and recall of each verdict against the truth, with exact intervals.

A verdict is right when the picture that it names was planted twice or more; `matching` says besides that the picture
stands under the prompt's caption. A twin, which was never trained on, and a picture planted once make it wrong: they
are what the control arm is made of. `template` is right when it names a variant of the layout under the prompt's
caption, or a picture planted twice or more; its recall is over the captions of layouts, and all other recalls leave
these out: of a layout's variants each is planted once. Where the truth does not know the picture (the user's own rows
beside canaries), nobody can say, and the prompt is left out of the precision and counted as not known.
"""

import polars as pl

from scanner.report import rate
from scanner.score._model import ErrorRates
from scanner.tables import VERIFIED

ANY = "any"
"""All verdicts that count as a hit, together."""


def error_rates(prompts: pl.DataFrame, pictures: pl.DataFrame, memorised_from: int) -> tuple[ErrorRates, ...]:
    """Of each verdict and of all together, over attacked prompts; `prompts` is `prompts_of`, `pictures` is
    `pictures_of`."""
    planted = pictures.select("picture", several=pl.col("planted") & (pl.col("copies") >= 2))
    judged = prompts.filter("attacked").join(planted, left_on="shown", right_on="picture", how="left")
    right = pl.col("several") & (pl.col("right_picture") | (pl.col("verdict") != "matching"))
    right |= (pl.col("verdict") == "template") & pl.col("right_template")
    judged = judged.with_columns(right=pl.when(pl.col("several").is_not_null()).then(right))
    copied, layouts, negative = positives(memorised_from), of_layouts(), negatives()
    to_find = {"template": layouts, ANY: copied | layouts}
    return tuple(
        _rates(
            verdict,
            judged.with_columns(given=pl.col("verified") & ((pl.col("verdict") == verdict) | (verdict == ANY))),
            to_find.get(verdict, copied),
            negative,
        )
        for verdict in (*VERIFIED, ANY)
    )


def positives(memorised_from: int) -> pl.Expr:
    """Prompts whose picture was planted so often that the attack should find it."""
    return (pl.col("planted") & (pl.col("copies") >= memorised_from)).fill_null(False)


def of_layouts() -> pl.Expr:
    """Prompts under whose caption the variants of a layout were planted."""
    return pl.col("template").is_not_null()


def negatives() -> pl.Expr:
    """Prompts whose picture was planted once at most, or never; controls that the truth does not know among them, and
    captions of layouts not."""
    once = pl.col("copies").fill_null(0) <= 1
    return once & ~of_layouts() & (pl.col("copies").is_not_null() | (pl.col("arm") == "control"))


def _rates(verdict: str, judged: pl.DataFrame, positive: pl.Expr, negative: pl.Expr) -> ErrorRates:
    given = judged.filter("given")
    known = given.filter(pl.col("right").is_not_null())
    to_find, innocent = judged.filter(positive), judged.filter(negative)
    found = to_find.filter(pl.col("given") & pl.col("right").fill_null(False)).height
    return ErrorRates(
        verdict=verdict,
        given=given.height,
        not_known=given.height - known.height,
        precision=rate(int(known["right"].sum()), known.height),
        recall=rate(found, to_find.height),
        false_positives=rate(int(innocent["given"].sum()), innocent.height),
    )
