"""Look at a path and say which data set is there.

>>> open_dataset(Path("laion/"), limit=1000).layout    # doctest: +SKIP
'webdataset'
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from scanner.errors import UnusableInputError
from scanner.samples._folder import open_folders
from scanner.samples._sample import Dataset, Failure, Sample, Shard
from scanner.samples._sidecar import IMAGE_SUFFIXES
from scanner.samples._webdataset import open_webdataset


def open_dataset(path: Path, limit: int | None = None) -> Dataset:
    """The data set at `path`: a folder of tars, one tar, or a folder of images (tars win where both lie there).

    With `limit`, only the first so many rows, in the order of shards and rows; samples and failures both count.
    Raises UnusableInputError when nothing is found there that can be read.
    """
    if limit is not None and limit < 1:
        raise UnusableInputError(f"A limit of {limit} rows leaves nothing to read; give at least 1.")
    try:
        dataset = _find(path)
    except OSError as error:
        raise UnusableInputError(
            f"{error.filename} can't be read ({error.strerror}); check its permissions."
        ) from error
    return dataset if limit is None else _limited(dataset, limit)


def _find(path: Path) -> Dataset:
    if not path.exists():
        raise UnusableInputError(f"{path} does not exist; name a folder of webdataset tars or of images.")
    if path.is_file() and path.suffix == ".tar":
        return open_webdataset(path.parent, [path])
    if not path.is_dir():
        raise UnusableInputError(f"{path} is not a data set; name a tar, or a folder of webdataset tars or of images.")
    tars = sorted(tar for tar in path.glob("*.tar") if tar.is_file() and not tar.name.startswith("."))
    if tars:
        return open_webdataset(path, tars)
    folders = open_folders(path)
    if folders.shards:
        return folders
    images = " ".join(f".{suffix}" for suffix in sorted(IMAGE_SUFFIXES))
    raise UnusableInputError(
        f"{path} holds no data set; looked for webdataset shards (*.tar) and, at any depth, for images ({images})."
    )


@dataclass(frozen=True, kw_only=True)
class _Limited:
    """The first rows of a data set."""

    dataset: Dataset
    """The whole data set."""
    rows: Mapping[str, int]
    """How many rows to read of each shard that is left, by its name."""

    @property
    def layout(self) -> str:
        return self.dataset.layout

    @property
    def root(self) -> Path:
        return self.dataset.root

    @property
    def shards(self) -> tuple[Shard, ...]:
        return tuple(shard for shard in self.dataset.shards if shard.name in self.rows)

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        return islice(self.dataset.read(shard), self.rows[shard.name])


def _limited(dataset: Dataset, limit: int) -> _Limited:
    """Count rows by reading them once: a limit is for trying out, and small."""
    rows: dict[str, int] = {}
    for shard in dataset.shards:
        left = limit - sum(rows.values())
        if left <= 0:
            break
        rows[shard.name] = sum(1 for _ in islice(dataset.read(shard), left))
    return _Limited(dataset=dataset, rows=rows)
