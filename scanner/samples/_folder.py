"""Read folders of image files, with a caption beside an image in a .txt or .json of the same name.

Each folder that directly holds images is a shard, named by its path below the root (`.` for the root itself); one of
more than ten thousand images is read as several, `name:0`, `name:1` and so on. Rows come in the order of the file
names. Hidden files and folders are left out; files that are neither image nor caption are not rows. The key is the
file's name without its ending; where several images differ in nothing but the ending, the second and further ones go
by their full name, since in a folder they are different images under one caption.

img2dataset's `files` output is such folders, each with its parquet beside it: failed downloads are in that alone.

    >>> dataset = open_folders(Path("pictures"), Columns())   # doctest: +SKIP
"""

import itertools
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from scanner.samples._columns import Columns
from scanner.samples._decode import Undecodable
from scanner.samples._place import Place, relative, state_of
from scanner.samples._sample import Failure, Sample, Shard, unread
from scanner.samples._sidecar import IMAGE_SUFFIXES, printable, read_sidecars
from scanner.samples._webdataset import Record, compared, lost_row, read_records, stats_beside

SHARD_ROWS = 10_000
"""Rows of a folder that are read, resumed and stored as one: as many as img2dataset puts into a shard."""

_WANTED = IMAGE_SUFFIXES | {"txt", "json"}


@dataclass(frozen=True, kw_only=True)
class Folders:
    """A folder of image files, or of such folders."""

    root: Place
    """The folder that was named."""
    shards: tuple[Shard, ...]
    """One per folder that holds images, or per ten thousand of its images, in the order of their names."""
    columns: Columns
    """Columns named by the user."""
    rows: Mapping[str, Mapping[str, Sequence[str]]]
    """By shard, the file names of each row by their common stem."""
    layout: str = "folder"
    """Name of the layout."""

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        """Every image, and every caption without an image, once, in the order of the file names."""
        return compared(shard, self._read(shard), stats_beside(shard.path))

    def _read(self, shard: Shard) -> Iterator[Sample | Failure]:
        records, failures = self._records(shard)
        yield from failures
        for stem, names in self.rows[shard.name].items():
            images = [name for name in names if _suffix(name) in IMAGE_SUFFIXES]
            record = records.pop(stem, {})
            if not images:
                yield lost_row(shard, printable(stem), record, [printable(name) for name in names])
            for position, image in enumerate(images):
                yield self._read_image(shard, printable(image if position else stem), image, names, record)
        for key, record in records.items():
            yield lost_row(shard, key, record, ())

    def _records(self, shard: Shard) -> tuple[dict[str, Record], list[Failure]]:
        """Of img2dataset's parquet, where there is one."""
        parquet = _parquet_beside(self.root, shard.path)
        return ({}, []) if parquet is None else read_records(shard, parquet, shard.name)

    def _read_image(self, shard: Shard, key: str, image: str, names: Sequence[str], record: Record) -> Sample | Failure:
        path = shard.path / image
        if printable(image) != image:
            return unread(
                shard, key, "name_not_utf8", "The image's file name is not UTF-8; rename the file to scan it."
            )
        sidecars = {_suffix(name): shard.path / name for name in reversed(names)}
        try:
            text = sidecars["txt"].read_bytes() if "txt" in sidecars else None
            metadata = sidecars["json"].read_bytes() if "json" in sidecars else None
            encoded = path.read_bytes()
            beside = read_sidecars(text, metadata, self.columns, record)
        except OSError as error:
            return unread(shard, key, "unreadable_file", f"{error.filename or path} can't be read: {error.strerror}.")
        except Undecodable as error:
            return unread(shard, key, error.reason, error.message)
        return Sample(
            shard=shard.name,
            key=key,
            encoded=encoded,
            file=relative(path, self.root),
            offset=0,
            caption=beside.caption,
            url=beside.url,
            extra=beside.fields,
        )


def open_folders(root: Place, columns: Columns) -> Folders:
    """Every folder at or below `root` that holds an image as a shard; no shards where there is none."""
    shards: list[Shard] = []
    rows: dict[str, Mapping[str, Sequence[str]]] = {}
    for name, folder, files in sorted(_image_folders(root)):
        for part, chunk in _chunks(name, folder, files, root):
            rows[part] = chunk
            parquet = _parquet_beside(root, folder)
            read = [folder / file for stem in chunk.values() for file in stem] + ([parquet] if parquet else [])
            states = {printable(relative(path, root)): _state(path) for path in read}
            shards.append(Shard(name=part, path=folder, index=len(shards), files=states))
    return Folders(root=root, shards=tuple(shards), columns=columns, rows=rows)


def _suffix(name: str) -> str:
    return PurePath(name).suffix[1:].lower()


def _raise(error: Exception) -> None:
    raise error


def _image_folders(root: Place) -> Iterator[tuple[str, Place, list[str]]]:
    """Name below the root, place, and names of images and captions of every folder that holds an image."""
    for folder, below, names in _walk(root):
        below[:] = [name for name in below if not name.startswith(".")]
        wanted = sorted(name for name in names if not name.startswith(".") and _suffix(name) in _WANTED)
        if any(_suffix(name) in IMAGE_SUFFIXES for name in wanted):
            yield printable(relative(folder, root)) or ".", folder, wanted


def _walk(root: Place) -> Iterator[tuple[Place, list[str], list[str]]]:
    if isinstance(root, Path):
        for folder, below, names in os.walk(root, onerror=_raise):
            yield Path(folder), below, names
    else:
        yield from root.walk(on_error=_raise)


def _chunks(name: str, folder: Place, files: Sequence[str], root: Place) -> Iterator[tuple[str, dict[str, list[str]]]]:
    """The folder's rows in parts; one that has img2dataset's parquet beside it stays whole."""
    rows: dict[str, list[str]] = {}
    for file in files:
        rows.setdefault(PurePath(file).stem, []).append(file)
    if len(rows) <= SHARD_ROWS or _parquet_beside(root, folder):
        yield name, rows
        return
    stems = iter(rows)
    for number in itertools.count():
        part = {stem: rows[stem] for stem in itertools.islice(stems, SHARD_ROWS)}
        if not part:
            return
        yield f"{name}:{number}", part


def _parquet_beside(root: Place, folder: Place) -> Place | None:
    """img2dataset's parquet of a folder of its `files` output."""
    if str(folder) == str(root):
        return None
    parquet = folder.parent / f"{folder.name}.parquet"
    return parquet if parquet.exists() else None


def _state(path: Place) -> str:
    try:
        return state_of(path)
    except OSError:  # a dangling link, which the reader puts into the ledger
        return "can't be read"
