"""The rows to drop, under the name that another tool filters by. No list drops a row that is to stay.

A url or a hash may stand on several rows: a tool that drops it drops all of them. So a value that also stands on a row
that stays (the one kept of the group, or any row of another group or of none) is left out of the list, and counted; the
rows under it can be told apart by --by key, by sample_id, or in rewritten shards. Rows of which the data set does not
give the name are left out and counted too. Equal values of dropped rows stand once. Rows that the run did not read have
names that it does not know, and the sentence says so.

>>> listed = drop_list(named(run, "url"), dropped, unread_rows(run))         # doctest: +SKIP
>>> listed.shared                                                            # doctest: +SKIP
12
"""

from dataclasses import dataclass

import polars as pl

from scanner.errors import UnusableInputError
from scanner.exports._counted import counted
from scanner.exports.rows._names import Named
from scanner.exports.rows._text import lines
from scanner.exports.rows._unread import Unread

SUFFIXES = (".parquet", ".txt")
_ONE_ROW = ("key", "sample_id")
"""Names that no two rows share."""


@dataclass(frozen=True, kw_only=True)
class DropList:
    """What a tool that filters by a name is given."""

    named: Named
    """The name."""
    values: pl.DataFrame
    """The values to drop, each once, in the order of the data set."""
    rows: int
    """Rows that are dropped by them."""
    nameless: int
    """Rows to drop of which the name is not known."""
    shared: int
    """Rows to drop whose name also stands on a row that stays."""
    unread: Unread
    """Rows that the run did not read, under whatever name."""

    @property
    def sentence(self) -> str:
        """What is in it and what is not."""
        found = f"{counted(self.rows, 'row')} to drop, by {self.named.sentence}"
        if len(self.values) != self.rows:
            found += f" ({len(self.values):,} different)"
        name = self.named.name
        if self.shared:
            more = counted(self.shared, "more is", "more are")
            found += (
                f"; {more} not in the list, for the {name} also stands on a row that stays: drop them by --by key, or "
                "write --format shards"
            )
        if self.nameless:
            found += f"; {counted(self.nameless, 'more has', 'more have')} no {name}"
        return found + self._remark + "."

    @property
    def _remark(self) -> str:
        """What is not known of rows that the run did not read; a key and a sample_id are no other row's."""
        if self.named.name in _ONE_ROW or not (self.unread.count or self.unread.others):
            return ""
        rows = "some rows" if self.unread.others else counted(self.unread.count, "row")
        return (
            f"; the run did not read {rows} of the data set, and does not know whether a {self.named.name} of the list "
            "also stands there"
        )


def drop_list(named: Named, dropped: pl.Series, unread: Unread) -> DropList:
    """The list for the rows of these sample_ids.

    Raises UnusableInputError when nothing can be listed: no row has the name, or every value also stands on a row that
    stays.
    """
    columns = named.columns
    rows = named.rows.with_columns(goes=pl.col("sample_id").is_in(dropped.implode()))
    known = rows.drop_nulls(columns)
    going, staying = known.filter("goes"), known.filter(~pl.col("goes"))
    listed = going.join(staying.select(columns).unique(), on=columns, how="anti").sort("sample_id")
    nameless, shared = len(dropped) - len(going), len(going) - len(listed)
    if listed.is_empty():
        why = (
            f"no row to drop has a {named.name}"
            if going.is_empty()
            else f"the {named.name} of each stands on rows that stay"
        )
        raise UnusableInputError(f"Nothing can be dropped by {named.name}, for {why}; list the rows with --by key.")
    values = listed.select(columns).unique(maintain_order=True)
    return DropList(named=named, values=values, rows=len(listed), nameless=nameless, shared=shared, unread=unread)


def as_text(listed: DropList) -> bytes:
    """One value a line. Of keys the key alone where the run knows the keys of all rows of the data set, and none stands
    in two shards, else shard and key set apart by a tab. Raises UnusableInputError for a value that a line can't carry.
    """
    values = listed.values
    if listed.named.name == "key" and _are_unique(listed):
        values = values.select("key")
    return lines(values.select(pl.all().cast(pl.String)))


def _are_unique(listed: DropList) -> bool:
    """Whether a key alone names its row among all rows of the data set, those that were not read too."""
    if listed.unread.others:
        return False
    rows = pl.concat([listed.named.rows.select("shard", "key"), listed.unread.keys]).unique()
    return bool(rows["key"].is_unique().all())
