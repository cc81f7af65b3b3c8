"""The rows of a data set that a run does not know the urls and hashes of: those in its ledger, and those in no table.

In the ledger stand rows that could not be read and rows that --where or --sample set aside, with their keys. In no
table stand the rows behind --limit, those of a shard that could not be opened, and those behind a cut in a tar.

>>> unread_rows(run).count                                                   # doctest: +SKIP
12
"""

from dataclasses import dataclass

import polars as pl

from scanner.run import Run
from scanner.tables import ERRORS, FILES, SHARDS


@dataclass(frozen=True, kw_only=True)
class Unread:
    """What a run did not read."""

    keys: pl.DataFrame
    """`shard, key` of the rows in the ledger."""
    others: bool
    """Whether there may be rows of which not even the keys are known."""

    @property
    def count(self) -> int:
        """Rows in the ledger."""
        return len(self.keys)


def unread_rows(run: Run) -> Unread:
    """What this run did not read."""
    keys = ERRORS.scan(run.path).filter((pl.col("key") != "") & (pl.col("reason") != "duplicate_key"))
    cut = _cut(run).height > 0
    others = cut or run.config.get("limit") is not None or bool(lost_shards(run))
    return Unread(keys=keys.select("shard", "key").collect(), others=others)


def lost_shards(run: Run) -> list[str]:
    """Names of the shards of which no row could be read, not even its key: those that could not be opened, and tars
    that are damaged from their beginning."""
    read = SHARDS.read(run.path)
    empty = read.filter(pl.col("read") + pl.col("set_aside") + pl.col("failed") == 0).join(
        _cut(run), on="shard", how="semi"
    )
    missing = FILES.scan(run.path).select("shard").unique().collect().join(read, on="shard", how="anti")
    return sorted([*missing["shard"], *empty["shard"]])


def _cut(run: Run) -> pl.DataFrame:
    """`shard` of those whose end could not be read."""
    return ERRORS.scan(run.path).filter(pl.col("reason") == "truncated_shard").select("shard").unique().collect()
