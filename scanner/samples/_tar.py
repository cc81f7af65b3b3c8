"""What lies in a tar of samples, from its headers alone, and what is wrong with it.

No image is read: the headers are followed from one to the next, so that the listing of a shard of gigabytes is a
matter of its members, and each image can later be read where it lies. A cut tar keeps all members before the cut.

    >>> list_tar(shard).rows["000000000"]    # doctest: +SKIP
    [Member(extension='jpg', offset=512, size=20481), Member(extension='txt', offset=22016, size=31)]
"""

import tarfile
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

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
    size: int
    """How many they are."""

    @property
    def kind(self) -> str:
        """`image` whatever its format, otherwise the last part of the extension."""
        suffix = self.extension.rpartition(".")[2]
        return "image" if suffix in IMAGE_SUFFIXES else suffix


@dataclass(frozen=True, kw_only=True)
class Listing:
    """The content of a tar."""

    rows: dict[str, list[Member]] = field(default_factory=dict)
    """Members by the key of their row, both in stored order."""
    unsafe: set[str] = field(default_factory=set)
    """Keys of members that are not read for safety; each has its failure."""
    failures: list[Failure] = field(default_factory=list)
    """What is wrong with the tar itself (empty key) or with single members."""


def list_tar(shard: Shard) -> Listing:
    """All members that lie whole in the shard's tar; never raises for what the file holds.

    A member belongs to the key before the first dot of its name's last part, as in webdataset; directories and hidden
    files are no members. Links, devices, sparse files and names that point outside are not followed: `unsafe_member`.
    """
    listing = Listing()
    size = shard.path.stat().st_size
    try:
        with tarfile.open(shard.path, "r:") as tar:
            while (info := tar.next()) is not None and 0 <= info.size <= size - info.offset_data:
                _add(listing, shard, info)
            end = tar.offset
    except (tarfile.TarError, OSError, ValueError, EOFError) as error:
        _cut(listing, shard, size, str(error))
        return listing
    if info is not None:
        _cut(listing, shard, size, f"the data of {printable(info.name)} are cut")
    elif not _has_end_marker(shard.path, end):
        # tarfile takes a missing end, or garbage between members, for the end
        _cut(listing, shard, size, f"no header and no end marker at byte {end:,}")
    return listing


def _cut(listing: Listing, shard: Shard, size: int, cause: str) -> None:
    members = sum(map(len, listing.rows.values()))
    message = f"The tar of {size:,} bytes is cut or damaged ({cause}); the {members:,} members before that were read."
    listing.failures.append(unread(shard, "", "truncated_shard", message))


def _has_end_marker(path: Path, end: int) -> bool:
    with path.open("rb") as file:
        file.seek(end)
        return file.read(_BLOCK) == bytes(_BLOCK)


def _add(listing: Listing, shard: Shard, info: tarfile.TarInfo) -> None:
    path = PurePosixPath(printable(info.name))
    if info.isdir() or path.name.startswith("."):
        return
    base, _, rest = path.name.partition(".")
    key = base if path.parent == PurePosixPath() else f"{path.parent}/{base}"
    if not info.isreg() or info.issparse() or path.is_absolute() or ".." in path.parts:
        message = f"Member {path} at byte {info.offset:,} is a link or device, or points outside; it was not read."
        listing.failures.append(unread(shard, key, "unsafe_member", message))
        listing.unsafe.add(key)
        return
    member = Member(extension=rest.lower(), offset=info.offset_data, size=info.size)
    listing.rows.setdefault(key, []).append(member)
