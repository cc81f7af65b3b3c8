"""A data set that changes between two tries of a run: the run refuses to go on, and names the file.

pin_files(run, dataset)    # before anything is read
"""

import polars as pl

from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.samples import Dataset, UrlList
from scanner.tables import FILES


def pin_files(run: Run, dataset: Dataset | UrlList) -> None:
    """Write down the state of every file of the data set, or compare with what an earlier try wrote down.

    Raises UnusableInputError when a file is not as it was when the run began.
    """
    rows = ((shard.name, file, str(state)) for shard in dataset.shards for file, state in shard.files.items())
    now = pl.DataFrame(list(rows), schema=FILES.schema, orient="row")
    if not FILES.exists(run.path):
        FILES.write(run.path, now)
        return
    both = FILES.read(run.path).join(now, on=FILES.key, how="full", coalesce=True, suffix="_now").sort(FILES.key)
    differing = both.filter(pl.col("state").ne_missing(pl.col("state_now")))
    if len(differing):
        first = differing.row(0, named=True)
        then, today = first["state"] or "not there", first["state_now"] or "not there"
        raise UnusableInputError(
            f"{first['file']} has changed since the run in {run.path} began (then {then}; now {today}); "
            "put it back, or begin a new run in another directory."
        )
