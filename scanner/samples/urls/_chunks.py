"""The rows of a list of URLs in chunks, each to be downloaded, resumed and stored as one.

A chunk has the rows to download and the ledger of those that are not: set aside by the user, unreadable, or without
an address. It holds rows of one file, and its shard is named after that: `part-0`, or `part-0:0`, `part-0:1` where
the file fills several.

    >>> for chunk in choose(urls, Options(where="punsafe < 0.1"), 10_000): print(len(chunk.rows))  # doctest: +SKIP
"""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass

import polars as pl

from scanner.samples._options import Options
from scanner.samples.urls._choose import ASIDE, KEY, NUMBER, REASON, URL, Judged, judge
from scanner.samples.urls._find import ListedFile, UrlList

LEDGER_ROWS = 1_000_000
"""Rows of a chunk's ledger that end it, so that a small share of a long list does not wait in memory."""
LEDGER = pl.Schema({"key": pl.String, "stage": pl.String, "reason": pl.String, "message": pl.String})
"""Columns of a chunk's ledger; the key is empty where it is no single row that is meant."""

_SIZES = {"width", "height", "original_width", "original_height"}
_RESERVED = {"caption", "error_message", "exif", "key", "status", "url", "md5", "sha256", "sha512", KEY} | _SIZES
"""Columns that img2dataset writes and refuses to carry through, and our own."""


@dataclass(frozen=True, kw_only=True)
class Chunk:
    """Rows of one file that are downloaded together."""

    file: ListedFile
    """The file."""
    rows: pl.DataFrame
    """Rows to be downloaded: `row_key`, `url`, `caption`, and the file's other columns under their `stored_name`."""
    ledger: pl.DataFrame
    """Rows that are not."""


def choose(urls: UrlList, options: Options, rows: int) -> Iterator[Chunk]:
    """The list, up to the limit, in chunks of at most `rows` rows to download."""
    for file, parts in itertools.groupby(judge(urls, options), key=lambda part: part.file):
        chunks = _Chunks(file, rows)
        for part in parts:
            yield from chunks.add(_chosen(part), _left_out(part, options))
        yield from chunks.last()


def stored_name(column: str) -> str:
    """The name of a file's column among a chunk's rows: `list_width` where `width` is img2dataset's own."""
    return f"list_{column}" if column in _RESERVED or column.startswith("list_") else column


def given_name(stored: str) -> str:
    """The file's own name of a stored column."""
    return stored.removeprefix("list_")


class _Chunks:
    """Puts the rows of a file together."""

    def __init__(self, file: ListedFile, rows: int) -> None:
        self._file, self._most = file, rows
        self._begin()

    def _begin(self) -> None:
        self._rows: list[pl.DataFrame] = []
        self._ledger: list[pl.DataFrame] = []
        self._count = self._aside = 0

    def add(self, rows: pl.DataFrame, ledger: pl.DataFrame) -> Iterator[Chunk]:
        """Take in the next rows; gives the chunks that they fill."""
        while self._count + len(rows) >= self._most:
            until = pl.col(NUMBER) <= rows[NUMBER][self._most - self._count - 1]
            self._take(rows.filter(until), ledger.filter(until))
            rows, ledger = rows.filter(~until), ledger.filter(~until)
            yield from self.last()
        self._take(rows, ledger)
        if self._aside >= LEDGER_ROWS:
            yield from self.last()

    def last(self) -> Iterator[Chunk]:
        """What was taken in since the last chunk, if anything."""
        if self._count or self._aside:
            rows, ledger = _first_of_each_key(pl.concat(self._rows, how="diagonal_relaxed"), pl.concat(self._ledger))
            yield Chunk(file=self._file, rows=rows.drop(NUMBER), ledger=ledger.drop(NUMBER))
        self._begin()

    def _take(self, rows: pl.DataFrame, ledger: pl.DataFrame) -> None:
        self._rows.append(rows)
        self._ledger.append(ledger)
        self._count, self._aside = self._count + len(rows), self._aside + len(ledger)


def _first_of_each_key(rows: pl.DataFrame, ledger: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Rows whose key an earlier row of the chunk has go to the ledger: there would be no telling them apart."""
    keyed = ledger.filter(pl.col("key") != "").select(NUMBER, "key")
    keys = pl.concat([rows.select(NUMBER, key=KEY), keyed]).sort(NUMBER)
    again = pl.col(NUMBER).is_in(keys.filter(~pl.col("key").is_first_distinct())[NUMBER].implode())
    twice = rows.filter(again).select(
        NUMBER,
        pl.col(KEY).alias("key"),
        stage=pl.lit("read"),
        reason=pl.lit("duplicate_key"),
        message=pl.format("Row {} has the key of a row before it.", NUMBER),
    )
    return rows.filter(~again), pl.concat([ledger, twice]).sort(NUMBER, maintain_order=True)


def _chosen(part: Judged) -> pl.DataFrame:
    wanted = part.marks[REASON].is_null()
    marks = part.marks.drop(REASON).filter(wanted)
    roles = {part.file.url}
    if part.frame.schema.get(part.file.caption or "") == pl.String:
        roles.add(part.file.caption or "")
    others = [name for name in part.frame.columns if name not in roles]
    if not others:
        return marks
    frame = part.frame.filter(wanted)
    return marks.with_columns(
        frame.select(_storable(name, frame.schema[name]).alias(stored_name(name)) for name in others)
    )


def _left_out(part: Judged, options: Options) -> pl.DataFrame:
    marks = part.marks.filter(pl.col(REASON).is_not_null())
    says = {
        "sample": f"Not among the share of {options.sample} that was drawn.",
        "where": f"The condition {options.where} does not hold for it.",
        "no_url": "There is no address to download the image from.",
    }
    address = pl.format("The address {} is none of http or https.", pl.col(URL).str.slice(0, 200))
    rows = marks.select(
        NUMBER,
        pl.col(KEY).alias("key"),
        stage=pl.when(pl.col(REASON).is_in(ASIDE)).then(pl.lit("select")).otherwise(pl.lit("download")),
        reason=REASON,
        message=pl.col(REASON).replace_strict(says, default=None, return_dtype=pl.String).fill_null(address),
    )
    last = max([*part.marks[NUMBER], *part.numbers], default=0)
    broken = [
        (last, "", "read", row.reason, row.message)
        if row.number is None
        else (row.number, str(row.number), "read", row.reason, row.message)
        for row in part.broken
    ]
    return pl.concat([rows, pl.DataFrame(broken, schema={NUMBER: pl.Int64, **LEDGER}, orient="row")])


def _storable(name: str, kind: pl.DataType) -> pl.Expr:
    """The column in a type that JSON, too, has."""
    column = pl.col(name)
    if _is_plain(kind):
        return column
    if kind == pl.Binary:
        return column.bin.encode("base64")
    if kind.is_nested():
        return pl.struct(column).struct.json_encode()
    return column.cast(pl.Float64) if kind.is_decimal() else column.cast(pl.String)


def _is_plain(kind: object) -> bool:
    if isinstance(kind, pl.List):
        return _is_plain(kind.inner)
    if not isinstance(kind, pl.DataType):
        return False
    return kind in (pl.String, pl.Boolean, pl.Null) or kind.is_float() or (kind.is_integer() and kind != pl.Int128)
