"""The types that every reader gives: shards, samples, and failures that stand in the ledger instead."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol


@dataclass(frozen=True, kw_only=True)
class Shard:
    """A part of a data set that is read, resumed and stored as one."""

    name: str
    """As the data set names it, without its ending: `00000`."""
    path: Path
    """The file or folder that holds it."""
    index: int
    """Position in the data set; the shard base of its sample ids is index × 2³²."""
    fingerprint: str
    """Changes when the shard's content changes, hex: sha-256 of the sizes and of the first and last 64 KiB of a tar
    and its parquet, or of the names and sizes of a folder's files."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One row that has an image, not yet decoded."""

    shard: str
    """Name of its shard."""
    key: str
    """As the data set names it."""
    encoded: bytes
    """The image file's bytes."""
    offset: int
    """Where these bytes begin in `path`."""
    path: Path
    """The file that holds them: the tar, or the image file itself."""
    caption: str | None
    """As the data set gives it; None where it gives none."""
    url: str | None
    """Where the image came from, if the data set says."""


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One row that could not be read; it stands in the ledger."""

    shard: str
    """Name of its shard."""
    key: str
    """As the data set names it; empty where the failure concerns the shard itself."""
    stage: str
    """Where it was lost: download, read or decode."""
    reason: str
    """Short and countable: truncated_image, missing_image, ..."""
    message: str
    """One sentence with the particulars."""


class Dataset(Protocol):
    """A data set that has been found and looked at, not yet read."""

    @property
    def layout(self) -> str:
        """Name of the layout that was recognised."""
        ...

    @property
    def root(self) -> Path:
        """The folder that the stored `file` of a sample is relative to."""
        ...

    @property
    def shards(self) -> tuple[Shard, ...]:
        """All shards, in the order of their names."""
        ...

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        """Every row of the shard once, in stored order: rows = samples + failures."""
        ...


def read_encoded(path: Path, offset: int, length: int) -> bytes:
    """The bytes of one encoded image inside its shard file."""
    with path.open("rb") as file:
        file.seek(offset)
        return file.read(length)


def unread(shard: Shard, key: str, reason: str, message: str) -> Failure:
    """A failure of the read stage; `message` is one sentence."""
    return Failure(shard=shard.name, key=key, stage="read", reason=reason, message=message)
