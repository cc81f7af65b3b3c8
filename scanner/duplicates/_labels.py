"""A labelled sample: pairs of a run's rows of which a person says whether they show the same picture.

A CSV or parquet file with the columns `left`, `right` and `same` (0, 1, true or false). A row is named by its
sample_id, by `shard/key`, or by its key where only one row of the run bears it; a column of integers holds sample ids.

    >>> labels = read_labels(Path("labels.csv"), samples)                     # doctest: +SKIP
    >>> labels.same.mean()                                                    # doctest: +SKIP
    0.5
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.errors import UnusableInputError

_TRUTH = {"1": True, "true": True, "0": False, "false": False}
_COLUMNS = ("left", "right", "same")
_HOW = "give its sample_id, shard/key, or a key that occurs once"


@dataclass(frozen=True, kw_only=True)
class Labels:
    """Pairs of rows of the samples table, with what a person said of them."""

    left: NDArray[np.int64]
    """(p,): row of the samples table."""
    right: NDArray[np.int64]
    """(p,): another row."""
    same: NDArray[np.bool_]
    """(p,): both show the same picture."""

    def __len__(self) -> int:
        return len(self.same)


def read_labels(path: Path, samples: pl.DataFrame) -> Labels:
    """Read the pairs and find their rows among `samples` (columns `sample_id`, `shard` and `key`).

    Raises UnusableInputError, in one sentence that names the file and the row (the first under the header is row 1).
    """
    table = _table(path)
    same = [_truth(text, f"Row {number} of {path}") for number, text in enumerate(table["same"], start=1)]
    rows = {side: _find(table[side], samples) for side in ("left", "right")}
    seen: dict[tuple[int, int], int] = {}
    pairs = []
    for number in range(1, len(table) + 1):
        where = f"Row {number} of {path}"
        left, right = (_only(rows[side][number - 1], table[side][number - 1], where) for side in ("left", "right"))
        if left == right:
            raise UnusableInputError(f"{where} pairs {table['left'][number - 1]!r} with itself; name two rows.")
        first = seen.setdefault((min(left, right), max(left, right)), number)
        if first != number:
            raise UnusableInputError(f"{where} names the pair of row {first} again; leave one of them out.")
        pairs.append((left, right))
    both = np.array(pairs, np.int64)
    return Labels(left=both[:, 0], right=both[:, 1], same=np.array(same, bool))


def _table(path: Path) -> pl.DataFrame:
    """The three columns; text as it stands, so that a key keeps its leading zeros."""
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet"):
        raise UnusableInputError(f"{path} is no file of labels; give a .csv or .parquet.")
    if not path.is_file():
        raise UnusableInputError(f"There is no file of labels {path}.")
    try:
        table = pl.read_csv(path, infer_schema=False) if kind == ".csv" else pl.read_parquet(path)
    except (pl.exceptions.PolarsError, OSError) as error:
        said = str(error).splitlines()[0][:120] if str(error) else type(error).__name__
        raise UnusableInputError(f"{path} can't be read as {kind[1:]} ({said}); write it again.") from error
    missing = [name for name in _COLUMNS if name not in table.columns]
    if missing:
        raise UnusableInputError(f"{path} has no column {missing[0]!r}; labels have the columns left, right and same.")
    if table.is_empty():
        raise UnusableInputError(f"{path} holds no labelled pair; give at least one.")
    return table.select(_COLUMNS).with_columns(pl.col("same").cast(pl.String))


def _truth(text: str | None, where: str) -> bool:
    value = _TRUTH.get((text or "").strip().lower())
    if value is None:
        raise UnusableInputError(f"{where} says {text!r} where 0, 1, true or false says whether both are the same.")
    return value


def _find(named: pl.Series, samples: pl.DataFrame) -> Sequence[Sequence[int] | None]:
    """For each name the rows that bear it, None where there are none."""
    only_ids = named.dtype.is_integer()
    names = pl.DataFrame({"name": named.cast(pl.String).str.strip_chars()}).with_row_index("at")
    wanted = names["name"].drop_nulls().unique().implode()
    ways = [pl.col("sample_id").cast(pl.String)]
    ways += [] if only_ids else [pl.col("key"), pl.col("shard") + "/" + pl.col("key")]
    rows = samples.select("sample_id", "shard", "key").with_row_index("row").lazy()
    found = pl.concat([rows.select("row", name=way).filter(pl.col("name").is_in(wanted)) for way in ways]).unique()
    bearers = found.sort("row").group_by("name", maintain_order=True).agg("row").collect()
    joined: list[Sequence[int] | None] = names.join(bearers, on="name", how="left").sort("at")["row"].to_list()
    return joined


def _only(rows: Sequence[int] | None, name: object, where: str) -> int:
    if not rows:
        raise UnusableInputError(f"{where} names {name!r}, which is no row of this run; {_HOW}.")
    if len(rows) > 1:
        raise UnusableInputError(f"{where} names {name!r}, which {len(rows):,} rows of this run bear; write shard/key.")
    return rows[0]
