"""Canaries as a folder of images, with their captions where the data set has them: .txt, .json or a metadata table.

>>> write_folder(Path("canaries"), "canaries", copies, folder_like(survey, columns))    # doctest: +SKIP
"""

import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from scanner.canaries._copies import Copy
from scanner.canaries._places import Placed
from scanner.canaries._records import key_of, record_of
from scanner.canaries._survey import Survey
from scanner.files import replacing
from scanner.samples import METADATA_FILES, Columns, Place, name_columns


@dataclass(frozen=True, kw_only=True)
class FolderLike:
    """What the data set's folders are like."""

    text: bool
    """Whether captions stand in .txt files."""
    beside: bool
    """Whether an image has a .json."""
    table: str | None
    """Name of the metadata table; None where there is none."""
    example: Mapping[str, Any]
    """The fields of a row."""
    columns: Columns
    """Columns that the user named."""


def folder_like(survey: Survey, root: Place, columns: Columns) -> FolderLike:
    """What the folder that has the first row is like; its metadata table may lie in a folder above."""
    folder = survey.shard.path
    endings = {path.suffix.lower() for path in folder.iterdir()}
    above = [folder, *(parent for parent in folder.parents if str(parent).startswith(str(root)))]
    table = next((name for where in above for name in METADATA_FILES if (where / name).exists()), None)
    beside = ".json" in endings
    return FolderLike(
        text=".txt" in endings or not (table or beside),
        beside=beside,
        table=table,
        example=survey.example,
        columns=columns,
    )


def write_folder(folder: Path, name: str, copies: Sequence[Copy], like: FolderLike) -> list[Placed]:  # noqa: ARG001
    """The images with what stands beside them; gives where each row went."""
    placed = []
    for copy in copies:
        image = f"{copy.key}.{copy.suffix}"
        _write(folder / image, copy.encoded)
        if like.text:
            _write(folder / f"{copy.key}.txt", copy.canary.caption.encode())
        if like.beside:
            _write(
                folder / f"{copy.key}.json",
                json.dumps(record_of(like.example, copy, like.columns), default=str).encode(),
            )
        key = key_of(like.example, copy, like.columns)
        placed.append(Placed(copy=copy, shard=folder.name, key=key, file=f"{folder.name}/{image}"))
    if like.table is not None:
        records = [_record(copy, like) for copy in copies]
        _write(folder / like.table, _encoded(records, like.table))
    return placed


def _record(copy: Copy, like: FolderLike) -> dict[str, Any]:
    """A row of the metadata table: the data set's columns, with the image's name in that of the names."""
    named = name_columns(list(like.example), like.columns) or ["file_name"]
    image = f"{copy.key}.{copy.suffix}"
    names = {column: [image] if isinstance(like.example.get(column), list) else image for column in named}
    return record_of(like.example, copy, like.columns) | names


def _encoded(records: Sequence[Mapping[str, Any]], name: str) -> bytes:
    """Rows in the format of the table's name. A CSV is written by Python's own writer, which quotes what needs it."""
    if name.endswith(".jsonl"):
        return b"".join(json.dumps(record, ensure_ascii=False, default=str).encode() + b"\n" for record in records)
    if name.endswith(".parquet"):
        file = io.BytesIO()
        pl.DataFrame(list(records), infer_schema_length=None).write_parquet(file)
        return file.getvalue()
    text = io.StringIO()
    writer = csv.DictWriter(text, list(records[0]))
    writer.writeheader()
    writer.writerows(records)
    return text.getvalue().encode()


def _write(path: Path, content: bytes) -> None:
    with replacing(path) as temporary:
        temporary.write_bytes(content)
