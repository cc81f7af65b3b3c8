"""Copy a tar without some of its rows: what stays is copied byte for byte, headers and padding and all, in its order.

A row is all members under its key, as in `read_tar`; what belongs to no row (folders, hidden files, global headers) is
copied. The tar is read as a stream of ranges and never held in memory. Of a cut tar the members before the cut are
there, and the copy ends as a tar should.

>>> layout = tar_layout(file, size)                                          # doctest: +SKIP
>>> copy_without(file, layout, frozenset({"000000007"}), out)                # doctest: +SKIP
"""

import tarfile
from collections.abc import Iterator, Set
from dataclasses import dataclass
from typing import BinaryIO

from scanner.samples._tar import key_of

_BLOCK, _RECORD = 512, 10_240
"""Bytes of a header, and of what a tar is padded to a multiple of (POSIX)."""
_CHUNK = 8 << 20


@dataclass(frozen=True, kw_only=True)
class TarRange:
    """A member with its headers and padding."""

    key: str | None
    """The row that it belongs to; None for no row."""
    start: int
    """First byte of its headers."""
    data: int
    """First byte of its content."""
    end: int
    """Byte after its padding."""


def tar_layout(file: BinaryIO, size: int) -> list[TarRange]:
    """Every whole member of the tar of so many bytes, in stored order; damage ends it, as it ends reading."""
    return list(_ranges(file, size))


def _ranges(file: BinaryIO, size: int) -> Iterator[TarRange]:
    try:
        with tarfile.open(fileobj=file, mode="r:") as tar:
            while (info := tar.next()) is not None and _is_whole(tar.offset, info, size):
                # tarfile keeps every header that it has read
                tar.members.clear()  # type: ignore[attr-defined]
                yield TarRange(key=key_of(info), start=info.offset, data=info.offset_data, end=min(tar.offset, size))
    except (tarfile.TarError, ValueError, EOFError):
        return


def _is_whole(end: int, info: tarfile.TarInfo, size: int) -> bool:
    """Whether the file holds the member's content; the padding after the last one may be missing."""
    return end <= size or info.offset_data + info.size <= size


def copy_without(file: BinaryIO, layout: list[TarRange], dropped: Set[str], out: BinaryIO) -> None:
    """Write the tar without the rows of these keys."""
    at = written = 0
    for member in layout:
        if member.key in dropped:
            written += _copy(file, at, member.start, out)
            at = member.end
    if layout:
        written += _copy(file, at, layout[-1].end, out)
    out.write(bytes(2 * _BLOCK + -(written + 2 * _BLOCK) % _RECORD))


def _copy(file: BinaryIO, start: int, end: int, out: BinaryIO) -> int:
    file.seek(start)
    left = end - start
    while left > 0:
        chunk = file.read(min(_CHUNK, left))
        if not chunk:
            raise OSError(f"the file ends {left:,} bytes early")
        out.write(chunk)
        left -= len(chunk)
    return end - start
