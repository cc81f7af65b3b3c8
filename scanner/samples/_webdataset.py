"""Read webdataset tars: img2dataset's output, with the parquet of each shard beside its tar, or plain tars.

Formats: https://github.com/webdataset/webdataset and https://github.com/rom1504/img2dataset. A row is all members
whose names agree up to the first dot of their last part; they need not stand together. img2dataset's failed downloads
are in the parquet only, and become failures here; a plain parquet without `key` and `status` is not img2dataset's
and is left alone.

    >>> dataset = open_webdataset(Path("laion"), sorted(Path("laion").glob("*.tar")))   # doctest: +SKIP
"""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO

import polars as pl

from scanner.samples._columns import Columns
from scanner.samples._decode import Undecodable
from scanner.samples._place import FileState, Place, is_local, open_place, relative
from scanner.samples._sample import Failure, Sample, Shard, states, unread
from scanner.samples._sidecar import printable, read_sidecars
from scanner.samples._tar import Member, Row, read_tar

Record = Mapping[str, Any]
"""A row of img2dataset's parquet."""


@dataclass(frozen=True, kw_only=True)
class WebDataset:
    """Tars, each a shard."""

    root: Place
    """The folder that holds the tars."""
    shards: tuple[Shard, ...]
    """One per tar, in the order of their names."""
    columns: Columns
    """Columns named by the user."""
    layout: str = "webdataset"
    """Name of the layout."""

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        """Every row of the shard once: the tar's in stored order, then those that only the parquet knows."""
        return compared(shard, self._read(shard), stats_beside(shard.path.with_suffix("")))

    def _read(self, shard: Shard) -> Iterator[Sample | Failure]:
        name = relative(shard.path, self.root)
        records, failures = read_records(shard, shard.path.with_suffix(".parquet"), name)
        yield from failures
        with open_place(shard.path) as file:
            for item in read_tar(file, shard):
                if isinstance(item, Failure):
                    yield item
                    continue
                record = records.pop(item.key, {})
                has_image = any(self._is_image(member) for member in item.members)
                yield from _unsafe(item.unsafe, is_row=not has_image)
                if has_image:
                    yield from self._read_row(file, name, shard, item, record)
                elif not item.unsafe:
                    yield lost_row(shard, item.key, record, [f".{member.extension}" for member in item.members])
        for key, record in records.items():
            yield lost_row(shard, key, record, ())

    def _is_image(self, member: Member) -> bool:
        wanted = self.columns.image
        return member.kind == "image" if wanted is None else member.extension == wanted.lower()

    def _read_row(
        self, file: BinaryIO, name: str, shard: Shard, row: Row, record: Record
    ) -> Iterator[Sample | Failure]:
        """The sample of the key's first image; any further row under the same key is a failure."""
        first: dict[str, Member] = {}
        for member in row.members:
            first.setdefault(member.kind, member)
        image = next(member for member in row.members if self._is_image(member))
        text, metadata = _bytes(file, first.get("txt")), _bytes(file, first.get("json"))
        try:
            beside = read_sidecars(text, metadata, self.columns, record)
        except Undecodable as error:
            yield unread(shard, row.key, error.reason, error.message)
        else:
            yield Sample(
                shard=shard.name,
                key=beside.key or row.key,
                encoded=_bytes(file, image) or b"",
                file=name,
                offset=image.offset,
                caption=beside.caption,
                url=beside.url,
                extra=beside.fields,
            )
        for copy in range(2, self._rows_under(row.members) + 1):
            message = f"Row {copy} of this key in the shard; the first one, at byte {image.offset:,}, is kept."
            yield unread(shard, row.key, "duplicate_key", message)

    def _rows_under(self, members: Sequence[Member]) -> int:
        """How many rows share a key: as many as it has images, or members of one extension."""
        images = sum(map(self._is_image, members))
        return max(images, *Counter(member.extension for member in members).values())


def _unsafe(failures: Sequence[Failure], *, is_row: bool) -> Iterator[Failure]:
    """Unsafe members of one row: the first stands for a row that has no image to read, all others are remarks."""
    for position, failure in enumerate(failures):
        yield failure if is_row and position == 0 else replace(failure, key="")


def open_webdataset(root: Place, tars: Sequence[Place], columns: Columns) -> WebDataset:
    """The tars as a data set; none is read yet."""
    shards = (
        Shard(name=printable(relative(tar.with_suffix(""), root)), path=tar, index=index, files=_states(root, tar))
        for index, tar in enumerate(tars)
    )
    return WebDataset(root=root, shards=tuple(shards), columns=columns)


def _states(root: Place, tar: Place) -> dict[str, FileState]:
    beside = tar.with_suffix(".parquet")
    return states(root, tar, beside) if beside.exists() else states(root, tar)


def read_records(shard: Shard, path: Place, name: str) -> tuple[dict[str, Record], list[Failure]]:
    """Records of img2dataset's parquet by key, and a failure where it can't be read; `name` is what it belongs to."""
    if not path.exists():
        return {}, []
    try:
        with open_place(path) as file:
            frame = pl.read_parquet(file)
        if not {"key", "status"} <= set(frame.columns):
            return {}, []
        frame = frame.cast({"key": pl.String, "status": pl.String})
        frame = frame.drop_nulls("key").unique("key", keep="first", maintain_order=True)
    except (pl.exceptions.PolarsError, OSError) as error:
        if isinstance(error, OSError) and (error.errno is not None or not is_local(path)):
            raise  # not the file's fault: the shard is to be read again
        said = str(error).splitlines()[0]
        message = f"The parquet beside {name} can't be read ({said}); failed downloads are not in the ledger."
        return {}, [unread(shard, "", "unreadable_parquet", message)]
    return {record["key"]: record for record in frame.to_dicts()}, []


def stats_beside(stem: Place) -> Place:
    """Where img2dataset writes how many rows it was given for the shard of that name."""
    return stem.with_name(f"{stem.name}_stats.json")


def compared(shard: Shard, rows: Iterator[Sample | Failure], stats: Place) -> Iterator[Sample | Failure]:
    """The rows, and a remark where they are not as many as img2dataset was given."""
    given = _given(stats)
    read = 0
    for row in rows:
        read += bool(row.key)
        yield row
    if given is not None and given != read:
        message = f"img2dataset was given {given:,} rows for this shard, and {read:,} are found in it."
        yield unread(shard, "", "row_count", message)


def _given(stats: Place) -> int | None:
    try:
        count = json.loads(stats.read_bytes())["count"]
    except (OSError, ValueError, LookupError, TypeError):
        return None  # not img2dataset's: nothing to compare with
    return count if isinstance(count, int) else None


def _bytes(file: BinaryIO, member: Member | None) -> bytes | None:
    if member is None or member.content is not None:
        return None if member is None else member.content
    file.seek(member.offset)
    return file.read(member.size)


def lost_row(shard: Shard, key: str, record: Record, found: Sequence[str]) -> Failure:
    """A row without an image, of which `found` is there: a failed download, or an image that is missing."""
    status = record.get("status") or "unknown_status"
    if record and status != "success":
        message = record.get("error_message") or "img2dataset gives no error message."
        return Failure(shard=shard.name, key=key, stage="download", reason=status, message=str(message))
    there = ", ".join(found) or "nothing"
    says = " though the parquet says it was downloaded" if record else ""
    return unread(shard, key, "missing_image", f"There is {there} under this key, but no image{says}.")
