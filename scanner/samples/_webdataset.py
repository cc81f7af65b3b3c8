"""Read webdataset tars: img2dataset's output, with the parquet of each shard beside its tar, or plain tars.

Formats: https://github.com/webdataset/webdataset and https://github.com/rom1504/img2dataset. A row is all members
whose names agree up to the first dot of their last part; they need not stand together. img2dataset's failed downloads
are in the parquet only, and become failures here; a plain parquet without `key` and `status` is not img2dataset's
and is left alone.

    >>> dataset = open_webdataset(Path("laion"), sorted(Path("laion").glob("*.tar")))   # doctest: +SKIP
"""

import hashlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import polars as pl

from scanner.samples._decode import Undecodable
from scanner.samples._sample import Failure, Sample, Shard, unread
from scanner.samples._sidecar import printable, read_sidecars
from scanner.samples._tar import Member, list_tar

_HEAD = 1 << 16
_COLUMNS = ("key", "status", "error_message", "url", "caption")

_Record = Mapping[str, str | None]
"""A row of img2dataset's parquet: the columns above, where there are any."""


@dataclass(frozen=True, kw_only=True)
class WebDataset:
    """Tars in one folder, each a shard."""

    root: Path
    """The folder that holds the tars."""
    shards: tuple[Shard, ...]
    """One per tar, in the order of their names."""
    layout: str = "webdataset"
    """Name of the layout."""

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        """Every row of the shard once: the tar's in stored order, then those that only the parquet knows."""
        listing = list_tar(shard)
        records, failures = _read_parquet(shard)
        yield from listing.failures
        yield from failures
        with shard.path.open("rb") as file:
            for key, members in listing.rows.items():
                record = records.get(key, {})
                if any(member.kind == "image" for member in members):
                    yield from _read_row(file, shard, key, members, record)
                elif key not in listing.unsafe:
                    yield _lost_row(shard, key, record, members)
        for key, record in records.items():
            if key not in listing.rows and key not in listing.unsafe:
                yield _lost_row(shard, key, record, ())


def open_webdataset(root: Path, tars: Sequence[Path]) -> WebDataset:
    """The tars as a data set; only what their fingerprints need is read."""
    shards = (
        Shard(name=printable(tar.stem), path=tar, index=index, fingerprint=_fingerprint(tar))
        for index, tar in enumerate(tars)
    )
    return WebDataset(root=root, shards=tuple(shards))


def _fingerprint(tar: Path) -> str:
    digest = hashlib.sha256()
    for path in filter(Path.exists, (tar, tar.with_suffix(".parquet"))):
        size = path.stat().st_size
        digest.update(size.to_bytes(8, "little"))
        with path.open("rb") as file:
            digest.update(file.read(_HEAD))
            file.seek(max(0, size - _HEAD))
            digest.update(file.read(_HEAD))
    return digest.hexdigest()


def _read_parquet(shard: Shard) -> tuple[dict[str, _Record], list[Failure]]:
    """Records of img2dataset's parquet by key, and a failure where it can't be read."""
    path = shard.path.with_suffix(".parquet")
    if not path.exists():
        return {}, []
    try:
        columns = pl.read_parquet_schema(path).keys()
        if not {"key", "status"} <= columns:
            return {}, []
        frame = pl.read_parquet(path, columns=[name for name in _COLUMNS if name in columns])
        frame = frame.cast(pl.String).drop_nulls("key").unique("key", keep="first", maintain_order=True)
    except (pl.exceptions.PolarsError, OSError) as error:
        message = f"{path.name} can't be read ({str(error).splitlines()[0]}); failed downloads are not in the ledger."
        return {}, [unread(shard, "", "unreadable_parquet", message)]
    return {record["key"]: record for record in frame.to_dicts()}, []


def _read_row(
    file: BinaryIO, shard: Shard, key: str, members: Sequence[Member], record: _Record
) -> Iterator[Sample | Failure]:
    """The sample of the key's first image; any further row under the same key is a failure."""
    first: dict[str, Member] = {}
    for member in members:
        first.setdefault(member.kind, member)
    image = first["image"]
    try:
        beside = read_sidecars(_bytes(file, first.get("txt")), _bytes(file, first.get("json")))
    except Undecodable as error:
        yield unread(shard, key, error.reason, error.message)
    else:
        yield Sample(
            shard=shard.name,
            key=key,
            encoded=_bytes(file, image) or b"",
            offset=image.offset,
            path=shard.path,
            caption=beside.caption or record.get("caption") or None,
            url=beside.url or record.get("url") or None,
        )
    for copy in range(2, _rows_under(members) + 1):
        message = f"Row {copy} of this key in the shard; the first one, at byte {image.offset:,}, is kept."
        yield unread(shard, key, "duplicate_key", message)


def _rows_under(members: Sequence[Member]) -> int:
    """How many rows share a key: as many as it has images, or members of one extension."""
    images = Counter(member.kind for member in members)["image"]
    return max(images, *Counter(member.extension for member in members).values())


def _bytes(file: BinaryIO, member: Member | None) -> bytes | None:
    if member is None:
        return None
    file.seek(member.offset)
    return file.read(member.size)


def _lost_row(shard: Shard, key: str, record: _Record, members: Sequence[Member]) -> Failure:
    """A row without an image: a failed download, or a member that is missing."""
    status = record.get("status") or "unknown_status"
    if record and status != "success":
        message = record.get("error_message") or "img2dataset gives no error message."
        return Failure(shard=shard.name, key=key, stage="download", reason=status, message=message)
    found = ", ".join(f".{member.extension}" for member in members) or "nothing"
    says = " though the parquet says it was downloaded" if record else ""
    return unread(shard, key, "missing_image", f"The tar holds {found} under this key, but no image{says}.")
