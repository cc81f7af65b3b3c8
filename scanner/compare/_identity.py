"""How a row of one run is known again in the other, since sample ids mean nothing outside their own run.

By its decoded pixels where both runs have pictures; by its url where there are none, or where the pictures were stored
anew (another size, another JPEG) and urls know far more rows again; else by its key, with its shard where keys repeat.
A value stands as a 64-bit hash: among 10 million different ones the chance of any collision is 3 in a million.

    >>> contents(run, "pixels").collect().columns                                # doctest: +SKIP
    ['sample_id', 'content']
"""

from collections.abc import Mapping, Sequence

import polars as pl

from scanner.compare._records import Identity
from scanner.run import Run
from scanner.tables import SAMPLES

VALUES: Mapping[str, pl.Expr] = {
    "pixels": pl.col("pixel_sha256"),
    "url": pl.when(pl.col("url") != "").then(pl.col("url")),
    "key": pl.col("key"),
    "row": pl.concat_str("shard", pl.lit("\0"), "key"),
}
"""By identity, what a row is known by; null where it has none."""
MOSTLY = 0.5
"""Share of the rows of both runs that must have a value for groups to be matched by it."""
FAR_MORE = 2
"""Urls are believed over pixels where they know more than so many times as many rows again."""


def contents(run: Run, identity: str) -> pl.LazyFrame:
    """Every row's `sample_id` and `content`, the hash of its value; rows without one are left out."""
    value = VALUES[identity]
    return SAMPLES.scan(run.path).filter(value.is_not_null()).select("sample_id", content=value.hash())


def rows_by_content(run: Run, identity: str) -> pl.LazyFrame:
    """Every `content` of a run once, with its `rows`."""
    return contents(run, identity).group_by("content").agg(rows=pl.len())


def count_identities(before: Run, after: Run) -> tuple[Identity, ...]:
    """Rows gone and new by pixels, url and key, each where both runs have it; by shard and key where keys repeat."""
    found = [_count(before, after, name) for name in ("pixels", "url", "key")]
    keys = found[-1]
    if keys.known_before > keys.distinct_before or keys.known_after > keys.distinct_after:
        found[-1] = _count(before, after, "row")
    return tuple(one for one in found if one.known_before and one.known_after)


def choose(identities: Sequence[Identity], rows_before: int, rows_after: int) -> str:
    """The identity that groups are matched by. `identities` are those of `count_identities`."""
    mostly = {
        one.name: one
        for one in identities
        if one.known_before >= MOSTLY * rows_before and one.known_after >= MOSTLY * rows_after
    }
    pixels, url = mostly.get("pixels"), mostly.get("url")
    if pixels and not (url and _known_again(url) > FAR_MORE * _known_again(pixels)):
        return "pixels"
    return "url" if url else identities[-1].name if identities else "row"


def _known_again(identity: Identity) -> int:
    """Rows of A that are known again in B."""
    return identity.known_before - identity.rows_gone


def _count(before: Run, after: Run, name: str) -> Identity:
    old, new = (rows_by_content(run, name).collect(engine="streaming") for run in (before, after))
    both = old.join(new, on="content", suffix="_after").select(
        pl.len().alias("values"),
        old=pl.col("rows").sum(),
        new=pl.col("rows_after").sum(),
        fewer=_surplus("rows", "rows_after"),
        more=_surplus("rows_after", "rows"),
    )
    shared = {key: int(value or 0) for key, value in both.row(0, named=True).items()}
    known_before, known_after = int(old["rows"].sum()), int(new["rows"].sum())
    return Identity(
        name=name,
        known_before=known_before,
        known_after=known_after,
        distinct_before=old.height,
        distinct_after=new.height,
        both=shared["values"],
        gone=old.height - shared["values"],
        new=new.height - shared["values"],
        rows_gone=known_before - shared["old"],
        rows_new=known_after - shared["new"],
        copies_gone=shared["fewer"],
        copies_new=shared["more"],
    )


def _surplus(more: str, less: str) -> pl.Expr:
    """What one column has more than the other, summed where it has more."""
    difference = pl.col(more).cast(pl.Int64) - pl.col(less).cast(pl.Int64)
    return difference.clip(lower_bound=0).sum()
