"""Read folders of image files, with a caption beside an image in a .txt or .json of the same name.

Each folder that directly holds images is a shard, named by its path below the root (`.` for the root itself), and is
read in the order of the file names. Hidden files and folders are left out; files that are neither image nor caption
are not rows. The key is the file's name without its ending; where several images differ in nothing but the ending,
the second and further ones go by their full name, since in a folder they are different images under one caption.

    >>> dataset = open_folders(Path("pictures"))   # doctest: +SKIP
"""

import hashlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePath

from scanner.samples._decode import Undecodable
from scanner.samples._sample import Failure, Sample, Shard, unread
from scanner.samples._sidecar import IMAGE_SUFFIXES, printable, read_sidecars


@dataclass(frozen=True, kw_only=True)
class Folders:
    """A folder of image files, or of such folders."""

    root: Path
    """The folder that was named."""
    shards: tuple[Shard, ...]
    """One per folder that holds images, in the order of their names."""
    layout: str = "folder"
    """Name of the layout."""

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        """Every image, and every caption without an image, once, in the order of the file names."""
        for stem, names in _rows(shard.path).items():
            images = [name for name in names if _suffix(name) in IMAGE_SUFFIXES]
            if not images:
                message = f"{' and '.join(map(printable, names))} stand there without an image."
                yield unread(shard, printable(stem), "missing_image", message)
            for position, image in enumerate(images):
                yield _read_image(shard, printable(image if position else stem), image, names)


def open_folders(root: Path) -> Folders:
    """Every folder at or below `root` that holds an image as a shard; no shards where there is none."""
    found = sorted((path.relative_to(root).as_posix(), path) for path in _image_folders(root))
    shards = (
        Shard(name=printable(name), path=path, index=index, fingerprint=_fingerprint(path))
        for index, (name, path) in enumerate(found)
    )
    return Folders(root=root, shards=tuple(shards))


def _suffix(name: str) -> str:
    return PurePath(name).suffix[1:].lower()


def _raise(error: OSError) -> None:
    raise error


def _image_folders(root: Path) -> Iterator[Path]:
    for folder, below, names in os.walk(root, onerror=_raise):
        below[:] = [name for name in below if not name.startswith(".")]
        if any(_suffix(name) in IMAGE_SUFFIXES and not name.startswith(".") for name in names):
            yield Path(folder)


def _files(folder: Path) -> list[str]:
    """Names of the folder's images and captions, sorted."""
    wanted = IMAGE_SUFFIXES | {"txt", "json"}
    with os.scandir(folder) as entries:
        names = [entry.name for entry in entries if not entry.is_dir() and not entry.name.startswith(".")]
    return sorted(name for name in names if _suffix(name) in wanted)


def _rows(folder: Path) -> dict[str, list[str]]:
    rows: dict[str, list[str]] = {}
    for name in _files(folder):
        rows.setdefault(PurePath(name).stem, []).append(name)
    return rows


def _fingerprint(folder: Path) -> str:
    digest = hashlib.sha256()
    for name in _files(folder):
        path = folder / name
        size = path.stat().st_size if path.exists() else -1
        digest.update(f"{printable(name)}\0{size}\n".encode())
    return digest.hexdigest()


def _read_image(shard: Shard, key: str, image: str, names: Sequence[str]) -> Sample | Failure:
    path = shard.path / image
    if printable(image) != image:
        return unread(shard, key, "name_not_utf8", "The image's file name is not UTF-8; rename the file to scan it.")
    sidecars = {_suffix(name): shard.path / name for name in reversed(names)}
    try:
        text = sidecars["txt"].read_bytes() if "txt" in sidecars else None
        metadata = sidecars["json"].read_bytes() if "json" in sidecars else None
        encoded = path.read_bytes()
        beside = read_sidecars(text, metadata)
    except OSError as error:
        return unread(shard, key, "unreadable_file", f"{error.filename} can't be read: {error.strerror}.")
    except Undecodable as error:
        return unread(shard, key, error.reason, error.message)
    return Sample(
        shard=shard.name,
        key=key,
        encoded=encoded,
        offset=0,
        path=path,
        caption=beside.caption,
        url=beside.url,
    )
