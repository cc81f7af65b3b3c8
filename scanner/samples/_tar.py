"""What lies in a tar of samples, and what is wrong with it.

In a local tar the headers are followed from one to the next and no image is read: the listing of a shard of gigabytes
is a matter of its members, the members of a row may lie anywhere, and each image is later read where it lies. A remote
tar is read once from front to end, and the members of a row must stand next to each other, as every writer of
webdataset tars puts them. A cut tar keeps all members before the cut.

    >>> for row in read_tar(shard): print(row.key, row.members)    # doctest: +SKIP
    000000000 [Member(extension='jpg', offset=512, size=20481), Member(extension='txt', offset=22016, size=31)]
"""

import itertools
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import BinaryIO, cast

from scanner.samples._place import is_local, size_of
from scanner.samples._sample import Failure, Shard, unread
from scanner.samples._sidecar import IMAGE_SUFFIXES, printable

_BLOCK = 512


@dataclass(frozen=True, kw_only=True)
class Member:
    """One regular file in a tar."""

    extension: str
    """After the first dot of the name, in lower case: `jpg`, `txt`, `mask.png`."""
    offset: int
    """Where its bytes begin in the tar."""
    content: bytes | None = field(repr=False)
    """The bytes, where the tar is read only once."""
    size: int
    """How many they are."""

    @property
    def kind(self) -> str:
        """`image` whatever its format, otherwise the last part of the extension."""
        suffix = self.extension.rpartition(".")[2]
        return "image" if suffix in IMAGE_SUFFIXES else suffix


@dataclass(frozen=True, kw_only=True)
class Row:
    """The members under one key, in stored order."""

    key: str
    members: list[Member] = field(default_factory=list)
    unsafe: list[Failure] = field(default_factory=list)
    """Members that are not read for safety."""


def read_tar(file: BinaryIO, shard: Shard) -> Iterator[Row | Failure]:
    """All rows and failures of the tar open in `file`; never raises for what the file holds.

    A member belongs to the key before the first dot of its name's last part, as in webdataset; directories and hidden
    files are no members. Links, devices, sparse files and names that point outside are not followed: `unsafe_member`.
    Failures with an empty key are about the tar itself.
    """
    found = _walk(file, shard, once=not is_local(shard.path))
    return _gather(found) if is_local(shard.path) else _adjacent(found, shard)


def _gather(found: Iterator[tuple[str, Member | Failure]]) -> Iterator[Row | Failure]:
    """What is wrong with the tar first, then rows in the order in which their keys appear."""
    rows: dict[str, Row] = {}
    for key, item in found:
        if not key and isinstance(item, Failure):
            yield item
        else:
            _take(rows.setdefault(key, Row(key=key)), item)
    yield from rows.values()


def _adjacent(found: Iterator[tuple[str, Member | Failure]], shard: Shard) -> Iterator[Row | Failure]:
    """Rows as they come; members of a key that is over already are a failure, of a row if an image is among them."""
    seen: set[str] = set()
    for key, group in itertools.groupby(found, key=lambda pair: pair[0]):
        row = Row(key=key)
        for _, item in group:
            if key:
                _take(row, item)
            elif isinstance(item, Failure):
                yield item
        if key and key in seen:
            names = ", ".join(f".{member.extension}" for member in row.members) or "unsafe members"
            message = f"{names} of {key} stand apart from its first members; a remote tar is read once, in order."
            is_row = any(member.kind == "image" for member in row.members)
            yield unread(shard, key if is_row else "", "scattered_members", message)
        elif key:
            seen.add(key)
            yield row


def _take(row: Row, item: Member | Failure) -> None:
    if isinstance(item, Failure):
        row.unsafe.append(item)
    else:
        row.members.append(item)


def _walk(file: BinaryIO, shard: Shard, *, once: bool) -> Iterator[tuple[str, Member | Failure]]:
    """Every member with its key, and failures; with the bytes when the file is read `once`."""
    size, count = size_of(shard.path), 0
    source = file if is_local(shard.path) else cast("BinaryIO", _Source(file))
    try:
        with tarfile.open(fileobj=source, mode="r:") as tar:
            while (info := tar.next()) is not None and 0 <= info.size <= size - info.offset_data:
                # tarfile keeps every header that it has read; a million of them would be a gigabyte
                tar.members.clear()  # type: ignore[attr-defined]
                pair = _member(source, shard, info, once=once)
                if pair is not None:
                    count += 1
                    yield pair
            end = tar.offset
    except _SourceError as error:
        raise error.cause from None  # nothing is known of the rest: the shard is to be read again
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # of the disk, not of the tar
        yield "", _cut(shard, size, count, str(error))
        return
    if info is not None:
        yield "", _cut(shard, size, count, f"the data of {printable(info.name)} are cut")
    elif not _has_end_marker(file, end):
        # tarfile takes a missing end, or garbage between members, for the end
        yield "", _cut(shard, size, count, f"no header and no end marker at byte {end:,}")


class _SourceError(Exception):
    """The file can't be read, whatever it holds."""

    def __init__(self, cause: Exception) -> None:
        super().__init__(str(cause))
        self.cause = cause


class _Source:
    """A remote file whose own errors, a lost connection among them, are not taken for faults of the tar."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self.tell = file, file.tell

    def read(self, size: int = -1) -> bytes:
        try:
            return self._file.read(size)
        except Exception as error:  # every store has its own
            raise _SourceError(error) from error

    def seek(self, offset: int, whence: int = 0) -> int:
        try:
            return self._file.seek(offset, whence)
        except Exception as error:
            raise _SourceError(error) from error


def _cut(shard: Shard, size: int, members: int, cause: str) -> Failure:
    message = f"The tar of {size:,} bytes is cut or damaged ({cause}); the {members:,} members before that were read."
    return unread(shard, "", "truncated_shard", message)


def _has_end_marker(file: BinaryIO, end: int) -> bool:
    file.seek(end)
    return file.read(_BLOCK) == bytes(_BLOCK)


def _member(file: BinaryIO, shard: Shard, info: tarfile.TarInfo, *, once: bool) -> tuple[str, Member | Failure] | None:
    named = _named(info)
    if named is None:
        return None
    key, extension, path = named
    folder = path.rpartition("/")[0]
    if not info.isreg() or info.issparse() or path.startswith("/") or ".." in folder.split("/"):
        message = f"Member {path} at byte {info.offset:,} is a link or device, or points outside; it was not read."
        return key, unread(shard, key, "unsafe_member", message)
    content = None
    if once:
        file.seek(info.offset_data)
        content = file.read(info.size)
    return key, Member(extension=extension.lower(), offset=info.offset_data, size=info.size, content=content)


def key_of(info: tarfile.TarInfo) -> str | None:
    """The key that a member belongs to; None for directories and hidden files, which are no members."""
    named = _named(info)
    return None if named is None else named[0]


def _named(info: tarfile.TarInfo) -> tuple[str, str, str] | None:
    """Key, extension and path of a member."""
    path = _clean(printable(info.name))
    folder, _, name = path.rpartition("/")
    if info.isdir() or name.startswith("."):
        return None
    base, _, extension = name.partition(".")
    return (f"{folder}/{base}" if folder else base), extension, path


def _clean(name: str) -> str:
    """The name without empty parts and dots, as pathlib has it; most names have neither."""
    return str(PurePosixPath(name)) if name.startswith(".") or "//" in name or "/." in name else name
