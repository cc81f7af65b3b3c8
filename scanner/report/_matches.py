"""Pictures of another run in this one (`audit --against`), from the matches table.

>>> count_matches(Run.open(Path("RUN"))).rows                                # doctest: +SKIP
"""

import polars as pl

from scanner.report._audit import clean, sample_refs
from scanner.report._findings import Matches
from scanner.report._method import name_of
from scanner.report._records import Match
from scanner.run import Run
from scanner.tables import MATCHES

LISTED_MATCHES = 60
PART = "against"
"""The part of the run whose configuration names the other run."""


def count_matches(run: Run) -> Matches | None:
    """How much of the other run is in this one; None where nothing was compared."""
    known = run.part_config(PART)
    if known is None or not MATCHES.exists(run.path):
        return None
    looks = dict(MATCHES.scan(run.path).group_by("look").len().sort("look").collect().iter_rows())
    pictures = MATCHES.scan(run.path).select(pl.col("other_sample_id").n_unique()).collect().item()
    return Matches(
        dataset=name_of(known.get("dataset"), "another data set"),
        run=str(known.get("run")),
        other_rows=int(known.get("rows", 0)),
        rows=sum(looks.values()),
        pictures=pictures,
        equal=looks.get("pixels", 0),
        alike=sum(rows for look, rows in looks.items() if look != "pixels"),
    )


def list_matches(run: Run) -> tuple[Match, ...]:
    """The pictures of the other run that most rows show, each with the row most like it."""
    order = (pl.col("look") == "pixels", pl.col("similarity"), pl.col("sample_id"))
    best = (
        MATCHES.scan(run.path)
        .with_columns(rows=pl.len().over("other_sample_id").cast(pl.Int64))
        .sort(*order, descending=[True, True, False])
        .unique("other_sample_id", keep="first", maintain_order=True)
        .sort("rows", "other_sample_id", descending=[True, False])
        .head(LISTED_MATCHES)
        .collect()
    )
    refs = sample_refs(run, best["sample_id"])
    return tuple(Match(sample=refs.get(row.pop("sample_id")), **row) for row in map(clean, best.iter_rows(named=True)))
