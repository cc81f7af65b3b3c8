"""Which pictures the data say show people, or what not everybody wants to see: a blurred page keeps these longest.

A row counts when any copy of its picture does: copies of one picture often come from places of which one says it. What
no column and no detector says is not known, and never taken for harmless.

    >>> sensitive(Run.open(Path("RUN")), {17, 40})                               # doctest: +SKIP
    {40}
"""

import polars as pl

from scanner.run import Run
from scanner.tables import MEMBERS, SIGNALS

NSFW_FROM = 0.1
"""NSFW score from which a picture counts: the conservative threshold that Stable Diffusion 2 was filtered with (its
model card: punsafe 0.1)."""
HARMLESS = ("unlikely", "safe", "sfw", "neutral", "false", "no")
"""Words of NSFW columns that clear a picture (LAION writes UNLIKELY, UNSURE, NSFW); any other word does not."""


def sensitive(run: Run, wanted: set[int]) -> set[int]:
    """Of these rows, those whose picture shows faces, names a person or is NSFW, as the data of any copy say."""
    rows = pl.DataFrame({"sample_id": sorted(wanted)}, schema={"sample_id": pl.Int64})
    members = MEMBERS.scan(run.path).select("sample_id", "group_id")
    grouped = rows.lazy().join(members, on="sample_id").select("group_id", row="sample_id")
    copies = grouped.join(members, on="group_id").select("sample_id", "row").collect()
    themselves = rows.select("sample_id", row="sample_id")
    asked = pl.concat([copies, themselves])
    said = SIGNALS.scan(run.path).filter(_says()).select("sample_id").unique().collect()
    return set(asked.join(said, on="sample_id", how="semi")["row"])


def _says() -> pl.Expr:
    """Whether a signal says it. A number of faces that is no number counts: somebody wrote something down."""
    kind, value = pl.col("kind"), pl.col("value")
    number = value.cast(pl.Float64, strict=False)
    faces = (kind == "faces") & (number.is_null() | (number > 0))
    word = number.is_null() & value.str.to_lowercase().is_in(HARMLESS).not_()
    return faces | (kind == "person") | ((kind == "nsfw") & (word | (number >= NSFW_FROM)))
