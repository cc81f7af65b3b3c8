"""Shards as img2dataset 1.47 writes them (`--output_format webdataset`, https://github.com/rom1504/img2dataset).

A shard `00000` is three files: `00000.tar` with the members `{key}.jpg`, `.json` and `.txt` of each row that was
downloaded, `00000.parquet` with what the .json say, and `00000_stats.json`. They are given as bytes, equal for equal
rows (under the same version of polars): no clock and no user stands in them.

    >>> sorted(shard_files("00000", [written_row("000000000", caption="a red hat", url=None, picture=None)]))
    ['00000.parquet', '00000.tar', '00000_stats.json']
"""

import hashlib
import io
import json
import tarfile
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import polars as pl

CRAWLED = 1_767_225_600.0
"""The moment that every file and statistic carries, so that builds are equal: 2026-01-01, seconds since 1970."""
COLUMNS = {
    "caption": pl.String, "url": pl.String, "key": pl.String, "status": pl.String, "error_message": pl.String,
    "width": pl.Int32, "height": pl.Int32, "original_width": pl.Int32, "original_height": pl.Int32,
    "exif": pl.String, "sha256": pl.String,
}  # fmt: skip
"""img2dataset's columns, in its order."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """A picture file as it is stored."""

    data: bytes
    """The file."""
    ending: str
    """Its name's ending, without a dot."""
    size: tuple[int, int]
    """Width and height, pixels."""


@dataclass(frozen=True, kw_only=True)
class WrittenRow:
    """One row of a shard."""

    key: str
    """Name of its members before their endings."""
    meta: Mapping[str, Any]
    """What its .json and the shard's parquet say, by `COLUMNS`."""
    members: Mapping[str, bytes]
    """Its files besides the .json, by ending."""


def written_row(key: str, *, caption: str | None, url: str | None, picture: Picture | None) -> WrittenRow:
    """A row whose picture, where there is one, was stored as it was downloaded; no .txt where there is no caption."""
    width, height = picture.size if picture else (None, None)
    data = picture.data if picture else b""
    meta = {
        "caption": caption, "url": url, "key": key, "status": "success", "error_message": None,
        "width": width, "height": height, "original_width": width, "original_height": height,
        "exif": "{}", "sha256": hashlib.sha256(data).hexdigest(),
    }  # fmt: skip
    members = {picture.ending: picture.data} if picture else {}
    if caption is not None:
        members["txt"] = caption.encode()
    return WrittenRow(key=key, meta=meta, members=members)


def shard_files(name: str, rows: Sequence[WrittenRow]) -> dict[str, bytes]:
    """The files of a shard by name; whoever writes them in this order has a whole shard once the last is there."""
    stored = io.BytesIO()
    with tarfile.open(fileobj=stored, mode="w", format=tarfile.USTAR_FORMAT) as tar:
        for row in (row for row in rows if row.meta["status"] == "success"):
            members = {**row.members, "json": json.dumps(row.meta, indent=4).encode()}
            for ending, content in sorted(members.items()):
                _add(tar, f"{row.key}.{ending}", content)
    table = io.BytesIO()
    pl.DataFrame([row.meta for row in rows], schema=COLUMNS, orient="row").write_parquet(table)
    return {
        f"{name}.tar": stored.getvalue(),
        f"{name}.parquet": table.getvalue(),
        f"{name}_stats.json": json.dumps(_statistics(rows), indent=4).encode(),
    }


def _add(tar: tarfile.TarFile, name: str, content: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(content), int(CRAWLED), 0o444
    info.uname = info.gname = "bigdata"  # the names that img2dataset's tar writer gives
    tar.addfile(info, io.BytesIO(content))


def _statistics(rows: Sequence[WrittenRow]) -> dict[str, Any]:
    statuses = Counter(row.meta["status"] for row in rows)
    return {
        "count": len(rows), "successes": statuses["success"],
        "failed_to_download": statuses["failed_to_download"], "failed_to_resize": statuses["failed_to_resize"],
        "duration": 1.0, "start_time": CRAWLED, "end_time": CRAWLED + 1,
        "status_dict": dict(Counter(row.meta["error_message"] or "success" for row in rows)),
    }  # fmt: skip
