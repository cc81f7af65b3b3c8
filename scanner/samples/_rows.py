"""Rows of an Arrow table as samples: which column is what, and a row's image as bytes or as a path.

An image column is binary (img2dataset's `jpg`, polars), a struct of `bytes` and `path` (Hugging Face) or text, a path
below the table's own folder or the data set's. It is found by its name, then as the one column that Hugging Face's
schema calls an image. The key is the key column's value, or else the row's number in its file. `hash` and `image_id`
are keys only when they are named: they tell pictures apart, not rows (COCO has five rows per `image_id`). Of a list of
captions the first counts. A row's fields are all its columns but the image.

    >>> rows = TableRows(root=root, shard=shard, roles=roles_of(batch.schema, Columns(), "train.parquet"))
    >>> for item in rows(batch, first=0): ...                                            # doctest: +SKIP
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePath
from typing import Any

import pyarrow as pa
from pyarrow import types

from scanner.errors import UnusableInputError
from scanner.samples._columns import Columns
from scanner.samples._decode import Undecodable
from scanner.samples._place import Place, relative
from scanner.samples._sample import Failure, Sample, Shard, unread
from scanner.samples._sidecar import printable, spoken, text_field
from scanner.samples._webdataset import lost_row

BATCH_ROWS = 64
"""Rows that are turned into Python objects at once."""

OF_PICTURES = ("hash", "image_id")
"""Keys that tell pictures apart, not rows; they count only when the user names them."""
_IMG2DATASET = {"key", "status", "error_message"}
_UNCONVERTIBLE = (ValueError, OverflowError, pa.ArrowException)
"""What pyarrow raises for a value that Python can't hold: text that is not UTF-8, a date beyond the year 9999."""


@dataclass(frozen=True, kw_only=True)
class Roles:
    """The columns of a table that have a meaning here."""

    image: str
    """Bytes, struct of bytes and path, or path."""
    caption: str | None
    """Text, or a list of texts."""
    url: str | None
    """Text."""
    key: str | None
    """Anything that identifies a row."""


def roles_of(schema: pa.Schema, columns: Columns, where: str) -> Roles:
    """The roles of a table's columns. Raises UnusableInputError, which lists the columns, where none is the image, or
    where a column that the user named is of no use."""
    image = image_column(schema, columns)
    if image is None:
        image = columns.require(schema.names, "image", where)
        raise UnusableInputError(f"{where} has its images in {image} as {schema.field(image).type}; {_IMAGE_TYPES}.")
    captions = [column.name for column in schema if is_caption(column.type)]
    texts = [column.name for column in schema if is_text(column.type)]
    keys = schema.names if columns.key else [name for name in schema.names if name.lower() not in OF_PICTURES]
    return Roles(
        image=image,
        caption=columns.require(captions, "caption", where) if columns.caption else columns.find(captions, "caption"),
        url=columns.require(texts, "url", where) if columns.url else columns.find(texts, "url"),
        key=columns.require(keys, "key", where) if columns.key else columns.find(keys, "key"),
    )


_IMAGE_TYPES = "use bytes, a struct of bytes and path, or paths as text"


def image_column(schema: pa.Schema, columns: Columns) -> str | None:
    """The column that holds the images: bytes rather than paths, a known name rather than Hugging Face's type."""
    usable = [column.name for column in schema if _is_bytes(column.type)]
    declared = [name for name in _declared_images(schema) if name in usable]
    if columns.image is None and columns.find(usable, "image") is None and len(declared) == 1:
        return declared[0]
    paths = [column.name for column in schema if is_text(column.type)]
    return columns.find(usable, "image") or columns.find(paths, "image")


def holds_bytes(schema: pa.Schema, column: str) -> bool:
    """Whether an image column holds images, not just the paths to them."""
    return _is_bytes(schema.field(schema.names.index(column)).type)


def _declared_images(schema: pa.Schema) -> list[str]:
    """Columns with Hugging Face's Image feature."""
    try:
        features = json.loads(schema.metadata[b"huggingface"])["info"]["features"]
        return [name for name, feature in features.items() if feature.get("_type") == "Image"]
    except (TypeError, KeyError, ValueError, AttributeError):  # no such metadata, or somebody else's
        return []


def _is_bytes(kind: pa.DataType) -> bool:
    if types.is_struct(kind):
        return kind.get_field_index("bytes") >= 0 and _is_bytes(kind.field("bytes").type)
    return any(is_kind(kind) for is_kind in (types.is_binary, types.is_large_binary, types.is_binary_view))


def is_text(kind: pa.DataType) -> bool:
    """Whether a column holds text, dictionary-encoded or not."""
    kind = kind.value_type if types.is_dictionary(kind) else kind
    return any(is_kind(kind) for is_kind in (types.is_string, types.is_large_string, types.is_string_view))


def is_caption(kind: pa.DataType) -> bool:
    """Whether a column may hold captions: texts, or lists of texts."""
    return is_text(kind) or ((types.is_list(kind) or types.is_large_list(kind)) and is_text(kind.value_type))


@dataclass(frozen=True, kw_only=True)
class TableRows:
    """Makes samples of the rows of one shard; it remembers the shard's keys."""

    root: Place
    """The data set's root."""
    shard: Shard
    """The shard, whose path is the table's file."""
    roles: Roles
    """Its columns."""
    _seen: dict[str, int] = field(default_factory=dict)

    def __call__(self, batch: pa.RecordBatch, first: int) -> Iterator[Sample | Failure]:
        """Every row of a batch, once; `first` is the number of its first row in the file."""
        for start in range(0, batch.num_rows, BATCH_ROWS):
            part = batch.slice(start, BATCH_ROWS)
            for number, record in enumerate(records_of(part), first + start):
                yield self._item(number, record)

    def lost(self, numbers: range, reason: str, message: str) -> Iterator[Failure]:
        """A failure for each of these rows, by their numbers."""
        return (unread(self.shard, str(number), reason, message) for number in numbers)

    def _item(self, number: int, record: dict[str, Any] | Undecodable) -> Sample | Failure:
        if isinstance(record, Undecodable):
            return unread(self.shard, str(number), record.reason, record.message)
        key = self._key(number, record)
        before = self._seen.setdefault(key, number)
        if before != number:
            message = f"Row {number:,} has the key of row {before:,}, which is kept."
            return unread(self.shard, key, "duplicate_key", message)
        try:
            return self._sample(number, key, record)
        except Undecodable as error:
            if error.reason == "missing_image" and _failed_download(record):
                return lost_row(self.shard, key, record, ())
            return unread(self.shard, key, error.reason, error.message)

    def _key(self, number: int, record: Mapping[str, Any]) -> str:
        value = None if self.roles.key is None else record[self.roles.key]
        return str(number) if value is None or value == "" else str(value)

    def _sample(self, number: int, key: str, record: Mapping[str, Any]) -> Sample:
        encoded, path = stored_image(record[self.roles.image])
        file, offset = relative(self.shard.path, self.root), number
        if encoded is None:
            where = self._find(number, path)
            encoded, file, offset = _read(where), relative(where, self.root), 0
        return Sample(
            shard=self.shard.name,
            key=key,
            encoded=encoded,
            file=file,
            offset=offset,
            caption=caption_of(record, self.roles.caption),
            url=text_field(record, self.roles.url),
            extra={name: value for name, value in record.items() if name != self.roles.image},
        )

    def _find(self, number: int, path: str | None) -> Place:
        """The image file of that path. Raises Undecodable: `missing_image`, or `unsafe_member` for one outside."""
        if not path:
            raise Undecodable("missing_image", f"Row {number:,} has no image.")
        if isinstance(self.root, Path) and Path(path).is_relative_to(self.root.absolute()):
            path = str(Path(path).relative_to(self.root.absolute()))
        if is_outside(path):
            raise Undecodable("unsafe_member", f"{printable(path)} lies outside the data set; it was not read.")
        found = file_of(path, self.shard.path.parent, self.root)
        if found is None:
            raise Undecodable("missing_image", f"{path} is neither in the table's folder nor in the data set's.")
        return found


def file_of(path: str, *folders: Place) -> Place | None:
    """The file of that path below the first folder that has it."""
    return next((folder / path for folder in folders if is_file(folder / path)), None)


def is_outside(path: str) -> bool:
    """Whether a path that a data set gives leads out of the folder that it belongs to, or may do so."""
    pure = PurePath(path)
    return pure.is_absolute() or bool(pure.drive) or ".." in pure.parts or "://" in path


def is_file(where: Place) -> bool:
    """Whether there is a file; a name that no file can have, as one of ten thousand letters, is none either."""
    try:
        return bool(where.is_file())
    except OSError:
        return False


def said_of_data(error: Exception) -> str:
    """What pyarrow says of damaged data; an error of the file system, which a second try may not meet, is raised."""
    if isinstance(error, OSError) and error.errno is not None:
        raise error
    return first_line(error)


def first_line(error: Exception) -> str:
    """What an error says, without its final stop."""
    return (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")


def first_text(values: Sequence[Any]) -> str | None:
    """The first of several captions that says something."""
    return next((text for text in values if isinstance(text, str) and spoken(text)), None)


def stored_image(value: Any) -> tuple[bytes | None, str | None]:
    """Bytes and path of an image, from a cell of its column."""
    if isinstance(value, Mapping):
        return value["bytes"], value.get("path")
    return (None, value) if isinstance(value, str) else (value, None)


def records_of(batch: pa.RecordBatch) -> list[dict[str, Any] | Undecodable]:
    """The rows of a batch by column, or what is wrong with a row that Python can't hold."""
    try:
        rows: Sequence[Sequence[Any]] = list(zip(*(column.to_pylist() for column in batch.columns), strict=True))
    except _UNCONVERTIBLE as error:
        if batch.num_rows > 1:
            return [record for row in range(batch.num_rows) for record in records_of(batch.slice(row, 1))]
        text = isinstance(error, UnicodeDecodeError)
        reason = "caption_not_utf8" if text else "broken_metadata"
        return [Undecodable(reason, f"A column can't be read ({first_line(error)}).")]
    return [dict(zip(batch.schema.names, row, strict=True)) for row in rows]


def caption_of(record: Mapping[str, Any], name: str | None) -> str | None:
    """A row's caption, or the first of its captions that says something. Raises Undecodable where it is no text."""
    value = None if name is None else record[name]
    return first_text(value) if isinstance(value, list) else spoken(text_field(record, name))


def _failed_download(record: Mapping[str, Any]) -> bool:
    return record.keys() >= _IMG2DATASET and record["status"] != "success"


def _read(where: Place) -> bytes:
    try:
        return where.read_bytes()
    except OSError as error:
        raise Undecodable("unreadable_file", f"{where} can't be read: {error.strerror or error}.") from error
