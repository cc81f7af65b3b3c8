"""An image that a run read, read once more: what verification and the report look at.

A sample's `file` says how: a range of bytes in a tar or of the image file itself, or a row of a table (.parquet,
.arrow). Of the tables read last, the images of the row groups read last are kept, so that reading in order reads each
group once.

    >>> images = StoredImages("laion/")                                  # doctest: +SKIP
    >>> images(row["file"], row["offset"], row["length"])[:4]            # doctest: +SKIP
    b'\\xff\\xd8\\xff\\xe0'
"""

from collections import OrderedDict
from collections.abc import Generator
from pathlib import Path
from threading import Lock
from typing import Any

import pyarrow as pa

from scanner.samples._arrow import Damaged, damage_of, open_stream
from scanner.samples._columns import Columns
from scanner.samples._decode import Undecodable
from scanner.samples._parquet import group_batches, parquet_file, row_groups
from scanner.samples._place import Place, open_place, place
from scanner.samples._rows import image_column, stored_image

_TABLES = (".parquet", ".arrow")
_OPEN_TABLES = 4
_KEPT_BYTES = 64 << 20
"""Images of one table that are kept in memory."""

_Block = tuple[int, pa.RecordBatch]
"""Number of the first row, and the image column of some rows."""


class StoredImages:
    """The encoded images of a data set by the place that the samples table gives; several threads may ask at once."""

    def __init__(self, root: str, columns: Columns | None = None) -> None:
        """`columns` are those that the run was told."""
        self.root: Place = place(root)
        self._columns = columns or Columns()
        self._tables: OrderedDict[str, _StoredTable] = OrderedDict()
        self._lock = Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return StoredImages, (str(self.root), self._columns)

    def __call__(self, file: str | None, offset: int, length: int | None) -> bytes:
        """The encoded image. Raises Undecodable, with the reason `image_gone` or `no_image`, when it can't be had."""
        if file is None:
            raise Undecodable("no_image", "The data set holds an embedding of this row, but no image.")
        try:
            if not file.endswith(_TABLES):
                return _read_range(self._where(file), offset, length)
            with self._lock:
                return self._read_row(file, offset, length)
        except OSError as error:
            raise Undecodable("image_gone", f"{file} can't be read any more: {error.strerror or error}.") from error

    def _where(self, file: str) -> Place:
        """The file below the root, or a local one that is named in full."""
        return Path(file) if file.startswith("/") else self.root / file

    def _read_row(self, file: str, row: int, length: int | None) -> bytes:
        try:
            found = self._table(file).image(row)
        except (pa.ArrowException, Damaged) as error:
            raise Undecodable("image_gone", f"Row {row:,} of {file} can't be read any more: {error}.") from error
        if found is None or len(found) != length:
            raise Undecodable("image_gone", f"Row {row:,} of {file} holds another image or none by now.")
        return found

    def _table(self, file: str) -> "_StoredTable":
        if file not in self._tables:
            self._tables[file] = _StoredTable(self._where(file), self._columns)
        self._tables.move_to_end(file)
        if len(self._tables) > _OPEN_TABLES:
            self._tables.popitem(last=False)[1].close()
        return self._tables[file]


class _StoredTable:
    """An open table, the images of it that were read last, and where reading goes on."""

    def __init__(self, where: Place, columns: Columns) -> None:
        self._where, self._columns = where, columns
        self._starts = _group_starts(where) if where.suffix == ".parquet" else [0]
        self._kept: OrderedDict[int, pa.RecordBatch] = OrderedDict()
        self._kept_bytes = 0
        self._coming: Generator[_Block, None, None] | None = None
        self._next = 0

    def image(self, row: int) -> bytes | None:
        """The encoded image of a row; None where the row has none or there is no such row."""
        block = next((block for block in self._kept.items() if _holds(block, row)), None) or self._advance(row)
        return None if block is None else stored_image(block[1].column(0)[row - block[0]].as_py())[0]

    def close(self) -> None:
        """Close the file; the next row is read from the start of its row group."""
        if self._coming is not None:
            self._coming.close()
        self._coming = None

    def _advance(self, row: int) -> _Block | None:
        """Read on to the row, or from the start of its row group where that is behind, or further ahead."""
        start = max((start for start in self._starts if start <= row), default=0)
        if self._coming is None or row < self._next or start > self._next:
            self.close()
            read = _parquet_blocks if self._where.suffix == ".parquet" else _arrow_blocks
            self._coming, self._next = read(self._where, self._columns, start), start
        try:
            for block in self._coming:
                self._next = block[0] + block[1].num_rows
                self._keep(block)
                if _holds(block, row):
                    return block
        except BaseException:
            self._coming = None
            raise
        self._coming = None
        return None

    def _keep(self, block: _Block) -> None:
        if block[0] not in self._kept:
            self._kept_bytes += block[1].nbytes
        self._kept[block[0]] = block[1]
        self._kept.move_to_end(block[0])
        while self._kept_bytes > _KEPT_BYTES and len(self._kept) > 1:
            self._kept_bytes -= self._kept.popitem(last=False)[1].nbytes


def _holds(block: _Block, row: int) -> bool:
    return block[0] <= row < block[0] + len(block[1])


def _group_starts(where: Place) -> list[int]:
    with open_place(where) as file:
        return [group.first for group in row_groups(parquet_file(file).metadata)]


def _parquet_blocks(where: Place, columns: Columns, start: int) -> Generator[_Block, None, None]:
    """The image column from the row group on that begins at row `start`."""
    with open_place(where) as file:
        parquet = parquet_file(file)
        image = _image(parquet.schema_arrow, columns, where)
        for group in row_groups(parquet.metadata):
            if group.first >= start:
                at = group.first
                for batch in group_batches(parquet, group, [image]):
                    yield at, batch
                    at += batch.num_rows


def _arrow_blocks(where: Place, columns: Columns, start: int) -> Generator[_Block, None, None]:
    """The image column from the start on: a stream can't be entered in the middle."""
    assert start == 0
    with open_stream(where) as (schema, batches):
        image = _image(schema, columns, where)
        at = 0
        for batch in batches:
            if damage_of(batch) is None:
                yield at, batch.select([image])
            at += batch.num_rows


def _image(schema: pa.Schema, columns: Columns, where: Place) -> str:
    image = image_column(schema, columns)
    if image is None:
        raise Undecodable("image_gone", f"{where} has no image column any more.")
    return image


def _read_range(where: Place, offset: int, length: int | None) -> bytes:
    """Bytes of a file; without a length all from the offset on."""
    if isinstance(where, Path):
        with where.open("rb") as file:
            file.seek(offset)
            return file.read(length)
    end = None if length is None else offset + length
    found: bytes = where.fs.cat_file(where.path, start=offset, end=end)
    return found
