"""The part of a data set that the user wants: by a share of the rows, by a condition, up to a number.

Rows that are set aside are failures of the stage `select`, so that rows in = samples + failures still holds; they are
never decoded. A share is drawn by a hash of the key, so that the same rows are drawn from any copy of the data set, and
a larger share holds the smaller one. A condition sees the columns of the row; where it is unknown (null), the row is
set aside, as in SQL.

    >>> Selected(dataset, Options(where="punsafe < 0.1 AND similarity > 0.3", sample=0.01))    # doctest: +SKIP
"""

import hashlib
import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import polars as pl

from scanner.errors import UnusableInputError
from scanner.samples._around import Around
from scanner.samples._condition import columns_of, holds, parse_condition
from scanner.samples._options import Options
from scanner.samples._sample import Dataset, Failure, Sample, Shard

_BATCH = 256
"""Rows that a condition is evaluated on at once."""
_PEEKED = 100
"""Rows looked at to find out which columns there are."""


class Selected(Around):
    """Some rows of a data set; itself one."""

    def __init__(self, dataset: Dataset, options: Options) -> None:
        """Raises UnusableInputError for a condition that can't be used or columns that are not there."""
        self.dataset, self._options = dataset, options
        if options.sample is not None and not 0 < options.sample <= 1:
            raise UnusableInputError(f"A share of rows lies above 0 and at most at 1, not at {options.sample}.")
        if options.limit is not None and options.limit < 1:
            raise UnusableInputError(f"A limit of {options.limit} rows leaves nothing to read; give at least 1.")
        self._condition = None if options.where is None else parse_condition(options.where)
        self._kinds: dict[str, pl.DataType] = {}
        self._check_columns()
        self._rows = None if options.limit is None else self._count(options.limit)

    @property
    def shards(self) -> tuple[Shard, ...]:
        shards = self.dataset.shards
        return shards if self._rows is None else tuple(shard for shard in shards if shard.name in self._rows)

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        """Every row of the shard, or of its part below the limit, once: rows = samples + failures."""
        chosen = self._chosen(shard)
        return chosen if self._rows is None else itertools.islice(chosen, self._rows[shard.name])

    def _chosen(self, shard: Shard) -> Iterator[Sample | Failure]:
        drawn = map(self._draw, self.dataset.read(shard))
        return drawn if self._condition is None else self._filter(drawn, self._condition)

    def _draw(self, item: Sample | Failure) -> Sample | Failure:
        if self._options.sample is None or isinstance(item, Failure) or position_of(item.key) < self._options.sample:
            return item
        return _aside(item, "sample", f"Not among the share of {self._options.sample:g} that was drawn.")

    def _filter(self, items: Iterable[Sample | Failure], condition: pl.Expr) -> Iterator[Sample | Failure]:
        for batch in _batches(items):
            samples = [item for item in batch if isinstance(item, Sample)]
            passed = iter(_holds(condition, [sample.fields for sample in samples], self._kinds))
            for item in batch:
                if isinstance(item, Failure) or next(passed):
                    yield item
                else:
                    yield _aside(item, "where", f"The condition {self._options.where} does not hold for it.")

    def _count(self, limit: int) -> dict[str, int]:
        """Rows to read of each shard, set-aside ones among them: read once here, since a limit is for a first look."""
        rows: dict[str, int] = {}
        for shard in self.dataset.shards:
            if limit <= 0:
                break
            rows[shard.name] = 0
            for item in self._chosen(shard):
                rows[shard.name] += 1
                limit -= isinstance(item, Sample) or (item.stage != "select" and item.key != "")
                if limit <= 0:
                    break
        return rows

    def _check_columns(self) -> None:
        """Every column that the user names must stand in one of the first rows."""
        if "sample_id" in self._options.carry:
            raise UnusableInputError(
                "sample_id is the scanner's own name of a row, so that --carry can't take it along."
            )
        named = self._options.columns.named()
        wanted = [(f"--{role}-column", name) for role, name in named.items() if role != "image"]
        wanted += [("--carry", name) for name in self._options.carry]
        if self._condition is not None:
            wanted += [("--where", name) for name in columns_of(self._condition)]
        if not wanted and self._condition is None:
            return
        first = self._first_rows()
        found = {name for row in first for name in row}
        for option, name in wanted:
            if name not in found:
                there = " ".join(sorted(found)) or "no columns"
                raise UnusableInputError(f"{option} names the column {name}, which is not there; found {there}.")
        if self._condition is not None:
            asked = (
                pl.Series(name, [row.get(name) for row in first], strict=False) for name in columns_of(self._condition)
            )
            self._kinds = {column.name: column.dtype for column in asked if column.dtype != pl.Null}
            _holds(self._condition, first, self._kinds)  # says what is wrong with it before anything is written

    def _first_rows(self) -> list[dict[str, Any]]:
        items = itertools.chain.from_iterable(map(self.dataset.read, self.dataset.shards))
        samples = (item for item in items if isinstance(item, Sample))
        return [sample.fields for sample in itertools.islice(samples, _PEEKED)]


def _batches(items: Iterable[Sample | Failure]) -> Iterator[list[Sample | Failure]]:
    items = iter(items)
    while batch := list(itertools.islice(items, _BATCH)):
        yield batch


def position_of(key: str) -> float:
    """Where a key lies in [0, 1), evenly and for good."""
    return int.from_bytes(hashlib.sha256(key.encode()).digest()[:6], "big") / 2**48


def _aside(sample: Sample, reason: str, message: str) -> Failure:
    return Failure(shard=sample.shard, key=sample.key, stage="select", reason=reason, message=message)


def _columns(condition: pl.Expr, rows: Sequence[Mapping[str, Any]]) -> list[pl.Series]:
    return [pl.Series(name, [row.get(name) for row in rows], strict=False) for name in columns_of(condition)]


def _holds(condition: pl.Expr, rows: Sequence[Mapping[str, Any]], kinds: Mapping[str, pl.DataType]) -> list[bool]:
    """Whether the condition holds for each row; a column that is null in all of them has the type it has elsewhere."""
    columns = _columns(condition, rows)
    typed = [column.cast(kinds[column.name]) if _is_blank(column, kinds) else column for column in columns]
    return holds(condition, typed, len(rows)).to_list()


def _is_blank(column: pl.Series, kinds: Mapping[str, pl.DataType]) -> bool:
    return column.dtype == pl.Null and column.name in kinds
