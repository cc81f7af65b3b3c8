"""Where data lie: a local path, or anything that fsspec opens, by one name.

Remote places go through universal_pathlib (https://github.com/fsspec/universal_pathlib), so that they have pathlib's
interface; local ones stay plain `pathlib` paths. A pattern may hold shell wildcards and brace ranges:

>>> [str(path) for path in expand("/laion/{00000..00002}.tar")]
['/laion/00000.tar', '/laion/00001.tar', '/laion/00002.tar']
"""

import glob
import hashlib
import os
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TypeAlias, cast

import fsspec
from braceexpand import braceexpand
from upath import UPath

from scanner.errors import UnusableInputError

Place: TypeAlias = Path | UPath
"""A local path, or a remote one with the same interface."""

_BLOCK_BYTES = 8 << 20
"""What one request to a remote store reads ahead."""
_HEAD_BYTES = 1 << 16
_VERSIONS = ("ETag", "etag", "md5Hash", "sha256", "blob_id", "mtime", "LastModified", "last_modified", "created")
"""Under what names fsspec's file systems say which version of a file is there, the surest first."""


def place(name: str | os.PathLike[str]) -> Place:
    """The place of that name. Raises UnusableInputError when the package that opens such places is not installed."""
    if isinstance(name, UPath):
        return name
    text = os.fspath(name)
    if "://" not in text:
        return Path(text)
    if text.startswith(("file://", "local://")):
        return Path(text.partition("://")[2])
    try:
        found = UPath(text)
        assert found.fs, "opening the file system imports its package"
    except (ImportError, ValueError) as error:
        raise UnusableInputError(f"{text} can't be opened: {' '.join(str(error).split())}.") from error
    return found


def is_local(where: Place) -> bool:
    """Whether it is a file of this machine, where a seek costs nothing."""
    return isinstance(where, Path)


def open_place(where: Place) -> BinaryIO:
    """The file open for reading; a remote one reads ahead in blocks of 8 MiB and keeps no copy on disk."""
    if isinstance(where, Path):
        return where.open("rb")
    opened = where.fs.open(where.path, "rb", block_size=_BLOCK_BYTES, cache_type="readahead")
    return cast("BinaryIO", opened)


def size_of(where: Place) -> int:
    """Bytes in the file."""
    return int(where.stat().st_size)


class FileState(NamedTuple):
    """What changes when a file does."""

    size: int
    """Bytes."""
    version: str
    """Time of its last change, or the version that its store gives."""

    def __str__(self) -> str:
        return f"{self.size} bytes, {self.version}"


def state_of(where: Place) -> FileState:
    """The state of a file now."""
    if isinstance(where, Path):
        stat = where.stat()
        seconds, nanoseconds = divmod(stat.st_mtime_ns, 10**9)
        changed = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(seconds))
        return FileState(stat.st_size, f"changed {changed}.{nanoseconds:09d} UTC")
    info: dict[str, Any] = where.fs.info(where.path)
    version = next((info[name] for name in _VERSIONS if info.get(name)), None)
    if version is None:
        head = where.fs.cat_file(where.path, start=0, end=_HEAD_BYTES)
        version = f"begins with {hashlib.sha256(head).hexdigest()[:16]}"
    return FileState(info.get("size") or 0, f"version {version}")


def why_missing(where: Place) -> str:
    """What stands behind a remote file that is not found, in brackets, such as a server that does not answer."""
    if isinstance(where, Path):
        return ""
    try:
        where.fs.info(where.path)
    except Exception as error:  # every store has its own
        cause = error.__cause__
        return f" ({' '.join(str(cause).split())})" if cause is not None and str(cause) else ""
    return ""


def expand(pattern: str) -> list[Place]:
    """The places, local ones in full, that a name stands for: with wildcards (`*`, `**`, `?`, `[0-9]`) or brace
    ranges (`{00000..00099}`).

    A name that exists as it is stands for itself, and http addresses have no wildcards. Sorted where wildcards were
    expanded, in the order of the range otherwise; each place once. Raises UnusableInputError when nothing matches.
    """
    if "://" not in pattern and Path(pattern).exists():
        return [Path(pattern).absolute()]
    try:
        names = list(braceexpand(pattern))
    except ValueError as error:
        raise UnusableInputError(f"{pattern} does not exist, and its braces are not balanced.") from error
    found: list[Place] = [match for name in names for match in _matches(name)]
    found = list({str(where): where for where in found}.values())  # a file that is named twice is one
    if not found:
        raise UnusableInputError(f"Nothing matches {pattern}.")
    return found


def _matches(name: str) -> list[Place]:
    if not glob.has_magic(name) or name.startswith(("http://", "https://")):
        return [where.absolute() if isinstance(where := place(name), Path) else where]
    if "://" not in name:
        return [Path(match).absolute() for match in sorted(glob.glob(name, recursive=True))]  # noqa: PTH207 - may be absolute
    base = place(name.partition("*")[0].rpartition("/")[0] + "/")
    assert isinstance(base, UPath)
    files, path = fsspec.url_to_fs(name, **base.storage_options)
    return [place(files.unstrip_protocol(match)) for match in sorted(files.glob(path))]


def common_root(places: Sequence[Place]) -> Place:
    """The deepest folder that holds all of them."""
    parents = [where.parent for where in places]
    if all(isinstance(parent, Path) for parent in parents):
        return Path(os.path.commonpath([str(parent.absolute()) for parent in parents]))
    root = parents[0]
    while not all(_is_below(parent, root) for parent in parents):
        root = root.parent
    return root


def _is_below(where: Place, root: Place) -> bool:
    return str(where) == str(root) or str(where).startswith(str(root).rstrip("/") + "/")


def is_hidden(name: str) -> bool:
    """Whether a name below the root is of a hidden file, or of one in a hidden folder."""
    return name.startswith(".") or "/." in name


def relative(where: Place, root: Place) -> str:
    """Its name below `root`, with forward slashes."""
    if isinstance(where, Path) and isinstance(root, Path):
        return where.relative_to(root).as_posix() if _is_below(where, root) else where.absolute().as_posix()
    return str(where).removeprefix(str(root)).lstrip("/")
