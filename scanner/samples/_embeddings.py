"""Read data sets that come as embeddings and hold no images: clip-retrieval's output and DataComp's metadata.

clip-retrieval (https://github.com/rom1504/clip-retrieval) writes `img_emb/img_emb_N.npy` and
`metadata/metadata_N.parquet`; LAION gives the same files in folders of other names, which are found too. `text_emb` is
not read. DataComp (https://github.com/mlfoundations/datacomp) has `NAME.npz` beside `NAME.parquet`, with the arrays
`l14_img` and `b32_img` (and the captions' own): l14_img is read (of ViT-L/14, the better model, and the one that
DataComp's image-based filter takes) unless `Columns.embedding` names another.

Row i of both files is the same sample, so that their counts are compared when the data set is opened, from headers
alone. Each pair of files is a shard. The key is the key column's value, or else the image's path, or else the number of
the row. A row whose embedding is NaN, infinite or zero is a failure; embeddings that are not of unit length are brought
to it, and a remark says so once per shard. Where the path of the image is that of a file at or below the data set's
root on this machine, the sample says so (`file`), so that the image can be looked at later; it is not read here.

    >>> dataset = open_clip_retrieval(Path("laion-embeddings"), (), Columns())       # doctest: +SKIP
    >>> next(dataset.read(dataset.shards[0])).embedding.shape                        # doctest: +SKIP
    (512,)
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from scanner.errors import UnusableInputError
from scanner.samples._columns import Columns
from scanner.samples._decode import Undecodable
from scanner.samples._parquet import parquet_file, read_group, row_groups
from scanner.samples._place import Place, open_place, relative
from scanner.samples._rows import (
    OF_PICTURES,
    caption_of,
    is_caption,
    is_file,
    is_outside,
    is_text,
    records_of,
    said_of_data,
)
from scanner.samples._sample import Dataset, Failure, Sample, Shard, states, unread
from scanner.samples._select import Selected
from scanner.samples._sidecar import IMAGE_SUFFIXES, printable, text_field
from scanner.samples._vectors import (
    UnitRows,
    VectorFile,
    VectorStream,
    look_at_npy,
    look_at_npz,
    names_in_npz,
    unit_rows,
)

OWN_MODEL = "the data set's own"
"""What a run names as its model when the data set brought its embeddings and nothing else was there to embed."""

_EMBEDDINGS, _METADATA = re.compile(r"img_emb_(\d+)\.npy"), re.compile(r"metadata_(\d+)\.parquet")
_FOLDER = "img_emb"


@dataclass(frozen=True, kw_only=True)
class EmbeddingRoles:
    """The columns of a metadata table that have a meaning here; None where there is none."""

    caption: str | None
    """Text, or a list of texts."""
    url: str | None
    """Text."""
    key: str | None
    """Anything that identifies a row."""
    path: str | None
    """Text, the image's path: its key where there is no other."""


@dataclass(frozen=True, kw_only=True)
class Part:
    """Two files whose rows belong together."""

    vectors: VectorFile
    """The embeddings."""
    metadata: Place
    """The parquet."""
    roles: EmbeddingRoles
    """Its columns."""


@dataclass(frozen=True, kw_only=True)
class OwnEmbeddings:
    """What is known of the embeddings that a data set brought."""

    array: str
    """Name of the array: img_emb, l14_img, ..."""
    width: int
    """Numbers in an embedding."""
    checksum: str
    """sha-256, hex, of layout, array and width: what a resumed run must agree with in place of a model's weights."""


@dataclass(frozen=True, kw_only=True)
class EmbeddingSet:
    """A data set of embeddings with metadata, without images."""

    root: Place
    """The folder that holds the files."""
    shards: tuple[Shard, ...]
    """One per pair of files."""
    parts: Mapping[str, Part]
    """The files of each shard."""
    array: str
    """Name of the array that is read."""
    layout: str
    """Name of the layout."""

    @property
    def own(self) -> OwnEmbeddings:
        """What stands for a model in a run on this data set."""
        width = next(iter(self.parts.values())).vectors.width
        checksum = hashlib.sha256(f"{self.layout} {self.array} {width}".encode()).hexdigest()
        return OwnEmbeddings(array=self.array, width=width, checksum=checksum)

    def read(self, shard: Shard) -> Iterator[Sample | Failure]:
        """Every row of the shard once, in stored order."""
        part = self.parts[shard.name]
        with open_place(part.metadata) as table, part.vectors.open() as stream:
            parquet = parquet_file(table)
            rows = _Rows(root=self.root, shard=shard, roles=part.roles, stream=stream)
            for group in row_groups(parquet.metadata):
                yield from read_group(parquet, group, rows)


@dataclass(frozen=True, kw_only=True)
class _Rows:
    """Makes samples of the rows of one shard; it remembers the shard's keys, and whether it remarked on lengths."""

    root: Place
    shard: Shard
    roles: EmbeddingRoles
    stream: VectorStream
    seen: dict[str, int] = field(default_factory=dict)
    remarked: list[int] = field(default_factory=list)

    def __call__(self, batch: pa.RecordBatch, first: int) -> Iterator[Sample | Failure]:
        """Every row of a batch, once; `first` is the number of its first row in the file."""
        unit = unit_rows(self.stream.take(first, batch.num_rows))
        if unit.changed.any() and not self.remarked:
            self.remarked.append(first + int(unit.changed.argmax()))
            yield self._remark(float(unit.length[unit.changed.argmax()]))
        for position, record in enumerate(records_of(batch)):
            number = first + position
            if isinstance(record, Undecodable):
                yield unread(self.shard, str(number), record.reason, record.message)
                continue
            key = row_key(record, self.roles) or str(number)
            before = self.seen.setdefault(key, number)
            try:
                if before != number:
                    raise Undecodable("duplicate_key", f"Row {number:,} has the key of row {before:,}, which is kept.")
                yield self._sample(key, record, self._vector(unit, position))
            except Undecodable as error:
                yield unread(self.shard, key, error.reason, error.message)

    def lost(self, numbers: range, reason: str, message: str) -> Iterator[Failure]:
        """A failure for each of these rows, by their numbers."""
        return (unread(self.shard, str(number), reason, message) for number in numbers)

    def _remark(self, length: float) -> Failure:
        message = (
            f"Embeddings are not of unit length (row {self.remarked[0]:,} is the first, of length {length:.4g}) and "
            "were brought to it."
        )
        return unread(self.shard, "", "not_unit_length", message)

    def _vector(self, unit: UnitRows, position: int) -> NDArray[np.float16]:
        if position >= len(unit.vectors):
            message = f"The file of embeddings can't be read as far as this row ({self.stream.damage})."
            raise Undecodable("truncated_embeddings", message)
        if not unit.usable[position]:
            raise Undecodable("bad_embedding", "The row's embedding is zero or holds numbers that are not finite.")
        vector: NDArray[np.float16] = unit.vectors[position]
        return vector

    def _sample(self, key: str, record: Mapping[str, Any], vector: NDArray[np.float16]) -> Sample:
        return Sample(
            shard=self.shard.name,
            key=key,
            caption=caption_of(record, self.roles.caption),
            url=text_field(record, self.roles.url),
            encoded=None,
            file=self._located(record),
            offset=0,
            extra=record,
            embedding=vector,
        )

    def _located(self, record: Mapping[str, Any]) -> str | None:
        """The image's file, where there is one at or below the root; elsewhere a row may not point."""
        path = None if self.roles.path is None else record[self.roles.path]
        if not path or not isinstance(self.root, Path) or Path(path).suffix[1:].lower() not in IMAGE_SUFFIXES:
            return None
        top = self.root.absolute()
        inside = str(Path(path).relative_to(top)) if Path(path).is_relative_to(top) else path
        if is_outside(inside) or not is_file(self.root / inside):
            return None
        return relative(self.root / inside, self.root)


def row_key(record: Mapping[str, Any], roles: EmbeddingRoles) -> str | None:
    """What the data set calls a row: its key, or else its image's path."""
    for name in (roles.key, roles.path):
        value = None if name is None else record[name]
        if value is not None and value != "":
            return str(value)
    return None


def own_embeddings(dataset: Dataset) -> OwnEmbeddings | None:
    """The embeddings that a data set brought in place of images; None where it has images."""
    while isinstance(dataset, Selected):
        dataset = dataset.dataset
    return dataset.own if isinstance(dataset, EmbeddingSet) else None


def open_clip_retrieval(root: Place, files: Sequence[Place], columns: Columns) -> EmbeddingSet | None:
    """clip-retrieval's output at `root`, or those partitions of it whose .npy are named; None where there is none.

    Raises UnusableInputError where two files do not belong together, or one has no counterpart.
    """
    if files and not all(_EMBEDDINGS.fullmatch(file.name) for file in files):
        return None
    root = root.parent if root.name == _FOLDER else root
    arrays = _numbered(files or _near(root, "img_emb_*.npy"), _EMBEDDINGS)
    if not arrays:
        return None
    tables = _numbered(_near(root, "metadata_*.parquet"), _METADATA)
    if files:
        tables = {number: table for number, table in tables.items() if number in arrays}
    parts = _look_at(root, _paired(root, arrays, tables), look_at_npy, columns)
    return _dataset(root, parts, layout="clip-retrieval", array=_FOLDER)


def open_datacomp(root: Place, files: Sequence[Place], columns: Columns) -> EmbeddingSet | None:
    """DataComp's metadata at `root`, or those parts of it whose .npz are named; None where there is none.

    Raises UnusableInputError where two files do not belong together, or one has no counterpart.
    """
    if any(file.suffix != ".npz" for file in files):
        return None
    archives = {relative(file.with_suffix(""), root): file for file in files or _near(root, "*.npz")}
    folders = {str(file.parent): file.parent for file in archives.values()}
    beside = [table for folder in folders.values() for table in folder.glob("*.parquet")]
    tables = {relative(table.with_suffix(""), root): table for table in beside if not table.name.startswith(".")}
    first = next((file for name, file in archives.items() if name in tables), None)
    if first is None:
        return None
    names = names_in_npz(first)
    if columns.embedding is None and columns.find(names, "embedding") is None:
        return None
    array = columns.require(names, "embedding", relative(first, root))
    if files:
        tables = {name: table for name, table in tables.items() if name in archives}
    parts = _look_at(root, _paired(root, archives, tables), partial(look_at_npz, array=array), columns)
    return _dataset(root, parts, layout="datacomp", array=array)


def _near(root: Place, pattern: str) -> list[Place]:
    """Files of that name in a folder or in one of its folders, none of them hidden."""
    found = [*root.glob(pattern), *root.glob(f"*/{pattern}")]
    return sorted((file for file in found if not relative(file, root).startswith(".")), key=str)


def _numbered(files: Sequence[Place], pattern: re.Pattern[str]) -> dict[int, Place]:
    """The files by the number in their names, in its order. Raises UnusableInputError where two have one number."""
    found: dict[int, Place] = {}
    for file in files:
        match = pattern.fullmatch(file.name)
        if match is None:
            continue
        other = found.setdefault(int(match[1]), file)
        if other != file:
            raise UnusableInputError(f"{other} and {file} are both partition {int(match[1])}; name one folder of them.")
    return dict(sorted(found.items()))


def _paired(root: Place, arrays: Mapping[Any, Place], tables: Mapping[Any, Place]) -> dict[Place, Place]:
    """The table of each file of embeddings. Raises UnusableInputError where a file has no counterpart."""
    lonely = [arrays[name] for name in arrays if name not in tables]
    lonely += [tables[name] for name in tables if name not in arrays]
    if lonely:
        kinds = [next(iter(arrays.values())).suffix, ".parquet"]
        other = next(kind for kind in kinds if kind != lonely[0].suffix)
        raise UnusableInputError(
            f"{relative(lonely[0], root)} has no {other} of the same name or number beside it; get that, or name the "
            f"{kinds[0]} files to read by a pattern."
        )
    return {array: tables[name] for name, array in arrays.items()}


def _look_at(
    root: Place, pairs: Mapping[Place, Place], look: Callable[[Place], VectorFile], columns: Columns
) -> list[Part]:
    """The headers of all files, compared with one another."""
    with ThreadPoolExecutor(8) as pool:
        parts = list(pool.map(lambda pair: _part(root, look(pair[0]), pair[1], columns), pairs.items()))
    _check_widths(root, [part.vectors for part in parts])
    return parts


def _dataset(root: Place, parts: Sequence[Part], *, layout: str, array: str) -> EmbeddingSet:
    named = {printable(relative(part.vectors.place.with_suffix(""), root)): part for part in parts}
    shards = (
        Shard(name=name, path=part.vectors.place, index=i, files=states(root, part.vectors.place, part.metadata))
        for i, (name, part) in enumerate(named.items())
    )
    return EmbeddingSet(root=root, shards=tuple(shards), parts=named, array=array, layout=layout)


def _part(root: Place, vectors: VectorFile, metadata: Place, columns: Columns) -> Part:
    """Two files, whose counts are compared."""
    try:
        with open_place(metadata) as file:
            parquet = parquet_file(file)
            rows, schema = parquet.metadata.num_rows, parquet.schema_arrow
    except (pa.ArrowException, OSError) as error:
        name = relative(metadata, root)
        raise UnusableInputError(f"{name} can't be read as parquet ({said_of_data(error)}); get it again.") from error
    if rows != vectors.rows:
        raise UnusableInputError(
            f"{relative(vectors.place, root)} holds {vectors.rows:,} embeddings, but {relative(metadata, root)} has "
            f"{rows:,} rows, so that they can't be told apart; get both files again."
        )
    return Part(vectors=vectors, metadata=metadata, roles=_roles(schema, columns))


def _roles(schema: pa.Schema, columns: Columns) -> EmbeddingRoles:
    texts = [column.name for column in schema if is_text(column.type)]
    keys = schema.names if columns.key else [name for name in schema.names if name.lower() not in OF_PICTURES]
    return EmbeddingRoles(
        caption=columns.find([column.name for column in schema if is_caption(column.type)], "caption"),
        url=columns.find(texts, "url"),
        key=columns.find(keys, "key"),
        path=columns.find(texts, "image"),
    )


def _check_widths(root: Place, files: Sequence[VectorFile]) -> None:
    first = files[0]
    other = next((file for file in files if file.width != first.width), None)
    if other is not None:
        raise UnusableInputError(
            f"The embeddings in {relative(first.place, root)} are {first.width:,} wide and those in "
            f"{relative(other.place, root)} {other.width:,}: they come from two models; scan them one after the other."
        )
