"""The boolean array of a whole data set, shard by shard in the order of their names.

bool_array(run, dropped, unread=False).sum()
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.known_rows import refuse_unknown_rows
from pipelines.unchanged import unchanged_root
from scanner.embeddings import samples_path
from scanner.errors import UnusableInputError
from scanner.exports.rows import shard_mask
from scanner.run import Run
from scanner.samples import Columns, Dataset, Options, open_dataset
from scanner.tables import ERRORS, FILES


def bool_array(run: Run, dropped: pl.Series, *, unread: bool) -> NDArray[np.bool_]:
    """(rows of the data set,): True for the rows of these sample_ids, `unread` for those that could not be read.

    Raises UnusableInputError where the run does not know all rows, or their order: --limit was given, a shard was lost,
    the images of a list were downloaded, or a shard has to be read again and is gone or changed.
    """
    refuse_unknown_rows(run)
    _refuse_list(run)
    numbers = dict(FILES.read(run.path).sort("number").select("shard", "number").unique(maintain_order=True).rows())
    ledger = set(ERRORS.scan(run.path).filter(pl.col("key") != "").select("shard").unique().collect()["shard"])
    data = _open(run, set(numbers)) if ledger or _has_additions(run) else None
    names = list(numbers) if data is None else [shard.name for shard in data.shards]
    going = dropped.sort()
    parts = [_part(run, data if name in ledger else None, name, numbers[name], going, unread) for name in names]
    return np.concatenate([np.zeros(0, np.bool_), *parts])


def _has_additions(run: Run) -> bool:
    """Whether the numbers of the shards are not the order of their names."""
    return bool((FILES.read(run.path)["added"] > 0).any())


def _refuse_list(run: Run) -> None:
    if run.config.get("layout") == "urls":
        raise UnusableInputError(
            "The images of this data set were downloaded of a list of URLs, which has an order of its own; write "
            "--format drop-list --by url instead."
        )


def _part(  # noqa: PLR0913, PLR0917 - one shard, and what becomes of its rows
    run: Run, data: Dataset | None, name: str, number: int, going: pl.Series, unread: bool
) -> NDArray[np.bool_]:
    part = pl.scan_parquet(samples_path(run.path, f"{number:05d}"))
    rows = part.select("sample_id", "key").collect().sort("sample_id")
    first, end = going.search_sorted(number << 32), going.search_sorted((number + 1) << 32)
    goes = rows["sample_id"].is_in(going[first:end].implode())
    if data is None:
        return goes.to_numpy()
    shard = next(shard for shard in data.shards if shard.name == name)
    dropped = dict(zip(rows["key"], goes, strict=True))
    return shard_mask(data.read(shard), dropped, unread=unread)


def _open(run: Run, names: set[str]) -> Dataset:
    """The data set again, as the run read it."""
    root = unchanged_root(run)
    config = run.config
    columns = {role: config.get(f"{role}_column") for role in ("caption", "url", "key", "image", "embedding")}
    options = Options(
        layout=config["layout"], columns=Columns(**columns), where=config.get("where"), sample=config.get("sample")
    )
    data = open_dataset(str(root), options)
    if {shard.name for shard in data.shards} != names:
        raise UnusableInputError(
            f"The run was made of a part of {root} that a pattern named, and can't be read again in its order; write a "
            "drop list instead."
        )
    return data
