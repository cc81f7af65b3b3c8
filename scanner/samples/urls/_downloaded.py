"""Read what img2dataset downloaded of a list of URLs: the rows of the list, under its own names and in its order.

A chunk of the list is one shard of img2dataset's, and a shard here. img2dataset gives keys of its own and stores rows
as they come in; the chunk says which row each key is, so that two downloads of one list give the same rows in the same
order. Caption, url and other columns come from the list itself. Every row has an outcome: an image, img2dataset's
reason for the lack of one, the reason why it was not to be downloaded, or `no_outcome`.

    DOWNLOAD/plan.parquet                  the chunks; written last of what comes before the download
    DOWNLOAD/list/00000007.parquet         rows that img2dataset is given for its shard 7
    DOWNLOAD/left_out/00000007.parquet     rows of chunk 7 that are not to be downloaded
    DOWNLOAD/00007.tar, .parquet, _stats.json  img2dataset's

>>> image_key(7, 12, 10_000)
'000070012'
"""

import math
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import polars as pl

from scanner.samples._sample import Failure, Sample, Shard, states
from scanner.samples._tar import Member, Row, read_tar
from scanner.samples._webdataset import Record, lost_row, read_records
from scanner.samples.urls._choose import ADDED, CAPTION, KEY, URL
from scanner.samples.urls._chunks import given_name
from scanner.samples.urls._find import ListedFile, UrlList

PLAN = pl.Schema({"chunk": pl.Int64, "file": pl.Int64, "shard": pl.String, "number": pl.Int64, "rows": pl.Int64})
"""Columns of the plan: position of the chunk, of its file in the list, its name, number of img2dataset's shard (null
where there is nothing to download), and rows to download."""


@dataclass(frozen=True, kw_only=True)
class DownloadFolder:
    """Where everything lies."""

    path: Path
    """The folder."""

    @property
    def plan(self) -> Path:
        """The chunks of the list."""
        return self.path / "plan.parquet"

    @property
    def log(self) -> Path:
        """What img2dataset says."""
        return self.path / "img2dataset.log"

    @property
    def lists(self) -> Path:
        """The folder of the rows that img2dataset is given."""
        return self.path / "list"

    def list(self, number: int) -> Path:
        """The rows of its shard of that number."""
        return self.lists / f"{number:08d}.parquet"

    def left_out(self, chunk: int) -> Path:
        """The ledger of a chunk."""
        return self.path / "left_out" / f"{chunk:08d}.parquet"

    def tar(self, number: int) -> Path:
        """The images of img2dataset's shard of that number."""
        return self.path / f"{number:05d}.tar"

    def stats(self, number: int) -> Path:
        """What img2dataset writes when it has finished the shard."""
        return self.path / f"{number:05d}_stats.json"


def image_key(number: int, position: int, rows: int) -> str:
    """img2dataset's key of a shard's row, where a shard has `rows` rows at most."""
    width = math.ceil(math.log10(rows))
    return f"{10**width * number + position:0{width + 5}d}"


@dataclass(frozen=True, kw_only=True)
class Part:
    """What a shard is made of."""

    file: ListedFile
    """The file of the list that its rows are of."""
    chunk: int
    """Position of the chunk."""
    number: int | None
    """Number of img2dataset's shard; None where there was nothing to download."""


@dataclass(frozen=True, kw_only=True)
class Downloaded:
    """A list of URLs with its images."""

    folder: DownloadFolder
    """What was downloaded."""
    shards: tuple[Shard, ...]
    """One per chunk of the list, in its order."""
    parts: Mapping[str, Part]
    """By the name of the shard."""
    rows: int
    """Rows to download that a shard has at most."""
    layout: str = "urls"
    """Name of the layout."""

    @property
    def root(self) -> Path:
        """The folder that img2dataset wrote to."""
        return self.folder.path

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        """Every row of the chunk once: those left out, then those to be downloaded in the order of the list."""
        part = self.parts[shard.name]
        ledger = pl.read_parquet(self.folder.left_out(part.chunk))
        for key, stage, reason, message in ledger.iter_rows():
            yield Failure(shard=shard.name, key=key, stage=stage, reason=reason, message=message)
        if part.number is not None:
            yield from self._read(shard, part.file, part.number)

    def _read(self, shard: Shard, file: ListedFile, number: int) -> Iterator[Sample | Failure]:
        tar_file = self.folder.tar(number)
        records, remarks = read_records(shard, tar_file.with_suffix(".parquet"), tar_file.name)
        yield from remarks
        rows: dict[str, Row] = {}
        with ExitStack() as stack:
            tar = stack.enter_context(tar_file.open("rb")) if tar_file.is_file() else None
            for item in () if tar is None else read_tar(tar, shard):
                if isinstance(item, Failure):
                    yield item
                else:
                    rows[item.key] = item
            wanted = pl.read_parquet(self.folder.list(number)).iter_rows(named=True)
            for position, asked in enumerate(wanted):
                key = image_key(number, position, self.rows)
                image = _image_of(rows.get(key))
                if image is None or tar is None:
                    yield _lost(shard, asked[KEY], records.get(key, {}), rows.get(key))
                else:
                    place = (tar_file.name, image.offset, _bytes(tar, image))
                    yield _sample(shard, file, asked, records.get(key, {}), place)


def open_downloaded(folder: DownloadFolder, urls: UrlList, rows: int) -> Downloaded:
    """What was downloaded of a list in shards of `rows` rows at most."""
    plan = pl.read_parquet(folder.plan).sort("chunk")
    parts = {
        name: Part(file=urls.files[file], chunk=chunk, number=number)
        for chunk, file, name, number, _ in plan.iter_rows()
    }
    shards = tuple(_shard(folder, name, part) for name, part in parts.items())
    return Downloaded(folder=folder, shards=shards, parts=parts, rows=rows)


def _shard(folder: DownloadFolder, name: str, part: Part) -> Shard:
    path = folder.left_out(part.chunk) if part.number is None else folder.tar(part.number)
    files = [file for file in (path, path.with_suffix(".parquet")) if part.number is not None and file.is_file()]
    return Shard(name=name, path=path, index=part.chunk, files=states(folder.path, *files))


def _image_of(row: Row | None) -> Member | None:
    return None if row is None else next((member for member in row.members if member.kind == "image"), None)


def _bytes(tar: BinaryIO, member: Member) -> bytes:
    tar.seek(member.offset)
    return tar.read(member.size)


def _lost(shard: Shard, key: str, record: Record, row: Row | None) -> Failure:
    if record or row is not None:
        return lost_row(shard, key, record, [] if row is None else [f".{member.extension}" for member in row.members])
    message = "img2dataset stopped before it said what became of this row; see download/img2dataset.log in the run."
    return Failure(shard=shard.name, key=key, stage="download", reason="no_outcome", message=message)


def _sample(
    shard: Shard, file: ListedFile, asked: Mapping[str, Any], record: Record, place: tuple[str, int, bytes]
) -> Sample:
    name, offset, encoded = place
    roles = {file.url: asked[URL]} | ({} if file.caption is None else {file.caption: asked[CAPTION]})
    others = {given_name(column): value for column, value in asked.items() if column not in (KEY, URL, CAPTION)}
    added = {column: record.get(column) for column in ADDED}
    return Sample(
        shard=shard.name,
        key=asked[KEY],
        encoded=encoded,
        file=name,
        offset=offset,
        caption=asked[CAPTION],
        url=asked[URL],
        extra=added | roles | others,
    )
