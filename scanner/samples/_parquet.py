"""Read images that lie in parquet: Hugging Face's data sets, img2dataset's `parquet` output, or any other.

Each file is a shard, named by its path below the root without its ending; one of more than ten thousand rows is read
as several, `name:0`, `name:1` and so on, each of whole row groups. Rows come in stored order. Nothing larger than a
page of a column (pyarrow writes up to 1,024 images into one) is in memory at once. A row group that is damaged is
lost from the damage on, and each of its rows stands in the ledger; the other groups are read.

    >>> dataset = open_parquet(Path("laion"), sorted(Path("laion").rglob("*.parquet")), Columns())   # doctest: +SKIP
"""

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from typing import BinaryIO, Protocol

import pyarrow as pa
import pyarrow.parquet as pq

from scanner.errors import UnusableInputError
from scanner.samples._columns import Columns
from scanner.samples._folder import SHARD_ROWS
from scanner.samples._place import Place, is_hidden, is_local, open_place, relative
from scanner.samples._rows import (
    BATCH_ROWS,
    TableRows,
    file_of,
    holds_bytes,
    image_column,
    is_outside,
    roles_of,
    said_of_data,
)
from scanner.samples._sample import Failure, Sample, Shard, states, unread
from scanner.samples._sidecar import printable
from scanner.samples._webdataset import compared, stats_beside

_BUFFER_BYTES = 1 << 20


@dataclass(frozen=True, kw_only=True)
class RowGroup:
    """Consecutive rows of a file that are stored together."""

    index: int
    """Position in the file."""
    first: int
    """Number of its first row in the file."""
    rows: int
    """How many it has."""


@dataclass(frozen=True, kw_only=True)
class _Footer:
    """What a parquet file says of itself."""

    schema: pa.Schema
    groups: Sequence[RowGroup]


@dataclass(frozen=True, kw_only=True)
class ParquetImages:
    """Parquet files with an image column."""

    root: Place
    """The folder that holds them."""
    shards: tuple[Shard, ...]
    """One per file, or per ten thousand rows, in the order of their names."""
    columns: Columns
    """Columns named by the user."""
    groups: Mapping[str, Sequence[RowGroup] | str]
    """By shard, the row groups that it is made of; or what is wrong with the file."""
    layout: str = "parquet"
    """Name of the layout."""

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        """Every row of the shard once, in stored order."""
        rows = self._read(shard)
        whole = shard.name == printable(relative(shard.path.with_suffix(""), self.root))
        return compared(shard, rows, stats_beside(shard.path.with_suffix(""))) if whole else rows

    def _read(self, shard: Shard) -> Iterator[Sample | Failure]:
        groups = self.groups[shard.name]
        if isinstance(groups, str):
            yield unread(shard, "", "unreadable_parquet", f"The file can't be read as parquet ({groups}).")
            return
        with open_place(shard.path) as file:
            parquet = parquet_file(file)
            roles = roles_of(parquet.schema_arrow, self.columns, relative(shard.path, self.root))
            rows = TableRows(root=self.root, shard=shard, roles=roles)
            for group in groups:
                yield from read_group(parquet, group, rows)


class RowMaker(Protocol):
    """Makes samples of the rows of a table."""

    def __call__(self, batch: pa.RecordBatch, first: int) -> Iterator[Sample | Failure]:
        """Every row of a batch, once; `first` is the number of its first row in the file."""
        ...

    def lost(self, numbers: range, reason: str, message: str) -> Iterator[Failure]:
        """A failure for each of these rows, by their numbers."""
        ...


@dataclass(frozen=True, kw_only=True)
class LostRows:
    """Rows of a row group that a damage hides."""

    numbers: range
    """In the file."""
    message: str
    """One sentence."""


def read_group(parquet: pq.ParquetFile, group: RowGroup, rows: RowMaker) -> Iterator[Sample | Failure]:
    """Every row of a group once; those that a damage hides are lost rows."""
    for part in sound_batches(parquet, group):
        if isinstance(part, LostRows):
            yield from rows.lost(part.numbers, "unreadable_row_group", part.message)
        else:
            yield from rows(part[1], part[0])


def sound_batches(
    parquet: pq.ParquetFile, group: RowGroup, columns: Sequence[str] | None = None, rows: int = BATCH_ROWS
) -> Iterator[tuple[int, pa.RecordBatch] | LostRows]:
    """A row group's batches, each with the number of its first row, up to a damage; then what is lost to that."""
    at, end, said = group.first, group.first + group.rows, "it ends early"
    batches = group_batches(parquet, group, columns, rows)
    while at < end:
        try:
            batch = next(batches, None)
        except (pa.ArrowException, OSError) as error:
            batch, said = None, said_of_data(error)
        if batch is None:
            message = f"Row group {group.index:,} can't be read from row {at:,} to its last, {end - 1:,} ({said})."
            yield LostRows(numbers=range(at, end), message=message)
            return
        yield at, batch
        at += batch.num_rows


def group_batches(
    parquet: pq.ParquetFile, group: RowGroup, columns: Sequence[str] | None, rows: int = BATCH_ROWS
) -> Iterator[pa.RecordBatch]:
    """A row group in small batches, of some columns or of all. Raises ArrowException or OSError where it is damaged."""
    batches: Iterator[pa.RecordBatch] = parquet.iter_batches(
        batch_size=rows, row_groups=[group.index], columns=columns, use_threads=False
    )
    return batches


def parquet_file(file: BinaryIO) -> pq.ParquetFile:
    """The parquet open in `file`, to be read piece by piece: pyarrow's own way is to fetch a row group whole, which
    may be the whole file (300 MB of images as polars writes them: 370 MB and 0.19 s, streamed 72 MB and 0.07 s).

    Raises ArrowException or OSError where its footer can't be read.
    """
    return pq.ParquetFile(file, buffer_size=_BUFFER_BYTES, pre_buffer=False, page_checksum_verification=True)


def row_groups(metadata: pq.FileMetaData) -> list[RowGroup]:
    """The row groups of a file, in order."""
    groups: list[RowGroup] = []
    first = 0
    for index in range(metadata.num_row_groups):
        rows = metadata.row_group(index).num_rows
        groups.append(RowGroup(index=index, first=first, rows=rows))
        first += rows
    return groups


def open_parquet(root: Place, files: Sequence[Place], columns: Columns) -> ParquetImages | None:
    """The files as a data set; their footers are read. None where no file has images, or paths of images but no urls.

    Raises UnusableInputError where some files have an image column and others have none.
    """
    with ThreadPoolExecutor(8) as pool:
        footers = dict(zip(files, pool.map(_look, files), strict=True))
    readable = {file: footer for file, footer in footers.items() if isinstance(footer, _Footer)}
    with_images = [file for file, footer in readable.items() if _has_images(footer.schema, columns)]
    if not with_images:
        return None
    without = next((file for file in readable if file not in with_images), None)
    if without is not None:
        found = " ".join(readable[without].schema.names)
        raise UnusableInputError(
            f"{relative(with_images[0], root)} has an image column, but {relative(without, root)} has none "
            f"(found {found}); name the files to read, by a pattern such as data/*.parquet."
        )
    return _dataset(root, footers, columns)


def parquet_files(root: Place) -> list[Place]:
    """The parquet files at or below a folder; not the hidden ones, nor those that describe a folder of images."""
    found = [path for path in root.rglob("*.parquet") if path.name != "metadata.parquet"]
    return sorted((path for path in found if not is_hidden(relative(path, root)) and path.is_file()), key=str)


def why_no_images(root: Place, files: Sequence[Place], columns: Columns) -> UnusableInputError | None:
    """Why parquet files are no data set of images, as the first readable one shows; None where it has urls to download
    from, or none is readable."""
    footers = ((file, _look(file)) for file in files)
    readable = ((file, footer.schema) for file, footer in footers if isinstance(footer, _Footer))
    file, schema = next(readable, (root, pa.schema([])))
    if not schema.names or columns.find(schema.names, "url") is not None:
        return None
    try:
        roles_of(schema, columns, relative(file, root))
    except UnusableInputError as error:
        return error
    return None


def _has_images(schema: pa.Schema, columns: Columns) -> bool:
    """Images themselves, or their paths: a list of urls may name files too, so there the user says that they count."""
    image = image_column(schema, columns)
    if image is None:
        return False
    return holds_bytes(schema, image) or columns.image is not None or columns.find(schema.names, "url") is None


def _dataset(root: Place, footers: Mapping[Place, _Footer | str], columns: Columns) -> ParquetImages:
    shards: list[Shard] = []
    groups: dict[str, Sequence[RowGroup] | str] = {}
    for file, footer in footers.items():
        name = printable(relative(file.with_suffix(""), root))
        parts = {name: footer} if isinstance(footer, str) else _parts(name, footer.groups)
        groups.update(parts)
        state = states(root, file, *([] if isinstance(footer, str) else _image_files(root, file, footer, columns)))
        shards += [Shard(name=part, path=file, index=len(shards) + i, files=state) for i, part in enumerate(parts)]
    return ParquetImages(root=root, shards=tuple(shards), columns=columns, groups=groups)


def _image_files(root: Place, file: Place, footer: _Footer, columns: Columns) -> Iterator[Place]:
    """The images that a local table names by their paths: a run must notice when one of them changes."""
    image = image_column(footer.schema, columns)
    if image is None or holds_bytes(footer.schema, image) or not is_local(file):
        return
    with open_place(file) as opened, suppress(pa.ArrowException):  # what is damaged is said when it is read
        parquet = parquet_file(opened)
        for group in footer.groups:
            for batch in group_batches(parquet, group, [image]):
                paths = (path for path in batch.column(0).to_pylist() if path and not is_outside(path))
                yield from filter(None, (file_of(path, file.parent, root) for path in paths))


def _parts(name: str, groups: Sequence[RowGroup]) -> dict[str, Sequence[RowGroup]]:
    """Consecutive row groups of at most ten thousand rows together, or single ones that have more."""
    parts: list[list[RowGroup]] = [[]]
    for group in groups:
        if parts[-1] and group.first + group.rows - parts[-1][0].first > SHARD_ROWS:
            parts.append([])
        parts[-1].append(group)
    return {name: parts[0]} if len(parts) == 1 else {f"{name}:{i}": part for i, part in enumerate(parts)}


def _look(path: Place) -> _Footer | str:
    try:
        with open_place(path) as file:
            parquet = parquet_file(file)
            return _Footer(schema=parquet.schema_arrow, groups=row_groups(parquet.metadata))
    except (pa.ArrowException, OSError) as error:
        return said_of_data(error)
