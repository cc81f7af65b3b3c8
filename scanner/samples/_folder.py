"""Read folders of image files, with a caption beside an image in a .txt or .json of the same name.

Each folder that directly holds images is a shard, named by its path below the root (`.` for the root itself); one of
more than ten thousand images is read as several, `name:0`, `name:1` and so on. Rows come in the order of the file
names. Hidden files and folders are left out; files that are neither image nor caption are not rows. The key is the
file's name without its ending; where several images differ in nothing but the ending, the second and further ones go
by their full name, since in a folder they are different images under one caption.

img2dataset's `files` output is such folders, each with its parquet beside it: failed downloads are in that alone.
A metadata.csv, .jsonl or .parquet says more of the images in its folder and below it (`_metadata`): captions, where
there is no .txt, and other columns. An image that it does not name is read all the same; one that it names and that is
not there is a failure.

    >>> dataset = open_folders(Path("pictures"), Columns())   # doctest: +SKIP
"""

import itertools
import os
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from scanner.samples._columns import Columns
from scanner.samples._decode import Undecodable
from scanner.samples._metadata import FILE_NAMES, Listed, Remark, list_images
from scanner.samples._place import FileState, Place, relative, state_of
from scanner.samples._rows import is_file
from scanner.samples._sample import Failure, Sample, Shard, unread
from scanner.samples._sidecar import IMAGE_SUFFIXES, printable, read_sidecars
from scanner.samples._webdataset import Record, compared, lost_row, read_records, stats_beside

SHARD_ROWS = 10_000
"""Rows of a folder or a table that are read, resumed and stored as one: as many as img2dataset puts into a shard."""

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
    listed: Listed
    """What the metadata files say of the images."""
    absent: Mapping[str, frozenset[str]]
    """By shard, the images that a metadata file names and that are not there."""
    remarks: Mapping[str, Sequence[Remark]]
    """By shard, what is wrong with the rows of its folder's metadata file."""
    layout: str = "folder"
    """Name of the layout."""

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        """Every image, and every caption without an image, once, in the order of the file names."""
        return compared(shard, self._read(shard), stats_beside(shard.path))

    def _read(self, shard: Shard) -> Iterator[Sample | Failure]:
        records, failures = self._records(shard)
        yield from failures
        yield from (unread(shard, remark.key, remark.reason, remark.message) for remark in self.remarks[shard.name])
        folder, absent = _below(shard.path, self.root), self.absent[shard.name]
        listed, told = self.listed.places.get(folder, {}), self.listed.records(folder, self.columns)
        for stem, names in self.rows[shard.name].items():
            images = [name for name in names if _suffix(name) in IMAGE_SUFFIXES or name in listed]
            record = records.pop(stem, {})
            if not images:
                yield lost_row(shard, printable(stem), record, [printable(name) for name in names])
            for position, image in enumerate(images):
                key = printable(image if position else stem)
                if image in absent:
                    yield unread(shard, key, "missing_image", f"{listed[image][0].name} names it, but it is not there.")
                else:
                    said = {**told(image), **record}
                    yield self._read_image(shard, key, image, names, said)
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
            key=beside.key or key,
            encoded=encoded,
            file=relative(path, self.root),
            offset=0,
            caption=beside.caption,
            url=beside.url,
            extra=beside.fields,
        )


def open_folders(root: Place, columns: Columns) -> Folders:
    """Every folder at or below `root` that holds an image as a shard; no shards where there is none.

    A folder of which a metadata file names images is a shard too. Raises UnusableInputError where such a file has no
    column with names of files.
    """
    walked = {_below(folder, root): (folder, frozenset(names)) for folder, names in _folders(root)}
    visible = {name: _wanted(names) for name, (_, names) in walked.items() if _hold_image(names)}
    tables = [folder / name for folder, names in walked.values() for name in _tables(names)] if visible else []
    listed = list_images(root, tables, columns)
    shards: list[Shard] = []
    rows, absent, remarks = {}, {}, {}
    for name in sorted({*visible, *listed.places, *listed.remarks}, key=printable):
        folder, there = walked.get(name, (root / name, frozenset()))
        named = listed.places.get(name, {})
        missing = frozenset(file for file in named if file not in there and not is_file(folder / file))
        beside = [table for table in tables if _is_above(_below(table.parent, root), name)]
        remarked = listed.remarks.get(name, ())
        for part, chunk in _chunks(printable(name), folder, sorted({*visible.get(name, ()), *named}), root):
            rows[part], absent[part], remarks[part] = chunk, missing, remarked
            remarked = ()
            states = _states(root, folder, chunk, beside)
            shards.append(Shard(name=part, path=folder, index=len(shards), files=states))
    return Folders(
        root=root,
        shards=tuple(shards),
        columns=columns,
        rows=rows,
        listed=listed,
        absent=absent,
        remarks=remarks,
    )


def holds_image(root: Place) -> bool:
    """Whether there is an image at or below a folder."""
    return any(_hold_image(names) for _, names in _folders(root))


def _suffix(name: str) -> str:
    return PurePath(name).suffix[1:].lower()


def _raise(error: Exception) -> None:
    raise error


def _folders(root: Place) -> Iterator[tuple[Place, list[str]]]:
    """Every folder with the names of its files; hidden folders are left out."""
    for folder, below, names in _walk(root):
        below[:] = [name for name in below if not name.startswith(".")]
        yield folder, names


def _below(where: Place, root: Place) -> str:
    return relative(where, root) or "."


def _is_above(folder: str, other: str) -> bool:
    """Whether a folder is another one, or holds it."""
    return folder in (".", other) or other.startswith(f"{folder}/")


def _wanted(names: Iterable[str]) -> list[str]:
    """Images and captions."""
    return sorted(name for name in names if not name.startswith(".") and _suffix(name) in _WANTED)


def _hold_image(names: Iterable[str]) -> bool:
    return any(_suffix(name) in IMAGE_SUFFIXES and not name.startswith(".") for name in names)


def _tables(names: Container[str]) -> list[str]:
    """The metadata file among a folder's files."""
    return [name for name in FILE_NAMES if name in names][:1]


def _walk(root: Place) -> Iterator[tuple[Place, list[str], list[str]]]:
    if isinstance(root, Path):
        for folder, below, names in os.walk(root, onerror=_raise, followlinks=True):
            below[:] = [name for name in below if not _leads_back(Path(folder) / name)]
            yield Path(folder), below, names
    else:
        yield from root.walk(on_error=_raise)


def _leads_back(folder: Path) -> bool:
    """Whether a folder is a link to one that it lies in, so that following it would never end."""
    return folder.is_symlink() and folder.resolve() in folder.parent.resolve().joinpath("_").parents


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


def _states(
    root: Place, folder: Place, rows: Mapping[str, Sequence[str]], tables: Sequence[Place]
) -> dict[str, FileState]:
    parquet = _parquet_beside(root, folder)
    read = [folder / file for names in rows.values() for file in names] + ([parquet] if parquet else []) + [*tables]
    return {printable(relative(path, root)): _state(path) for path in read}


def _state(path: Place) -> FileState:
    try:
        return state_of(path)
    except (OSError, ValueError):  # a dangling link or a name without a file, which the reader puts into the ledger
        return FileState(0, "can't be read")
