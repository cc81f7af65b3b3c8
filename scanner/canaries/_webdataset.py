"""Canaries as webdataset tars: with the members that the data set's own tars have, and img2dataset's parquet if it has.

>>> write_tars(Path("canaries"), "canaries", copies, example_of(survey, columns))    # doctest: +SKIP
"""

import io
import json
import tarfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from scanner.canaries._copies import Copy
from scanner.canaries._places import ROWS_PER_FILE, Placed, numbered
from scanner.canaries._records import key_of, record_of
from scanner.canaries._survey import Survey
from scanner.canaries._tables import as_table
from scanner.files import replacing
from scanner.samples import Columns, open_place

_LOOKED_AT = 64
"""Members of a tar that are looked at for a row that has an image."""
_IMAGES = ("jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff")


@dataclass(frozen=True, kw_only=True)
class TarExample:
    """What the data set's tars are like."""

    image: str
    """Extension of the image."""
    text: bool
    """Whether a row has its caption as .txt."""
    fields: Mapping[str, Any] | None
    """The .json of a row; None where it has none."""
    schema: pa.Schema | None
    """Of the parquet beside the tar; None where there is none."""
    extra: Mapping[str, Any]
    """The fields of a row, of both."""
    columns: Columns
    """Columns that the user named."""


def example_of(survey: Survey, columns: Columns) -> TarExample:
    """What the first tar that has a row is like."""
    members = _first_row(survey)
    image = next((name for name in members if name == columns.image or name.rpartition(".")[2] in _IMAGES), "jpg")
    beside = survey.shard.path.with_suffix(".parquet")
    schema = None
    if beside.exists():
        with open_place(beside) as file:
            schema = pq.read_schema(file)
    fields = json.loads(members["json"]) if "json" in members else None
    return TarExample(
        image=image,
        text="txt" in members or (fields is None and schema is None),
        fields=fields,
        schema=schema,
        extra=survey.example,
        columns=columns,
    )


def _first_row(survey: Survey) -> dict[str, bytes]:
    """Extensions and contents of the members of the first row that has an image and something beside it."""
    rows: dict[str, dict[str, bytes]] = {}
    with open_place(survey.shard.path) as file, tarfile.open(fileobj=file, mode="r|*") as tar:
        for number, member in enumerate(tar):
            if number == _LOOKED_AT:
                break
            key, _, extension = PurePosixPath(member.name).name.partition(".")
            content = tar.extractfile(member)
            if content is not None and key:
                rows.setdefault(key, {})[extension.lower()] = content.read()
    whole = (row for row in rows.values() if len(row) > 1 and any(e.rpartition(".")[2] in _IMAGES for e in row))
    return max(whole, key=len, default={})


def write_tars(folder: Path, name: str, copies: Sequence[Copy], like: TarExample) -> list[Placed]:
    """Tars of at most a thousand rows; gives where each row went."""
    placed = []
    for shard, rows in numbered(name, copies, ROWS_PER_FILE):
        with replacing(folder / f"{shard}.tar") as temporary, tarfile.open(temporary, "w") as tar:
            for copy in rows:
                for extension, content in _members(copy, like).items():
                    info = tarfile.TarInfo(f"{copy.key}.{extension}")
                    info.size, info.mode = len(content), 0o444
                    tar.addfile(info, io.BytesIO(content))
        if like.schema is not None:
            _write_parquet(folder / f"{shard}.parquet", rows, like.schema, like)
        file = f"{folder.name}/{shard}.tar"
        keys = (key_of(like.extra, copy, like.columns) for copy in rows)
        placed += [Placed(copy=copy, shard=shard, key=key, file=file) for copy, key in zip(rows, keys, strict=True)]
    return placed


def _members(copy: Copy, like: TarExample) -> dict[str, bytes]:
    members = {like.image: copy.encoded}
    if like.text:
        members["txt"] = copy.canary.caption.encode()
    if like.fields is not None:
        members["json"] = json.dumps(record_of(like.fields, copy, like.columns)).encode()
    return members


def _write_parquet(path: Path, rows: Sequence[Copy], schema: pa.Schema, like: TarExample) -> None:
    example = {name: like.extra.get(name) for name in schema.names}
    records = [record_of(example, copy, like.columns) for copy in rows]
    with replacing(path) as temporary:
        pq.write_table(as_table(records, schema), temporary)
