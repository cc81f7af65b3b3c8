"""Rows of one file of a list of URLs, in batches: parquet, CSV, TSV or JSON lines, the latter three also as .gz.

Text files need no header: a first line with an address in it is a row, and its columns are named `url`, `caption`
(where there are two, as in CC12M's TSV) and else `column_1`, `column_2` and so on. A TSV has a row on every line and
quotes are letters, as in CC12M; where a header shows that a tool wrote it, a field that is quoted as a whole is
unquoted. Columns of a CSV or TSV are numbers where their first thousand rows are. A row that can't be read is given as
broken, and no row gets lost: not one of a wrong number of fields, not the rest of a damaged file.

    >>> table = look(Path("cc12m.tsv"))                                     # doctest: +SKIP
    >>> for batch in read_rows(table): print(batch.frame["url"])            # doctest: +SKIP
"""

import csv
import gzip
import itertools
import json
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from io import TextIOWrapper
from typing import Any, BinaryIO, cast

import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from scanner.errors import UnusableInputError
from scanner.samples._parquet import LostRows, parquet_file, row_groups, sound_batches
from scanner.samples._place import Place, open_place
from scanner.samples._rows import first_line, said_of_data

BATCH_ROWS = 10_000
"""Rows in memory at once."""
_LOOKED_AT = 1_000
"""Rows that settle the types of a text file's columns."""
_INTEGER, _NUMBER = r"^-?(0|[1-9][0-9]{0,17})$", r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?$"
_UNREADABLE = (EOFError, zlib.error, gzip.BadGzipFile)
LONGEST_FIELD = 131_072
"""Characters of a field of a CSV, at most: a quote that is never closed would swallow the rest of the file."""
KINDS = ("parquet", "csv", "tsv", "jsonl")
"""Endings of the files."""


@dataclass(frozen=True, kw_only=True)
class Table:
    """A file of rows that has been looked at."""

    place: Place
    """The file."""
    kind: str
    """One of `KINDS`."""
    header: bool
    """Whether the first line names the columns."""
    schema: pl.Schema
    """Columns with their types, as far as the first rows show."""
    damage: str | None = None
    """Why nothing of the file can be read."""


@dataclass(frozen=True, kw_only=True)
class Broken:
    """A row that can't be read."""

    number: int | None
    """Position of the row in its file; None where the rest of the file is meant."""
    reason: str
    """Short and countable."""
    message: str
    """One sentence."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Consecutive rows of a file."""

    numbers: pl.Series
    """Int64, positions of the frame's rows in the file, from 0."""
    frame: pl.DataFrame
    """The rows that can be read; columns as the file names them."""
    broken: Sequence[Broken]
    """The rows between them that can't."""


def kind_of(place: Place) -> str | None:
    """Which kind of table a file is by its ending; None for any other file."""
    ending = place.name.lower().removesuffix(".gz").rpartition(".")[2]
    is_table = ending in KINDS and not (ending == "parquet" and place.name.lower().endswith(".gz"))
    return ending if is_table else None


def look(place: Place) -> Table:
    """Columns of a file of rows; none where it holds nothing."""
    kind = kind_of(place)
    assert kind is not None, "the caller knows that it is a table"
    if kind == "parquet":
        return _look_at_parquet(place)
    header = kind != "jsonl" and not _begins_with_row(place, kind)
    names = [] if kind == "jsonl" else _names(place, kind, header=header)
    table = Table(place=place, kind=kind, header=header, schema=pl.Schema(dict.fromkeys(names, pl.String())))
    rows = (row for _, row in _to_the_damage(_text_rows(table)) if not isinstance(row, Broken))
    frame = _frame(list(itertools.islice(rows, _LOOKED_AT)), names)
    types = {column.name: column.dtype if kind == "jsonl" else _type_of(column) for column in frame}
    return replace(table, schema=pl.Schema(types))


def read_rows(table: Table, columns: Sequence[str] | None = None) -> Iterator[Batch]:
    """Every row once, in stored order; of a parquet only the named columns."""
    if table.damage is not None:
        message = f"The file can't be read as {table.kind} ({table.damage})."
        return iter([_batch([], pl.DataFrame(), [Broken(number=None, reason="unreadable_file", message=message)])])
    return _parquet_batches(table, columns) if table.kind == "parquet" else _text_batches(table)


def _look_at_parquet(place: Place) -> Table:
    try:
        with open_place(place) as file:
            schema = pq.read_schema(file)
        frame = cast("pl.DataFrame", pl.from_arrow(schema.empty_table()))
    except (pa.ArrowException, pl.exceptions.PolarsError, OSError) as error:
        said = said_of_data(error)
        return Table(place=place, kind="parquet", header=True, schema=pl.Schema(), damage=said)
    return Table(place=place, kind="parquet", header=True, schema=_plain_text(frame).schema)


def _parquet_batches(table: Table, columns: Sequence[str] | None) -> Iterator[Batch]:
    with open_place(table.place) as file:
        parquet = parquet_file(file)
        for group in row_groups(parquet.metadata):
            for part in sound_batches(parquet, group, columns, BATCH_ROWS):
                if isinstance(part, LostRows):
                    yield from _lost(part)
                else:
                    yield from _checked(part[1], part[0])


def _lost(part: LostRows) -> Iterator[Batch]:
    for start in range(0, len(part.numbers), BATCH_ROWS):
        numbers = part.numbers[start : start + BATCH_ROWS]
        broken = [Broken(number=number, reason="unreadable_row_group", message=part.message) for number in numbers]
        yield _batch([], pl.DataFrame(), broken)


def _checked(batch: pa.RecordBatch, first: int) -> Iterator[Batch]:
    """The batch as a frame; where it holds text that is not UTF-8, the rows to blame are broken."""
    try:
        batch.validate(full=True)
    except pa.ArrowException as error:
        if batch.num_rows == 1:
            yield _batch([], pl.DataFrame(), [_not_utf8(first, first_line(error))])
            return
        half = batch.num_rows // 2
        yield from _checked(batch.slice(0, half), first)
        yield from _checked(batch.slice(half), first + half)
        return
    frame = _plain_text(cast("pl.DataFrame", pl.from_arrow(batch)))
    yield _batch(range(first, first + batch.num_rows), frame, [])


def _plain_text(frame: pl.DataFrame) -> pl.DataFrame:
    return frame.cast({pl.Categorical: pl.String, pl.Enum: pl.String})


def _batch(numbers: Sequence[int] | range, frame: pl.DataFrame, broken: Sequence[Broken]) -> Batch:
    return Batch(numbers=pl.Series("number", numbers, pl.Int64), frame=frame, broken=tuple(broken))


def _text_batches(table: Table) -> Iterator[Batch]:
    rows = _to_the_damage(_text_rows(table))
    while part := list(itertools.islice(rows, BATCH_ROWS)):
        good = [(number, row) for number, row in part if not isinstance(row, Broken)]
        frame = _frame([row for _, row in good], table.schema.names())
        if table.kind != "jsonl":
            frame = frame.with_columns(_typed(frame[name], kind) for name, kind in table.schema.items())
        yield _batch([number for number, _ in good], frame, [row for _, row in part if isinstance(row, Broken)])


def _to_the_damage(rows: Iterator[tuple[int, Any]]) -> Iterator[tuple[int, Any]]:
    count = 0
    try:
        for number, row in rows:
            yield number, row
            count = number + 1
    except _UNREADABLE as error:
        message = f"The file is cut or damaged ({error}); the {count:,} rows before that were read."
        yield count, Broken(number=None, reason="truncated_shard", message=message)


def _frame(records: Sequence[Mapping[str, Any]], names: Iterable[str]) -> pl.DataFrame:
    every = dict.fromkeys(itertools.chain(names, *records))
    return pl.DataFrame([pl.Series(name, [row.get(name) for row in records], strict=False) for name in every])


def _type_of(column: pl.Series) -> pl.DataType:
    said = column.drop_nulls().cast(pl.String)
    for pattern, kind in ((_INTEGER, pl.Int64()), (_NUMBER, pl.Float64())):
        if len(said) and said.str.contains(pattern).all():
            return kind
    return pl.String()


def _typed(column: pl.Series, kind: pl.DataType) -> pl.Series:
    """The column as numbers, where that is its type and all its values are; as text otherwise."""
    column = column.cast(pl.String)
    return column if kind == pl.String or _type_of(column) not in (kind, pl.Int64) else column.cast(kind)


@contextmanager
def _opened(place: Place) -> Iterator[BinaryIO]:
    with open_place(place) as raw:
        if not place.name.lower().endswith(".gz"):
            yield raw
            return
        with gzip.GzipFile(fileobj=raw, mode="rb") as unpacked:
            yield cast("BinaryIO", unpacked)


def _begins_with_row(place: Place, kind: str) -> bool:
    return any(cell.lower().startswith(("http://", "https://")) for cell in _first_cells(place, kind))


def _names(place: Place, kind: str, *, header: bool) -> list[str]:
    cells = _first_cells(place, kind)
    if header:
        twice = next((name for name in cells if cells.count(name) > 1), None)
        if twice is not None:
            raise UnusableInputError(f"{place} names the column {twice} twice; give each column a name of its own.")
        return cells
    address = next(i for i, cell in enumerate(cells) if cell.lower().startswith(("http://", "https://")))
    others = "caption" if len(cells) == 2 else None
    return ["url" if i == address else others or f"column_{i + 1}" for i in range(len(cells))]


def _first_cells(place: Place, kind: str) -> list[str]:
    """Fields of the first line that has any."""
    with _opened(place) as file:
        lines = _lines(file) if kind == "tsv" else _csv_rows(file)
        try:
            first = next((cells for cells in lines if cells and not isinstance(cells, Broken)), [])
        except _UNREADABLE:
            return []
    return [cell.strip() for cell in first] if all(map(_is_utf8, first)) else []


def _text_rows(table: Table) -> Iterator[tuple[int, Mapping[str, Any] | Broken]]:
    """Each row with its number, from 0; empty lines are none."""
    with _opened(table.place) as file:
        if table.kind == "jsonl":
            yield from enumerate(_parse(number, line) for number, line in enumerate(_full_lines(file)))
            return
        lines = _lines(file) if table.kind == "tsv" else _csv_rows(file)
        rows = (cells for cells in lines if cells)
        if table.header:
            next(rows, None)
        names, unquoted = table.schema.names(), table.kind == "tsv" and table.header
        for number, cells in enumerate(rows):
            yield number, _record(number, cells, names, unquoted=unquoted)


def _full_lines(file: BinaryIO) -> Iterator[bytes]:
    lines = iter(file)
    first = next(lines, b"").removeprefix(b"\xef\xbb\xbf")
    return (line for line in itertools.chain([first], lines) if line.strip())


def _lines(file: BinaryIO) -> Iterator[list[str] | Broken]:
    for line in _full_lines(file):
        try:
            yield line.rstrip(b"\r\n").decode().split("\t")
        except UnicodeDecodeError as error:
            yield _not_utf8(None, f"byte 0x{line[error.start]:02x} at position {error.start} of its line")


def _csv_rows(file: BinaryIO) -> Iterator[list[str] | Broken]:
    with TextIOWrapper(file, encoding="utf-8-sig", errors="surrogateescape", newline="") as letters:
        rows = csv.reader(letters)
        while True:
            limit = csv.field_size_limit(LONGEST_FIELD)  # of the whole process, and other packages raise it
            row: list[str] | Broken | None
            try:
                row = next(rows, None)
            except csv.Error as error:
                row = Broken(number=None, reason="broken_row", message=f"The row is no CSV: {error}.")
            finally:
                csv.field_size_limit(limit)
            if row is None:
                return
            yield row


def _record(
    number: int, cells: list[str] | Broken, names: Sequence[str], *, unquoted: bool
) -> Mapping[str, Any] | Broken:
    if isinstance(cells, Broken):
        return Broken(number=number, reason=cells.reason, message=cells.message)
    if len(cells) != len(names):
        message = f"Row {number:,} has {len(cells):,} fields, and the file has {len(names):,} columns."
        return Broken(number=number, reason="broken_row", message=message)
    if not all(map(_is_utf8, cells)):
        return _not_utf8(number, "found in a field")
    values = map(_unquote, cells) if unquoted else cells
    return {name: value or None for name, value in zip(names, values, strict=True)}


def _unquote(cell: str) -> str:
    inner = cell[1:-1].replace('""', "")
    quoted = len(cell) >= 2 and cell[0] == cell[-1] == '"' and '"' not in inner
    return cell[1:-1].replace('""', '"') if quoted else cell


def _is_utf8(text: str) -> bool:
    return text.isascii() or not any("\ud800" <= letter <= "\udfff" for letter in text)


def _not_utf8(number: int | None, where: str) -> Broken:
    return Broken(number=number, reason="caption_not_utf8", message=f"The row holds text that is not UTF-8 ({where}).")


def _parse(number: int, line: bytes) -> Mapping[str, Any] | Broken:
    try:
        record = json.loads(line)
    except UnicodeDecodeError as error:
        return _not_utf8(number, f"byte 0x{line[error.start]:02x} at position {error.start} of its line")
    except (ValueError, RecursionError) as error:
        return Broken(number=number, reason="broken_json", message=f"Row {number:,} can't be parsed: {error}.")
    if not isinstance(record, dict):
        message = f"Row {number:,} is a {type(record).__name__}, not an object."
        return Broken(number=number, reason="broken_json", message=message)
    if b"\\u" in line and not _is_utf8(json.dumps(record, ensure_ascii=False)):
        return _not_utf8(number, "a lone surrogate")
    return {name: _value(value) for name, value in record.items()}


def _value(value: Any) -> Any:
    """The value, or its JSON text where no column of a table could hold it."""
    is_texts = isinstance(value, list) and all(isinstance(item, str) for item in value)
    return value if is_texts or not isinstance(value, dict | list) else json.dumps(value, ensure_ascii=False)
