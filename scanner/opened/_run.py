"""A run opened for people: every table a lazy frame, embeddings memory-mapped, pictures by sample.

    >>> run = OpenedRun(Run.open(Path("RUN")))                                   # doctest: +SKIP
    >>> run.prompts.filter(pl.col("risk") > 0.5).collect()                       # doctest: +SKIP

The tables are those of `scanner.tables.TABLES`, under their names. A column that an older run lacks is there, and null;
a table that was not written yet is there, and empty. Nothing in the run is ever changed.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import polars as pl
from PIL import Image

from scanner.carried import scan_carried
from scanner.errors import UnusableInputError
from scanner.images import image_places, images_of
from scanner.opened._embeddings import RunEmbeddings
from scanner.opened._summary import RunSummary, summarise
from scanner.run import Run
from scanner.samples import StoredImages, Undecodable, decode
from scanner.tables import SAMPLES, TABLES, Table

THUMBNAIL_SIDE = 32


class OpenedRun:
    """A run directory for reading. `run.groups`, `run.prompts`, ... are its tables; `run.tables` lists them."""

    def __init__(self, run: Run) -> None:
        self._run = run

    @property
    def path(self) -> Path:
        """The directory."""
        return self._run.path

    @property
    def config(self) -> Mapping[str, Any]:
        """What is scanned and how: run.json."""
        return self._run.config

    @property
    def attack_config(self) -> Mapping[str, Any] | None:
        """How the model was attacked: attack.json; None where no attack was begun."""
        return self._run.part_config("attack")

    @property
    def manifest(self) -> Mapping[str, Any]:
        """manifest.json: rows of the tables, results of the parts, versions; empty while the run is not finished."""
        return self._run.manifest()

    @property
    def summary(self) -> RunSummary:
        """The run in figures."""
        return summarise(self._run)

    @property
    def tables(self) -> pl.DataFrame:
        """Every table: its name, the rows it has in this run (null: not written), what one row is, and its key."""
        rows = [
            (name, self._rows(table), table.row, ", ".join(table.key), table.path) for name, table in TABLES.items()
        ]
        return pl.DataFrame(rows, schema=["table", "rows", "a row is", "sorted by", "file"], orient="row")

    def columns(self, name: str) -> pl.DataFrame:
        """The columns of a table: name, type, and what it holds."""
        rows = [(column, str(this.dtype), this.doc) for column, this in _table(name).columns.items()]
        return pl.DataFrame(rows, schema=["column", "type", "meaning"], orient="row")

    def table(self, name: str) -> pl.LazyFrame:
        """A table as a lazy frame with its documented columns. Raises UnusableInputError when there is none."""
        table = _table(name)
        parts = table.parts(self.path)
        if not parts:
            return table.empty().lazy()
        # parts that another version wrote may lack a column, or have one that this version does not know
        return pl.scan_parquet(parts, schema=table.schema, missing_columns="insert", extra_columns="ignore")

    def __getattr__(self, name: str) -> pl.LazyFrame:
        if name not in TABLES:
            raise AttributeError(f"A run has no table or property {name!r}; its tables are {', '.join(TABLES)}.")
        return self.table(name)

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *TABLES]

    @property
    def carried(self) -> pl.LazyFrame:
        """`sample_id` and the data set's columns that the run was told to carry along."""
        return scan_carried(self.path)

    @cached_property
    def embeddings(self) -> RunEmbeddings:
        """Memory-mapped: row i belongs to `embeddings.sample_ids[i]`."""
        return RunEmbeddings(self.path)

    def image(self, sample_id: int) -> Image.Image:
        """The picture as it lies in the data set, upright RGB. Raises UnusableInputError when it can't be had any
        more."""
        where = self._row(image_places(self._run), sample_id, "file", "offset", "length")
        try:
            return Image.fromarray(decode(self._images(*where)))
        except Undecodable as error:
            raise UnusableInputError(
                f"The picture of sample {sample_id} can't be had ({error.message.rstrip('.')}); "
                f"run.thumbnail({sample_id}) gives what the run itself has of it."
            ) from error

    def thumbnail(self, sample_id: int) -> Image.Image:
        """The picture as the samples table keeps it, 32 × 32 RGB. Raises UnusableInputError when the row has none."""
        (pixels,) = self._row(SAMPLES.scan(self.path), sample_id, "thumbnail")
        if pixels is None:
            raise UnusableInputError(f"The data set holds an embedding of sample {sample_id}, but no picture.")
        return Image.frombytes("RGB", (THUMBNAIL_SIDE, THUMBNAIL_SIDE), pixels)

    def __repr__(self) -> str:
        return self.summary.text()

    def _repr_html_(self) -> str:
        return self.summary.html()

    @cached_property
    def _images(self) -> StoredImages:
        return images_of(self._run)

    def _rows(self, table: Table) -> int | None:
        if not table.parts(self.path):
            return None
        return int(table.scan(self.path).select(pl.len()).collect().item())

    def _row(self, frame: pl.LazyFrame, sample_id: int, *columns: str) -> tuple[Any, ...]:
        found = frame.filter(pl.col("sample_id") == sample_id).select(columns).collect()
        if found.is_empty():
            raise UnusableInputError(f"{self.path} has no sample {sample_id}.")
        return found.row(0)


def _table(name: str) -> Table:
    if name not in TABLES:
        raise UnusableInputError(f"A run has no table {name!r}; its tables are {', '.join(TABLES)}.")
    return TABLES[name]
