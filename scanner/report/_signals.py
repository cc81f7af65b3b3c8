"""What the data say about the listed pictures: each value with its source and the rows of the group that say so.

Rows of a group may say different things, and that is part of the finding: of each source the most frequent values are
listed, with their rows, and how many others there are. Scores that are numbers are given as their range.

    >>> said = Said(run, groups=[7], samples=[12])                               # doctest: +SKIP
    >>> said.of_group(7)[0].value                                                # doctest: +SKIP
    'cc-by 2.0'
"""

from collections.abc import Iterable

import polars as pl

from scanner.report._findings import SignalCount, Signals
from scanner.report._records import SignalValue
from scanner.run import Run
from scanner.signals import KINDS, host_of
from scanner.tables import ERRORS, MEMBERS, SAMPLES, SIGNALS

VALUES = 3
"""Most values of one source that are listed."""
_RANGES = ("nsfw", "watermark")
_REFUSED = "X-Robots-Tag"
"""In img2dataset's message of an image that it did not keep: `Use of image disallowed by X-Robots-Tag directive`."""
_GROUP, _ROW = 0, 1


class Said:
    """Signals of some groups, all their rows together, and of some rows that are in none."""

    def __init__(self, run: Run, *, groups: Iterable[int], samples: Iterable[int]) -> None:
        members = MEMBERS.scan(run.path).filter(pl.col("group_id").is_in(sorted(set(groups))))
        grouped = members.select("sample_id", unit="group_id", of=pl.lit(_GROUP)).collect()
        alone = pl.DataFrame({"sample_id": sorted(set(samples))}, schema={"sample_id": pl.Int64})
        rows = pl.concat([grouped, alone.with_columns(unit="sample_id", of=pl.lit(_ROW))])
        self._values = _values(rows.join(_signals(run, rows), on="sample_id"))

    def of_group(self, group_id: int) -> tuple[SignalValue, ...]:
        """Of a duplicate group."""
        return self._values.get((_GROUP, group_id), ())

    def of_row(self, sample_id: int) -> tuple[SignalValue, ...]:
        """Of a row alone."""
        return self._values.get((_ROW, sample_id), ())


def _signals(run: Run, rows: pl.DataFrame) -> pl.DataFrame:
    """The stored signals of these rows, and the hosts of their urls."""
    wanted = rows.lazy().select("sample_id").unique()
    columns = ("sample_id", "kind", "source", "value", "whole")
    stored = SIGNALS.scan(run.path).select(columns).join(wanted, on="sample_id", how="semi").collect()
    urls = SAMPLES.scan(run.path).select("sample_id", "url").join(wanted, on="sample_id", how="semi").collect()
    hosts = pl.Series("value", [_host(url) for url in urls["url"]], pl.String)
    of_urls = urls.select("sample_id", kind=pl.lit("host"), source=pl.lit("url"), value=hosts)
    return pl.concat([stored, of_urls.filter(pl.col("value").is_not_null())], how="diagonal").unique()


def _host(url: str | None) -> str | None:
    host = host_of(url)
    return None if host is None else host[:253]  # the longest that there is


def _values(signals: pl.DataFrame) -> dict[tuple[int, int], tuple[SignalValue, ...]]:
    """By unit, in the order of the kinds; of a source the values of most rows first."""
    keys = ("of", "unit", "kind", "source")
    number = pl.col("value").cast(pl.Float64, strict=False)
    ranged = pl.col("kind").is_in(_RANGES) & number.is_not_null().all().over(keys)
    one_range = pl.when(number.min().over(keys) == number.max().over(keys)).then(pl.col("value").first().over(keys))
    range_of = one_range.otherwise(pl.format("{} to {}", number.min().over(keys), number.max().over(keys)))
    merged = signals.with_columns(value=pl.when(ranged).then(range_of).otherwise(pl.col("value")))
    counted = merged.group_by(*keys, "value").agg(pl.col("sample_id").n_unique().alias("rows"), pl.col("whole").max())
    order = pl.col("kind").replace_strict({kind: i for i, kind in enumerate(KINDS)}, default=len(KINDS))
    counted = counted.with_columns(order=order, others=(pl.len().cast(pl.Int64).over(keys) - VALUES).clip(0))
    listed = counted.sort("of", "unit", "order", "source", -pl.col("rows").cast(pl.Int64), "value")
    found: dict[tuple[int, int], tuple[SignalValue, ...]] = {}
    for row in listed.group_by(keys, maintain_order=True).head(VALUES).iter_rows(named=True):
        unit = (row["of"], row["unit"])
        value = SignalValue(
            **{name: row[name] for name in ("kind", "source", "value", "whole", "rows", "others")},
            name=KINDS.get(row["kind"], row["kind"]),
        )
        found[unit] = (*found.get(unit, ()), value)
    return found


def count_signals(run: Run) -> Signals:
    """What is said of the duplicate groups as a whole, by kind; hosts aside, which every url has."""
    parts = {path.stem for path in SAMPLES.parts(run.path)}
    members = MEMBERS.scan(run.path).select("sample_id", "group_id")
    counted = (
        SIGNALS.scan(run.path)
        .select("sample_id", "kind")
        .join(members, on="sample_id")
        .group_by("kind")
        .agg(pl.col("group_id").n_unique().alias("groups"), pl.col("sample_id").n_unique().alias("rows"))
        .collect()
    )
    counts = {row["kind"]: row for row in counted.iter_rows(named=True)}
    refused = ERRORS.scan(run.path).filter(pl.col("message").str.contains(_REFUSED, literal=True)).select(pl.len())
    return Signals(
        recorded=bool(parts) and parts <= {path.stem for path in SIGNALS.parts(run.path)},
        refused=int(refused.collect().item()),
        by_kind=tuple(SignalCount(**counts[kind], name=name) for kind, name in KINDS.items() if kind in counts),
    )
