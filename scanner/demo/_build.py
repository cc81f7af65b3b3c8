"""Write the demo's data set: an img2dataset-style webdataset in which duplicates of known kinds are planted.

Layout, names, columns and member order are those that img2dataset 1.47 writes (`--output_format webdataset
--resize_mode no`): `00000.tar` with `{key}.jpg`, `.json`, `.txt`, beside it `00000.parquet` and
`00000_stats.json` (https://github.com/rom1504/img2dataset). It differs in four points: rows come in a planned
order, files are stored as they were "downloaded", so PNG and WebP stand among the JPEGs; a few members are
broken, mis-named or missing, as in sets that went through other tools; and keys have the four digits of
img2dataset's default shard of 10,000 rows although a shard holds 1,000. Which row copies which stands in a
truth table outside the data set, which the scanner never reads.

    >>> build_demo(Path("demo-data"))   # doctest: +SKIP
"""

import hashlib
import io
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from scanner.demo._broken import break_caption, break_file
from scanner.demo._edits import KINDS, Encoded, copied, decoded, jpeg
from scanner.demo._pictures import demo_links, demo_pictures
from scanner.demo._plan import Planned, plan_rows
from scanner.errors import UnusableInputError
from scanner.shards import CRAWLED, WrittenRow, shard_files

ROWS_PER_SHARD = 1000
TRUTH = {
    "shard": pl.String, "key": pl.String, "picture": pl.Int64, "group_copies": pl.Int64, "kind": pl.String,
    "original_key": pl.String, "caption_kind": pl.String, "agreeing": pl.Boolean,
}  # fmt: skip
"""Columns of the truth table, as `truth` explains them."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One planned row with its place and its file."""

    planned: Planned
    """What it is."""
    shard: str
    """Name of its shard: five digits."""
    key: str
    """Shard and four digits more."""
    encoded: Encoded | None
    """Its picture file; None where the tar holds none."""


def truth_path(out: Path) -> Path:
    """Where the truth table of the data set in `out` lies unless `build_demo` was told otherwise."""
    return out.with_name(f"{out.name}-truth.parquet")


def truth(path: Path) -> pl.DataFrame:
    """The truth table at `path`, one row for every row of the data set, in the data set's order.

    Columns: `shard`, `key`, `picture` (as in `demo_pictures`), `group_copies` (readable rows that show the
    picture), `kind` (single, original, natural, a kind of copy, failed_download, failed_resize or broken_<what>),
    `original_key` (key of the picture's first row; keys are unique over all shards), `caption_kind` (one, several,
    html, emoji, shared, missing, empty) and `agreeing` (the picture's rows carry one caption).
    """
    return pl.read_parquet(path)


def _originals() -> dict[int, Encoded]:
    """The original file of every picture, as its first row in the data set holds it."""
    pictures = demo_pictures().select("picture", "webp").iter_rows()
    return {picture: jpeg(decoded(Encoded(data=webp, ending="webp"))) for picture, webp in pictures}


def _encoded(planned: Planned, whole: Encoded, rng: np.random.Generator) -> Encoded | None:
    if planned.error is not None:
        return None
    if planned.kind.startswith("broken_"):
        return break_file(planned.kind.removeprefix("broken_"), whole)
    return copied(whole, planned.kind, rng) if planned.kind in KINDS else whole


def _placed(planned: list[Planned], seed: int) -> Iterator[Row]:
    """The rows with keys and files, in order."""
    whole = _originals()
    for number, row in enumerate(planned):
        shard = f"{number // ROWS_PER_SHARD:05d}"
        encoded = _encoded(row, whole[row.picture], np.random.default_rng((seed, row.picture, row.copy)))
        yield Row(planned=row, shard=shard, key=f"{shard}{number % ROWS_PER_SHARD:04d}", encoded=encoded)


def _meta(row: Row, whole_size: tuple[int, int]) -> dict[str, Any]:
    """What img2dataset writes of a row, in its order."""
    failed = row.planned.error is not None
    status = row.planned.kind.replace("failed_", "failed_to_") if failed else "success"
    width, height = (None, None) if failed else whole_size
    digest = None if failed else hashlib.sha256(row.encoded.data if row.encoded else b"").hexdigest()
    return {
        "caption": row.planned.caption, "url": row.planned.url, "key": row.key, "status": status,
        "error_message": row.planned.error, "width": width, "height": height, "original_width": width,
        "original_height": height, "exif": None if failed else "{}", "sha256": digest,
    }  # fmt: skip


def _size(encoded: Encoded | None, kind: str) -> tuple[int, int]:
    """Width and height upright, in pixels; of a broken file, what a crawler was told."""
    if encoded is None or (kind.startswith("broken_") and kind != "broken_caption"):
        return (128, 128)
    image = Image.open(io.BytesIO(encoded.data))
    turned = image.getexif().get(0x0112, 1) >= 5
    return (image.height, image.width) if turned else (image.width, image.height)


def _members(row: Row) -> dict[str, bytes]:
    """Endings and contents of a row's files in the tar, its .json apart."""
    caption = row.planned.caption or ""
    members: dict[str, bytes] = {}
    if row.planned.caption_kind != "missing":
        broken = row.planned.kind == "broken_caption"
        members["txt"] = break_caption(caption) if broken else caption.encode()
    if row.encoded is not None:
        members[row.encoded.ending] = row.encoded.data
    return members


def _write_shard(out: Path, name: str, rows: list[Row]) -> None:
    """Tar, then parquet, then statistics: a shard is whole when its statistics are there."""
    (out / f"{name}_stats.json").unlink(missing_ok=True)
    written = [
        WrittenRow(key=row.key, meta=_meta(row, _size(row.encoded, row.planned.kind)), members=_members(row))
        for row in rows
    ]
    for file, content in shard_files(name, written).items():
        (out / file).write_bytes(content)


def _truth_table(rows: list[Row]) -> pl.DataFrame:
    first = {row.planned.picture: row.key for row in rows if row.planned.copy == 0}
    return pl.DataFrame(
        [
            {
                "shard": row.shard, "key": row.key, "picture": row.planned.picture,
                "group_copies": row.planned.group_copies, "kind": row.planned.kind,
                "original_key": first[row.planned.picture], "caption_kind": row.planned.caption_kind,
                "agreeing": row.planned.agreeing,
            }
            for row in rows
        ],
        schema=TRUTH,
    )  # fmt: skip


def _refuse_other_files(out: Path, truth_table: Path, shards: int) -> None:
    """Raise UnusableInputError unless `out` is new, empty or an earlier build."""
    endings = (".tar", ".parquet", "_stats.json")
    own = {f"{shard:05d}{ending}" for shard in range(shards) for ending in endings}
    if out.exists() and (not out.is_dir() or any(path.name not in own for path in out.iterdir())):
        raise UnusableInputError(f"{out} holds something else than demo data; name a new or an empty directory.")
    if truth_table.absolute().is_relative_to(out.absolute()):
        raise UnusableInputError(f"{truth_table} lies inside the data set; put the truth table outside of {out}.")


def build_demo(out: Path, seed: int = 0, truth_table: Path | None = None) -> Path:
    """Write the data set into `out` and its truth table beside it (or to `truth_table`); gives `out`.

    The same seed gives the same bytes and times (under the same versions of Pillow and polars, which encode them).
    About 4,800 rows in shards of 1,000, 62 MB; takes seconds. Files of an earlier build are written again. Raises
    UnusableInputError, and writes nothing, when `out` holds anything else or `truth_table` lies in it.
    """
    table = truth_table or truth_path(out)
    planned = plan_rows(demo_pictures(), demo_links(), seed)
    _refuse_other_files(out, table, -(-len(planned) // ROWS_PER_SHARD))
    rows = list(_placed(planned, seed))
    out.mkdir(parents=True, exist_ok=True)
    for shard in sorted({row.shard for row in rows}):
        _write_shard(out, shard, [row for row in rows if row.shard == shard])
    for path in out.iterdir():
        os.utime(path, (CRAWLED, CRAWLED))  # a run on an earlier build goes on with this one
    _truth_table(rows).write_parquet(table)
    return out
