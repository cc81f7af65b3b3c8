"""Which rows of a list of URLs are to be downloaded: by a share, a condition, up to a number; before any request.

The same rows as `Selected` would leave if the images were there: a share is drawn by the same hash of the key, and a
condition sees the same columns. A row without an address that can be asked is none to download either; addresses
other than of http and https stay out on purpose, since `file:` would read this machine's own files.

    >>> for judged in judge(urls, Options(where="punsafe < 0.1")): ...       # doctest: +SKIP
"""

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import polars as pl

from scanner.errors import UnusableInputError
from scanner.samples._condition import columns_of, holds, parse_condition
from scanner.samples._options import Options
from scanner.samples._select import position_of
from scanner.samples.urls._find import ListedFile, UrlList
from scanner.samples.urls._rows import Batch, Broken, read_rows

NUMBER, KEY, URL, CAPTION, REASON = "number", "row_key", "url", "caption", "reason"
"""Columns of `Judged.marks`."""
ASIDE = ("sample", "where")
"""Reasons of the rows that the user's own settings leave out."""
ADDED = ("original_width", "original_height", "exif", "sha256")
"""What img2dataset finds out of an image, a column where the list has none of that name."""

_MARKS = pl.Schema({NUMBER: pl.Int64, KEY: pl.String, URL: pl.String, CAPTION: pl.String, REASON: pl.String})
_ADDRESS = r"^(?i)https?://[^/]"


@dataclass(frozen=True, kw_only=True)
class Judged:
    """Consecutive rows of a file, each with what becomes of it."""

    file: ListedFile
    """The file."""
    frame: pl.DataFrame
    """The rows, with the file's own columns; no column at all where there is no row."""
    marks: pl.DataFrame
    """For each of them `number` in the file, `row_key`, `url` and `caption` as the roles give them, and `reason`:
    sample, where, no_url, unusable_url, or null for a row to be downloaded."""
    broken: tuple[Broken, ...]
    """The rows between them that can't be read."""

    @property
    def numbers(self) -> list[int]:
        """Of the rows that a limit counts, in order: all but those that the settings leave out."""
        counted = self.marks.filter(~pl.col(REASON).is_in(ASIDE).fill_null(False))[NUMBER]
        return sorted([*counted, *(row.number for row in self.broken if row.number is not None)])


def check_options(urls: UrlList, options: Options) -> None:
    """Raises UnusableInputError for settings that don't fit the list, by what its first rows show."""
    if options.sample is not None and not 0 < options.sample <= 1:
        raise UnusableInputError(f"A share of rows lies above 0 and at most at 1, not at {options.sample}.")
    if options.limit is not None and options.limit < 1:
        raise UnusableInputError(f"A limit of {options.limit} rows leaves nothing to read; give at least 1.")
    condition = None if options.where is None else parse_condition(options.where)
    wanted = [("--carry", name) for name in options.carry]
    wanted += [("--where", name) for name in _names_in(condition)]
    for option, name in wanted:
        known = ("key", "url", "caption", *(ADDED if option == "--carry" else ()))
        if name not in (*urls.columns, *known):
            found = " ".join(urls.columns)
            raise UnusableInputError(f"{option} names the column {name}, which is not there; found {found}.")
    for batch in itertools.islice(read_rows(urls.files[0].table), 1):
        _judge(urls.files[0], batch, options, condition)


def judge(urls: UrlList, options: Options, columns: Iterable[str] | None = None) -> Iterator[Judged]:
    """Every row of the list up to the limit, in order, with all columns or with those and what is needed for it."""
    condition = None if options.where is None else parse_condition(options.where)
    left = options.limit
    for file in urls.files:
        names = None if columns is None else _needed(file, condition, columns)
        for batch in read_rows(file.table, names):
            judged = _judge(file, batch, options, condition)
            if left is not None:
                judged, left = _cut(judged, left)
            yield judged
            if left == 0:
                return


def _names_in(condition: pl.Expr | None) -> list[str]:
    return [] if condition is None else columns_of(condition)


def _needed(file: ListedFile, condition: pl.Expr | None, columns: Iterable[str]) -> list[str]:
    wanted = {*columns, file.url, file.caption, file.key, *_names_in(condition)}
    return [name for name in file.table.schema if name in wanted]


def _judge(file: ListedFile, batch: Batch, options: Options, condition: pl.Expr | None) -> Judged:
    frame, broken = batch.frame, tuple(batch.broken)
    if frame.width == 0:
        return Judged(file=file, frame=frame, marks=_MARKS.to_frame(), broken=broken)
    number = batch.numbers.cast(pl.String)
    key = number if file.key is None else frame[file.key].cast(pl.String)
    roles = pl.DataFrame(
        {
            NUMBER: batch.numbers,
            KEY: key.set(key == "", None).fill_null(number),
            URL: frame[file.url].cast(pl.String).str.strip_chars(),
            CAPTION: _captions(frame, file.caption),
        }
    )
    reason = (
        pl.when(~_drawn(roles[KEY], options.sample))
        .then(pl.lit("sample"))
        .when(~_holds(condition, file, frame, roles))
        .then(pl.lit("where"))
        .when(pl.col(URL).fill_null("") == "")
        .then(pl.lit("no_url"))
        .when(~pl.col(URL).str.contains(_ADDRESS))
        .then(pl.lit("unusable_url"))
    )
    return Judged(file=file, frame=frame, marks=roles.with_columns(reason.alias(REASON)), broken=broken)


def _captions(frame: pl.DataFrame, name: str | None) -> pl.Series:
    """Captions as text; null where there is nothing but white space; of several, the first that says something."""
    if name is None:
        return pl.Series(CAPTION, [None] * len(frame), pl.String)
    column = pl.col(name)
    if isinstance(frame.schema[name], pl.List):
        spoken = pl.element().filter(pl.element().str.strip_chars() != "")
        column = column.cast(pl.List(pl.String)).list.eval(spoken).list.first()
    text = column.cast(pl.String)
    return frame.select(pl.when(text.str.strip_chars() != "").then(text).alias(CAPTION)).to_series()


def _drawn(keys: pl.Series, share: float | None) -> pl.Series:
    return pl.Series([share is None or position_of(key) < share for key in keys], dtype=pl.Boolean)


def _holds(condition: pl.Expr | None, file: ListedFile, frame: pl.DataFrame, roles: pl.DataFrame) -> pl.Series:
    """Whether the condition holds; unknown counts as no. Columns have the types that the file's first rows show."""
    if condition is None:
        return pl.Series([True] * len(frame), dtype=pl.Boolean)
    columns = {"key": roles[KEY], "url": roles[URL], "caption": roles[CAPTION]} | frame.to_dict()
    nothing = pl.Series("", [None] * len(frame))
    seen = []
    for name in columns_of(condition):
        column = columns.get(name, nothing)
        kind = file.table.schema.get(name, column.dtype)
        seen.append((column if kind == column.dtype else column.cast(kind, strict=False)).alias(name))
    return holds(condition, seen, len(frame))


def _cut(judged: Judged, left: int) -> tuple[Judged, int]:
    """The rows up to the last that the limit leaves, and how many it leaves after them."""
    numbers = judged.numbers
    if len(numbers) < left:
        return judged, left - len(numbers)
    last = numbers[left - 1]
    inside = judged.marks[NUMBER] <= last
    return Judged(
        file=judged.file,
        frame=judged.frame.filter(inside) if judged.frame.width else judged.frame,
        marks=judged.marks.filter(inside),
        broken=tuple(row for row in judged.broken if row.number is not None and row.number <= last),
    ), 0
