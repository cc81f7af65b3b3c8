"""Read what Hugging Face's `save_to_disk` wrote: a folder of Arrow streams, or one such folder per split.

`state.json` lists the streams of a folder, `dataset_dict.json` the folders of a dictionary. Each stream is a shard,
named by its path below the root without its ending; rows come in stored order. Read with pyarrow alone. Single streams
that are named are read too (the library's cache holds such files), and so are Arrow files (`ARROW1`).

    >>> dataset = open_arrow(Path("photos"), arrow_files(Path("photos")), Columns())   # doctest: +SKIP
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow import ipc, types

from scanner.errors import UnusableInputError
from scanner.samples._columns import Columns
from scanner.samples._place import Place, open_place, relative, size_of
from scanner.samples._rows import TableRows, first_line, is_outside, roles_of, said_of_data
from scanner.samples._sample import Failure, Sample, Shard, states, unread
from scanner.samples._sidecar import printable

_DICT, _STATE = "dataset_dict.json", "state.json"
_FILE_MAGIC = b"ARROW1"
_END = b"\xff\xff\xff\xff\0\0\0\0"
"""Closes a stream (https://arrow.apache.org/docs/format/Columnar.html#ipc-streaming-format)."""


@dataclass(frozen=True, kw_only=True)
class ArrowImages:
    """Arrow streams with an image column."""

    root: Place
    """The folder that holds them."""
    shards: tuple[Shard, ...]
    """One per stream, in the order in which the data set lists them."""
    columns: Columns
    """Columns named by the user."""
    layout: str = "arrow"
    """Name of the layout."""

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        """Every row of the shard once, in stored order, up to where the stream is damaged."""
        first = 0
        try:
            with open_stream(shard.path) as (schema, batches):
                roles = roles_of(schema, self.columns, relative(shard.path, self.root))
                rows = TableRows(root=self.root, shard=shard, roles=roles)
                for batch in batches:
                    numbers = range(first, first + batch.num_rows)
                    wrong = damage_of(batch)
                    yield from rows.lost(numbers, "unreadable_batch", wrong) if wrong else rows(batch, first)
                    first += batch.num_rows
        except Damaged as error:
            message = f"The stream is cut or damaged ({error}); the {first:,} rows before that were read."
            yield unread(shard, "", "truncated_shard", message)


class Damaged(Exception):
    """A stream can't be followed any further."""


def arrow_files(root: Place) -> list[Place]:
    """The streams of what `save_to_disk` wrote at `root`, in order; none where that is not there.

    Raises UnusableInputError where the folder is not complete or from a release that stored a selection apart.
    """
    if (root / _DICT).exists():
        splits = _parse(root / _DICT).get("splits", [])
        return [file for split in splits for file in _files(root / _named(split, root / _DICT))]
    return _files(root) if (root / _STATE).exists() else []


def _files(folder: Place) -> list[Place]:
    where = folder / _STATE
    state = _parse(where)
    if state.get("_indices_data_files"):
        raise UnusableInputError(
            f"{folder} holds a selection of rows as an old release of datasets stored it; load it with that release, "
            "call flatten_indices() and save it again."
        )
    files = [folder / _named(entry.get("filename"), where) for entry in state.get("_data_files", [])]
    missing = next((file for file in files if not file.is_file()), None)
    if missing is not None:
        raise UnusableInputError(f"{where} lists {missing.name}, which is not there; put it back.")
    return files


def _parse(where: Place) -> dict[str, Any]:
    try:
        found = json.loads(where.read_bytes())
    except ValueError as error:
        raise UnusableInputError(f"{where} can't be parsed ({error}).") from error
    except FileNotFoundError as error:
        raise UnusableInputError(f"{where} is not there, so the data set is not complete; put it back.") from error
    if not isinstance(found, dict):
        raise UnusableInputError(f"{where} is not as datasets writes it: it holds a {type(found).__name__}.")
    return found


def _named(name: Any, where: Place) -> str:
    if not isinstance(name, str) or is_outside(name):
        raise UnusableInputError(f"{where} names {name}, which is no file of this folder.")
    return name


def open_arrow(root: Place, files: Sequence[Place], columns: Columns) -> ArrowImages:
    """The streams as a data set; their schemas are read. Raises UnusableInputError where one has no image column."""
    for file in files:
        try:
            with open_stream(file) as (schema, _):
                roles_of(schema, columns, relative(file, root))
        except Damaged:
            continue  # which the reader puts into the ledger
    shards = (
        Shard(name=printable(relative(file.with_suffix(""), root)), path=file, index=index, files=states(root, file))
        for index, file in enumerate(files)
    )
    return ArrowImages(root=root, shards=tuple(shards), columns=columns)


@contextmanager
def open_stream(where: Place) -> Iterator[tuple[pa.Schema, Iterator[pa.RecordBatch]]]:
    """Schema and batches of an Arrow stream or file; a local one is mapped, not read into memory.

    Opening it and each batch raise Damaged where it is cut or is no Arrow.
    """
    with ExitStack() as stack:
        try:
            local = isinstance(where, Path)
            file = stack.enter_context(pa.memory_map(str(where)) if local else pa.PythonFile(open_place(where), "r"))
            is_file = file.read(len(_FILE_MAGIC)) == _FILE_MAGIC
            file.seek(0)
            reader = stack.enter_context(ipc.open_file(file) if is_file else ipc.open_stream(file))
        except (pa.ArrowException, OSError) as error:
            raise Damaged(said_of_data(error)) from error
        yield reader.schema, _file_batches(reader) if is_file else _stream_batches(reader, where)


def _file_batches(reader: ipc.RecordBatchFileReader) -> Iterator[pa.RecordBatch]:
    try:
        for index in range(reader.num_record_batches):
            yield reader.get_batch(index)
    except (pa.ArrowException, OSError) as error:
        raise Damaged(said_of_data(error)) from error


def _stream_batches(reader: ipc.RecordBatchStreamReader, where: Place) -> Iterator[pa.RecordBatch]:
    while True:
        try:
            batch = reader.read_next_batch()
        except StopIteration:
            break
        except (pa.ArrowException, OSError) as error:
            raise Damaged(said_of_data(error)) from error
        yield batch
    if not _has_end_marker(where):
        raise Damaged("no end marker")  # pyarrow takes a cut between two batches for the end


def _has_end_marker(where: Place) -> bool:
    with open_place(where) as file:
        file.seek(max(0, size_of(where) - len(_END)))
        return file.read() == _END


def damage_of(batch: pa.RecordBatch) -> str | None:
    """What is wrong with a batch's layout in memory: a stream's offsets are used as they are, and may point anywhere.

    Text that is not UTF-8 is left to each row.
    """
    try:
        batch.validate()
        for column in batch.columns:
            _check(column)
    except pa.ArrowException as error:
        return f"Its batch is damaged ({first_line(error)})."
    return None


def _check(array: pa.Array) -> None:
    if isinstance(array, pa.ExtensionArray):
        _check(array.storage)
    elif types.is_struct(array.type):
        for index in range(array.type.num_fields):
            _check(array.field(index))
    elif types.is_list(array.type) or types.is_large_list(array.type):
        array.validate()
        _check_offsets(array.offsets, len(array.values))
        _check(array.values)
    elif types.is_string(array.type):
        array.view(pa.binary()).validate(full=True)
    elif types.is_large_string(array.type):
        array.view(pa.large_binary()).validate(full=True)
    else:
        array.validate(full=True)


def _check_offsets(offsets: pa.Array, length: int) -> None:
    bounds = offsets.to_numpy()
    if len(bounds) and (bounds[0] < 0 or bounds[-1] > length or (bounds[1:] < bounds[:-1]).any()):
        raise pa.ArrowInvalid("offsets of a list are not in order")
