"""Find a list of URLs: a data set as it is published, with addresses in place of images.

LAION-400M, laion2B-en and its relatives, laion-coco, COYO-700M, DataComp and Recap-DataComp (parquet), CC12M (TSV
without a header), or any CSV, TSV or JSON lines with a column of addresses. Its images have to be downloaded before
they can be scanned, so that it is no `Dataset`; `choose` says which rows are wanted, and `Downloaded` reads what was
downloaded. A folder with tars, images or embeddings in it is none, and neither is a table that img2dataset wrote.

    >>> find_url_list(Path("laion400m"), (), Columns()).shards               # doctest: +SKIP
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import polars as pl

from scanner.samples._columns import Columns
from scanner.samples._place import Place, is_hidden, relative
from scanner.samples._sample import Shard, states
from scanner.samples._sidecar import IMAGE_SUFFIXES, printable
from scanner.samples.urls._rows import Table, kind_of, look

_OF_PICTURES = ("hash", "image_id")
"""Keys that tell pictures apart, not rows; they count only when the user names them."""
_IMG2DATASET = {"key", "status", "error_message"}
_OTHER_DATA = IMAGE_SUFFIXES | {"tar", "arrow", "npy", "npz"}
"""Endings of files that show a folder to be a data set of another layout."""


@dataclass(frozen=True, kw_only=True)
class ListedFile:
    """One file of a list, and which of its columns is what."""

    shard: Shard
    """Its name and state."""
    table: Table
    """Its columns."""
    url: str
    """Column of the address."""
    caption: str | None
    """Column of the caption, text or a list of texts."""
    key: str | None
    """Column of the key; where there is none, rows go by their number in the file, from 0."""


@dataclass(frozen=True, kw_only=True)
class UrlList:
    """A list of URLs, in one file or several."""

    root: Place
    """The folder that holds them."""
    files: tuple[ListedFile, ...]
    """In the order of their names."""
    layout: str = "urls"
    """Name of the layout."""

    @property
    def shards(self) -> tuple[Shard, ...]:
        """The files as they are named in the ledger."""
        return tuple(file.shard for file in self.files)

    @property
    def name(self) -> Place:
        """The file, where it is a single one; else the folder."""
        return self.files[0].table.place if len(self.files) == 1 else self.root

    @property
    def columns(self) -> list[str]:
        """Names of all columns of all files."""
        return list(dict.fromkeys(name for file in self.files for name in file.table.schema))


def find_url_list(root: Place, files: Sequence[Place], columns: Columns, *, forced: bool = False) -> UrlList | None:
    """The list in a folder, or in the files that were named; None where there is none.

    `forced` takes it for one whatever lies beside it. Raises UnusableInputError where only some of the files have an
    address column, or a column that the user named is in none of them.
    """
    wanted = list(files) if files else _tables_below(root, forced=forced)
    if not wanted or any(kind_of(file) is None for file in wanted) or (files and not forced and _has_vectors(files)):
        return None
    tables = list(map(look, wanted))
    readable = [table for table in tables if table.damage is None]
    if not readable or not _is_list(readable[0], columns, forced=forced):
        return None
    names = _shard_names(wanted, root)
    found = [_listed(root, names[index], index, table, columns) for index, table in enumerate(tables)]
    return UrlList(root=root, files=tuple(found))


def _tables_below(root: Place, *, forced: bool) -> list[Place]:
    """Files of rows at or below a folder; none where other data lie there."""
    found = []
    for path in root.rglob("*"):
        name = relative(path, root)
        if is_hidden(name):
            continue
        if not forced and path.suffix[1:].lower() in _OTHER_DATA:
            return []
        if kind_of(path) is not None and path.is_file():
            found.append(path)
    return sorted(found, key=str)


def _has_vectors(files: Iterable[Place]) -> bool:
    """Whether embeddings lie beside a file under its name, as in DataComp: a data set that needs no download."""
    return any(file.with_suffix(".npz").exists() for file in files)


def _is_list(table: Table, columns: Columns, *, forced: bool) -> bool:
    names = table.schema.names()
    if columns.find(_texts(table), "url") is None or set(names) >= _IMG2DATASET:
        return False
    return forced or (columns.image is None and not _holds_images(table, columns))


def _holds_images(table: Table, columns: Columns) -> bool:
    image = columns.find([name for name, kind in table.schema.items() if _is_bytes(kind)], "image")
    return image is not None or any(isinstance(kind, pl.Struct) and _is_bytes(kind) for kind in table.schema.values())


def _is_bytes(kind: pl.DataType) -> bool:
    inside = {field.name: field.dtype for field in kind.fields} if isinstance(kind, pl.Struct) else {}
    return kind == pl.Binary or inside.get("bytes") == pl.Binary


def _texts(table: Table) -> list[str]:
    return [name for name, kind in table.schema.items() if kind == pl.String]


def _shard_names(files: Sequence[Place], root: Place) -> list[str]:
    """Names below the root without their endings, where these tell the files apart."""
    whole = [printable(relative(file, root)) for file in files]
    short = [name.removesuffix(".gz").rpartition(".")[0] for name in whole]
    return short if len(set(short)) == len(short) else whole


def _listed(root: Place, name: str, index: int, table: Table, columns: Columns) -> ListedFile:
    shard = Shard(name=name, path=table.place, index=index, files=states(root, table.place))
    if table.damage is not None:
        return ListedFile(shard=shard, table=table, url="", caption=None, key=None)
    where, names = relative(table.place, root), table.schema.names()
    captions = [column for column, kind in table.schema.items() if kind in (pl.String, pl.List(pl.String))]
    keys = names if columns.key else [column for column in names if column.lower() not in _OF_PICTURES]
    key = columns.require(keys, "key", where) if columns.key else columns.find(keys, "key")
    return ListedFile(
        shard=shard,
        table=table if key is None else _with_text(table, key),
        url=columns.require(_texts(table), "url", where),
        caption=columns.require(captions, "caption", where) if columns.caption else columns.find(captions, "caption"),
        key=key,
    )


def _with_text(table: Table, key: str) -> Table:
    """The table with its key as the file writes it: 0012 is not 12."""
    is_written = table.kind in ("csv", "tsv")
    return replace(table, schema=pl.Schema({**table.schema, key: pl.String()})) if is_written else table
