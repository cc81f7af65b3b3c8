"""A webdataset shard without the dropped rows: the tar, and what img2dataset wrote beside it.

The members of all other rows are copied byte for byte, in their order (`scanner.samples.copy_without`). Which row a
member belongs to is its key in the tar, whatever the run calls it; a dropped row is found by where its image lies. Rows
that could not be read stay, unless they are to be dropped too; so does whatever else lies in the tar. A shard of which
no row is left is an empty tar, so that shards keep their numbers.

Of img2dataset's parquet (it has `key` and `status`) the rows go too, the others stay as they are and in their order;
its _stats.json counts what is left. Other files beside a tar are not copied.

>>> rewrite_shard(Source(tar=tar, size=size), cut, Path("repaired/00000"))           # doctest: +SKIP
ShardCounts(rows=812, dropped=188, size=10485760)
"""

import io
import json
from collections.abc import Set
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from scanner.errors import ScannerError
from scanner.files import replacing
from scanner.samples import Place, TarRange, copy_without, open_place, tar_layout

_FAILED = ("failed_to_download", "failed_to_resize")
"""img2dataset's statuses but `success`, which are counted under their own names."""


@dataclass(frozen=True, kw_only=True)
class Cut:
    """What goes from a shard."""

    images: Set[int]
    """Where the images of dropped rows begin in the tar."""
    keys: Set[str]
    """Keys of rows that could not be read and go too."""


@dataclass(frozen=True, kw_only=True)
class ShardCounts:
    """What became of a shard."""

    rows: int
    """Rows in the new tar."""
    dropped: int
    """Rows that are not in it any more."""
    size: int
    """Bytes of the old tar."""


def rewrite_shard(tar: Place, size: int, cut: Cut, stem: Path) -> ShardCounts:
    """Write `stem`.tar, .parquet and _stats.json, each whole or not at all, the tar last: its being there says that the
    shard is finished.

    Raises ScannerError when the images are not where the run read them.
    """
    with open_place(tar) as file:
        layout = tar_layout(file, size)
        dropped = _keys(layout, cut, tar)
        _rewrite_beside(tar, dropped, len(cut.images), stem)
        with replacing(_beside(stem, ".tar")) as temporary, temporary.open("wb") as out:
            copy_without(file, layout, dropped, out)
    there = {member.key for member in layout if member.key is not None}
    return ShardCounts(rows=len(there - dropped), dropped=len(there & dropped), size=size)


def _keys(layout: list[TarRange], cut: Cut, tar: Place) -> frozenset[str]:
    """Keys in the tar of the rows that go."""
    found = {member.data: member.key for member in layout if member.data in cut.images}
    if len(found) != len(cut.images) or None in found.values():
        raise ScannerError(f"{tar} does not hold its images where the run read them; audit the data set anew.")
    return frozenset(key for key in found.values() if key is not None) | cut.keys


def _beside(stem: Path, ending: str) -> Path:
    return stem.with_name(stem.name + ending)


def _rewrite_beside(tar: Place, dropped: Set[str], images: int, stem: Path) -> None:
    """img2dataset's parquet and counts, where they are there."""
    table = _read_records(tar.with_suffix(".parquet"))
    statuses = [("success", "success")] * images
    if table is not None:
        goes = pc.is_in(table["key"].cast(pa.string()), value_set=pa.array(sorted(dropped), pa.string()))
        gone = table.filter(goes)
        statuses = [_status(row) for row in gone.select(_status_columns(gone)).to_pylist()]
        with replacing(_beside(stem, ".parquet")) as temporary:
            pq.write_table(table.filter(pc.invert(goes)), temporary)
    stats = _read_stats(tar.with_name(f"{tar.stem}_stats.json"))
    if stats is not None:
        with replacing(_beside(stem, "_stats.json")) as temporary:
            text = json.dumps(_fewer(stats, statuses), indent=4)
            temporary.write_text(text, encoding="utf-8")


def _read_records(path: Place) -> pa.Table | None:
    """img2dataset's parquet; None where there is none, or it is somebody else's."""
    if not path.exists():
        return None
    with open_place(path) as file:
        table = pq.read_table(io.BytesIO(file.read()))
    return table if {"key", "status"} <= set(table.column_names) else None


def _status_columns(table: pa.Table) -> list[str]:
    return [name for name in ("status", "error_message") if name in table.column_names]


def _status(row: dict[str, Any]) -> tuple[str, str]:
    """A row's status, and what _stats.json counts it under besides: its error, or success."""
    status = str(row["status"])
    return status, status if status == "success" else str(row.get("error_message"))


def _read_stats(path: Place) -> dict[str, Any] | None:
    if not path.exists():
        return None
    with open_place(path) as file:
        stats = json.loads(file.read())
    return stats if isinstance(stats, dict) and isinstance(stats.get("count"), int) else None


def _fewer(stats: dict[str, Any], gone: list[tuple[str, str]]) -> dict[str, Any]:
    """The counts without the rows of these statuses; what was never counted stays out."""
    left = dict(stats, count=stats["count"] - len(gone))
    for name, status in (("successes", "success"), *((failed, failed) for failed in _FAILED)):
        if name in left:
            left[name] -= sum(one == status for one, _ in gone)
    if isinstance(left.get("status_dict"), dict):
        errors = {name: n - sum(error == name for _, error in gone) for name, n in left["status_dict"].items()}
        left["status_dict"] = {name: n for name, n in errors.items() if n}
    return left
