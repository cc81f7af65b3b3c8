"""The rows to drop, under the name that another tool filters by. No list drops a row that is to stay.

A url or a hash may stand on several rows: a tool that drops it drops all of them. So a value that also stands on a row
that stays (the one kept of the group, or any row of another group or of none) is left out of the list, and counted; the
rows under it can be told apart by --by key, by sample_id, or in rewritten shards. Rows of which the data set does not
give the name are left out and counted too. Equal values of dropped rows stand once.

>>> listed = drop_list(named(run, "url"), dropped)                           # doctest: +SKIP
>>> listed.shared                                                            # doctest: +SKIP
12
"""

from dataclasses import dataclass

import polars as pl

from scanner.errors import UnusableInputError
from scanner.exports.rows._names import Named
from scanner.exports.rows._text import lines

SUFFIXES = (".parquet", ".txt")


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

    @property
    def sentence(self) -> str:
        """What is in it and what is not."""
        found = f"{self.rows:,} rows to drop, by {self.named.sentence}"
        if len(self.values) != self.rows:
            found += f" ({len(self.values):,} different)"
        name = self.named.name
        if self.shared:
            found += (
                f"; {self.shared:,} more are not in the list, for their {name} also stands on a row that stays: drop "
                "them by --by key, or write --format shards"
            )
        if self.nameless:
            found += f"; {self.nameless:,} more have no {name}"
        return found + "."


def drop_list(named: Named, dropped: pl.Series) -> DropList:
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
    return DropList(named=named, values=values, rows=len(listed), nameless=nameless, shared=shared)


def as_text(listed: DropList, *, bare_keys: bool) -> bytes:
    """One value a line. Of keys the key alone with `bare_keys`, which needs that no key of the data set stands in two
    shards, rows that were not read among them; else shard and key set apart by a tab. Raises UnusableInputError for a
    value that a line can't carry."""
    values = listed.values
    if listed.named.name == "key" and bare_keys:
        values = values.select("key")
    return lines(values.select(pl.all().cast(pl.String)))
