"""The types that every reader gives: shards, samples, and failures that stand in the ledger instead."""

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from scanner.samples._place import FileState, Place, relative, state_of


@dataclass(frozen=True, kw_only=True)
class Shard:
    """A part of a data set that is read, resumed and stored as one."""

    name: str
    """As the data set names it, without its ending: `00000`."""
    path: Place
    """The file or folder that holds it."""
    index: int
    """Position in the data set; the shard base of its sample ids is index × 2³²."""
    files: Mapping[str, FileState] = field(default_factory=dict)
    """State of each file that the shard is read from, by its name below the root: changes when the file does."""

    @property
    def size(self) -> int:
        """Bytes in its files."""
        return sum(state.size for state in self.files.values())

    @property
    def fingerprint(self) -> str:
        """sha-256, hex, of the names and states of its files."""
        return hashlib.sha256(repr(sorted(self.files.items())).encode()).hexdigest()


@dataclass(frozen=True, kw_only=True)
class Sample:
    """One row that has an image or an embedding, not yet decoded."""

    shard: str
    """Name of its shard."""
    key: str
    """As the data set names it."""
    caption: str | None
    """As the data set gives it; None where it gives none."""
    url: str | None
    """Where the image came from, if the data set says."""
    encoded: bytes | None
    """The image file's bytes; None where the data set holds the row's embedding alone."""
    file: str | None
    """The file that holds these bytes, relative to the data set's root: the tar, or the image file itself."""
    offset: int
    """Where they begin in `file`; the number of the row where the file is a table."""
    extra: Mapping[str, Any] = field(default_factory=dict)
    """Everything else that the data set says of the row, by column."""
    embedding: NDArray[np.float16] | None = None
    """The data set's own embedding of the image (width,), where it has one."""

    @property
    def fields(self) -> dict[str, Any]:
        """What the data set says of the row, by column; key, caption and url under these names too."""
        return {"key": self.key, "caption": self.caption, "url": self.url, **self.extra}


@dataclass(frozen=True, kw_only=True)
class Failure:
    """One row that could not be read; it stands in the ledger."""

    shard: str
    """Name of its shard."""
    key: str
    """As the data set names it; empty where the failure concerns the shard itself."""
    stage: str
    """Where it was lost: download, select (set aside by the user's own settings), read or decode."""
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
    def root(self) -> Place:
        """The folder that the stored `file` of a sample is relative to."""
        ...

    @property
    def shards(self) -> tuple[Shard, ...]:
        """All shards, in the order of their names."""
        ...

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        """Every row of the shard once, in stored order: rows = samples + failures."""
        ...


def states(root: Place, *files: Place) -> dict[str, FileState]:
    """`Shard.files` of a shard that is read from these files."""
    return {relative(file, root): state_of(file) for file in files}


def unread(shard: Shard, key: str, reason: str, message: str) -> Failure:
    """A failure of the read stage; `message` is one sentence."""
    return Failure(shard=shard.name, key=key, stage="read", reason=reason, message=message)
