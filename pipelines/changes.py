"""A data set that changes between two tries of a run: the run refuses to go on, and names the file.

refuse_changed(out, dataset)    # before the run is claimed
remember_files(run, dataset)    # once it is
"""

from pathlib import Path

import polars as pl

from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.samples import Dataset
from scanner.tables import FILES


def refuse_changed(out: Path, dataset: Dataset) -> None:
    """Raises UnusableInputError when a file of the data set is not as it was when the run in `out` began."""
    if not FILES.exists(out):
        return
    both = FILES.read(out).join(_files(dataset), on=FILES.key, how="full", coalesce=True, suffix="_now").sort(FILES.key)
    differing = both.filter(pl.col("state").ne_missing(pl.col("state_now")))
    if len(differing):
        first = differing.row(0, named=True)
        before, now = first["state"] or "not there", first["state_now"] or "not there"
        raise UnusableInputError(
            f"{first['file']} has changed since the run in {out} began (then {before}; now {now}); "
            "put it back, or begin a new run in another directory."
        )


def remember_files(run: Run, dataset: Dataset) -> None:
    """Write down what the run reads, once."""
    if not FILES.exists(run.path):
        FILES.write(run.path, _files(dataset))


def _files(dataset: Dataset) -> pl.DataFrame:
    rows = ((shard.name, file, state) for shard in dataset.shards for file, state in shard.files.items())
    return pl.DataFrame(list(rows), schema=FILES.schema, orient="row")
