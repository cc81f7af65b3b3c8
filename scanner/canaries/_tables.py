"""Canaries as tables: Hugging Face parquet, or the Arrow streams of `save_to_disk`, with the data set's own columns.

>>> write_parquet(Path("canaries"), "canaries", copies, table_like(survey, columns))    # doctest: +SKIP
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from scanner.canaries._copies import Copy
from scanner.canaries._places import ROWS_PER_FILE, Placed, numbered
from scanner.canaries._records import record_of
from scanner.canaries._survey import Survey
from scanner.errors import UnusableInputError
from scanner.files import replacing
from scanner.run import write_json
from scanner.samples import Columns, Roles, holds_bytes, open_place, open_stream, roles_of


@dataclass(frozen=True, kw_only=True)
class TableLike:
    """What the data set's tables are like."""

    schema: pa.Schema
    """Its columns, and what Hugging Face says of them."""
    roles: Roles
    """Which of them is what."""
    example: Mapping[str, Any]
    """A row."""
    columns: Columns
    """Columns that the user named."""


def table_like(survey: Survey, columns: Columns) -> TableLike:
    """What the table that has the first row is like."""
    path = survey.shard.path
    if path.suffix == ".parquet":
        with open_place(path) as file:
            schema = pq.read_schema(file)
    else:
        with open_stream(path) as (schema, _):
            pass
    return TableLike(schema=schema, roles=roles_of(schema, columns, path.name), example=survey.example, columns=columns)


def as_table(records: Sequence[Mapping[str, Any]], schema: pa.Schema) -> pa.Table:
    """Rows as a table of that schema. Raises UnusableInputError where a canary's row does not fit into it."""
    try:
        return pa.Table.from_pylist(list(records), schema=schema)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        raise UnusableInputError(
            f"A canary's row does not fit into the data set's columns ({' '.join(str(error).split())})."
        ) from error


def write_parquet(folder: Path, name: str, copies: Sequence[Copy], like: TableLike) -> list[Placed]:
    """Parquet files of at most a thousand rows; gives where each row went."""
    placed = []
    for shard, rows in numbered(name, copies, ROWS_PER_FILE):
        table = _table(folder, rows, like)
        with replacing(folder / f"{shard}.parquet") as temporary:
            pq.write_table(table, temporary)
        placed += _placed(table, shard, rows, f"{folder.name}/{shard}.parquet", like)
    return placed


def write_arrow(folder: Path, name: str, copies: Sequence[Copy], like: TableLike) -> list[Placed]:
    """A folder that `datasets.load_from_disk` opens; gives where each row went."""
    placed, files = [], []
    for shard, rows in numbered(name, copies, ROWS_PER_FILE):
        table = _table(folder, rows, like)
        with (
            replacing(folder / f"{shard}.arrow") as temporary,
            ipc.new_stream(str(temporary), table.schema) as stream,
        ):
            stream.write_table(table)
        files.append({"filename": f"{shard}.arrow"})
        placed += _placed(table, shard, rows, f"{folder.name}/{shard}.arrow", like)
    write_json(folder / "dataset_info.json", _info(like.schema))
    write_json(folder / "state.json", {"_data_files": files, "_fingerprint": name, "_format_columns": None,
                                       "_format_kwargs": {}, "_format_type": None, "_output_all_columns": False,
                                       "_split": None})  # fmt: skip
    return placed


def _info(schema: pa.Schema) -> dict[str, Any]:
    """What Hugging Face's library keeps of a data set, from the schema; nothing where the schema does not say it."""
    try:
        return dict(json.loads(schema.metadata[b"huggingface"])["info"])
    except (TypeError, KeyError, ValueError):
        return {}


def _table(folder: Path, rows: Sequence[Copy], like: TableLike) -> pa.Table:
    return as_table([_row(folder, copy, like) for copy in rows], like.schema)


def _row(folder: Path, copy: Copy, like: TableLike) -> dict[str, Any]:
    example = {name: like.example.get(name) for name in like.schema.names}
    return record_of(example, copy, like.columns) | {like.roles.image: _image(folder, copy, like)}


def _image(folder: Path, copy: Copy, like: TableLike) -> Any:
    """The cell of the image column: bytes, bytes with a name, or the path of a file written beside the table."""
    kind, name = like.schema.field(like.roles.image).type, f"{copy.key}.{copy.suffix}"
    if not holds_bytes(like.schema, like.roles.image):
        with replacing(folder / "images" / name) as temporary:
            temporary.write_bytes(copy.encoded)
        return f"images/{name}"
    return {"bytes": copy.encoded, "path": name} if pa.types.is_struct(kind) else copy.encoded


def _placed(table: pa.Table, shard: str, rows: Sequence[Copy], file: str, like: TableLike) -> list[Placed]:
    keys = table[like.roles.key].to_pylist() if like.roles.key else range(len(rows))
    return [Placed(copy=copy, shard=shard, key=str(key), file=file) for copy, key in zip(rows, keys, strict=True)]
