"""What the metadata.csv, .jsonl or .parquet of an image folder says of its images, as Hugging Face's imagefolder.

A row names one image or several, by their paths below the folder of the table: in `file_name`, in any column whose
name ends with `_file_name`, in lists in `file_names`, or in the column that the user names as the image. All other
columns are fields of these images. An image that several tables name belongs to the nearest. Names that lead out of
the folder are not followed. Of a list of captions the first counts.

    >>> listed = list_images(root, [root / "metadata.csv"], Columns())        # doctest: +SKIP
    >>> listed.records("photos", Columns())("a.png")                          # doctest: +SKIP
    {'file_name': 'photos/a.png', 'text': 'a cat'}
"""

import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any

import polars as pl

from scanner.samples._columns import Columns
from scanner.samples._decode import Undecodable
from scanner.samples._place import FileState, Place, relative, state_of
from scanner.samples._rows import first_line, first_text, is_outside
from scanner.samples._webdataset import Record

FILE_NAMES = ("metadata.csv", "metadata.jsonl", "metadata.parquet")
"""Names of the tables; where several lie in one folder, the first of these counts."""

_FILE, _ENDINGS = ("file_name", "file_names"), ("_file_name", "_file_names")


@dataclass(frozen=True, kw_only=True)
class Metadata:
    """A table that was read."""

    rows: Sequence[tuple[str, ...] | Undecodable]
    """The images that each row names, or what is wrong with the row."""
    record: Callable[[int], Record]
    """A row's fields."""


@dataclass(frozen=True, kw_only=True)
class Remark:
    """A row of a table that stands in the ledger; `key` is empty where it is about the whole table."""

    key: str
    reason: str
    message: str


@dataclass(frozen=True, kw_only=True)
class Listed:
    """The images that the tables of a data set name."""

    places: Mapping[str, Mapping[str, tuple[Place, int]]]
    """By folder (below the root; `.` is the root) and file name, the table and its row."""
    remarks: Mapping[str, Sequence[Remark]]
    """By folder of a table, what is wrong with its rows."""

    def records(self, folder: str, columns: Columns) -> Callable[[str], Record]:
        """What the tables say of a folder's images, by file name; nothing where none names it."""
        places = self.places.get(folder, {})
        tables = {table: _read(table, columns) for table in {table for table, _ in places.values()}}

        def record(file: str) -> Record:
            if file not in places:
                return {}
            table, row = places[file]
            return tables[table].record(row)

        return record


def list_images(root: Place, tables: Iterable[Place], columns: Columns) -> Listed:
    """The images that the tables name, whether they are there or not.

    Raises UnusableInputError, which lists the columns, where a table has none with names of files.
    """
    places: dict[str, dict[str, tuple[Place, int]]] = {}
    remarks: dict[str, list[Remark]] = {}
    for table in sorted(tables, key=lambda table: -len(table.parts)):
        folder = relative(table.parent, root) or "."
        found = remarks.setdefault(folder, [])
        try:
            metadata = _read(table, columns)
        except Undecodable as error:
            found.append(Remark(key="", reason=error.reason, message=error.message))
            continue
        for row, names in enumerate(metadata.rows):
            found += _place(places, folder, (table, row), names)
    return Listed(places=places, remarks={folder: found for folder, found in remarks.items() if found})


def _place(
    places: dict[str, dict[str, tuple[Place, int]]],
    folder: str,
    row: tuple[Place, int],
    names: tuple[str, ...] | Undecodable,
) -> Iterator[Remark]:
    """Enter a row's images into `places`; what can't be entered is a remark."""
    where = f"{row[0].name}:{row[1]}"
    if isinstance(names, Undecodable):
        yield Remark(key=where, reason=names.reason, message=names.message)
        return
    if not names:
        yield Remark(key=where, reason="missing_image", message="The row names no image.")
    for name in names:
        path = PurePosixPath(folder, name)
        if is_outside(name) or not PurePosixPath(name).name:
            message = f"{where} names {name}, which lies outside the table's folder; it was not read."
            yield Remark(key=name, reason="unsafe_member", message=message)
            continue
        first = places.setdefault(str(path.parent), {}).setdefault(path.name, row)
        if first != row:
            message = f"{where} names an image that {first[0].name}:{first[1]} names before; that row is kept."
            yield Remark(key=name, reason="duplicate_key", message=message)


def _read(table: Place, columns: Columns) -> Metadata:
    return _read_once(table, state_of(table), columns)


@lru_cache(maxsize=4)
def _read_once(table: Place, state: FileState, columns: Columns) -> Metadata:  # noqa: ARG001 - the file as it was then
    """Raises Undecodable with the reason `unreadable_metadata`."""
    try:
        read = _read_lines if table.suffix == ".jsonl" else _read_frame
        return read(table, columns)
    except (pl.exceptions.PolarsError, OSError) as error:
        message = f"{table.name} can't be read ({first_line(error)}); what it says of the images is not in the run."
        raise Undecodable("unreadable_metadata", message) from error


def _read_frame(table: Place, columns: Columns) -> Metadata:
    file = io.BytesIO(table.read_bytes())
    frame = _read_csv(file, table.name, columns) if table.suffix == ".csv" else pl.read_parquet(file)
    named = _require_names(frame.columns, columns, table.name)
    rows = [_names(row) for row in frame.select(named).iter_rows()]
    return Metadata(rows=rows, record=lambda row: _with_first_caption(frame.row(row, named=True), columns))


def _read_csv(file: io.BytesIO, name: str, columns: Columns) -> pl.DataFrame:
    """Names, captions and urls as text, even where all of them look like numbers."""
    header = pl.read_csv(file, n_rows=0).columns
    texts = {*_require_names(header, columns, name), columns.find(header, "caption"), columns.find(header, "url")}
    file.seek(0)
    types = {column: pl.String() for column in texts if column is not None}
    return pl.read_csv(file, schema_overrides=types, infer_schema_length=None)


def _read_lines(table: Place, columns: Columns) -> Metadata:
    """One JSON object a line; the lines are kept as they are, since objects take several times the memory."""
    lines = [line for line in table.read_bytes().removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    rows = [_names_of_line(line, columns) for line in lines]
    if () in rows and all(names == () or isinstance(names, Undecodable) for names in rows):
        _require_names(list(json.loads(lines[rows.index(())])), columns, table.name)
    return Metadata(rows=rows, record=lambda row: _with_first_caption(json.loads(lines[row]), columns))


def _names_of_line(line: bytes, columns: Columns) -> tuple[str, ...] | Undecodable:
    try:
        fields = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Undecodable("broken_json", f"The line can't be parsed: {error}")
    if not isinstance(fields, dict):
        return Undecodable("broken_json", f"The line holds a {type(fields).__name__}, not an object.")
    return _names(fields[name] for name in name_columns(list(fields), columns))


def name_columns(names: Sequence[str], columns: Columns) -> list[str]:
    """The columns with names of images, as imagefolder calls them, or the one that the user names, or a usual one."""
    named = [name for name in names if name in _FILE or name.endswith(_ENDINGS)] if columns.image is None else []
    usual = columns.find(names, "image")
    return named or ([] if usual is None else [usual])


def _require_names(names: Sequence[str], columns: Columns, where: str) -> list[str]:
    """The same, or UnusableInputError, which lists what was found."""
    return name_columns(names, columns) or [columns.require(names, "image", where)]


def _names(values: Iterable[Any]) -> tuple[str, ...]:
    """The file names in a row's cells, each a name or a list of names."""
    flat = (name for value in values for name in (value if isinstance(value, list) else [value]))
    return tuple(dict.fromkeys(name for name in flat if isinstance(name, str) and name))


def _with_first_caption(record: dict[str, Any], columns: Columns) -> Record:
    name = columns.find(record, "caption")
    return record if name is None or not isinstance(record[name], list) else record | {name: first_text(record[name])}
