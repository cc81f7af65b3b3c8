"""The truth beside a target: how many copies of each row's picture it was trained on.

>>> read_truth(Path("my-target")).columns                                                   # doctest: +SKIP
['shard', 'key', 'caption', 'copies', 'planted', 'picture', 'template']
"""

from pathlib import Path

import polars as pl

from scanner.files import replacing

TRUTH_FILE = "truth.parquet"
TRUTH = {
    "shard": pl.String, "key": pl.String, "caption": pl.String, "copies": pl.Int64, "planted": pl.Boolean,
    "picture": pl.Int64, "template": pl.Int64,
}  # fmt: skip
"""`shard` and `key` as the data set that is audited names the row; `caption` as trained; `copies`, rows of the training
set that show the same picture (equal as the model sees it), itself included; `planted`, whether the model was
trained on it, which holds for every row here (it does not for the twins of canaries); `picture`, a number that copies
share; `template`, a number that the variants of one layout share, null for other rows."""


def write_truth(folder: Path, truth: pl.DataFrame) -> None:
    """Store the truth, a table with the columns `TRUTH`, in the target's folder."""
    with replacing(folder / TRUTH_FILE) as temporary:
        truth.select(pl.col(name).cast(kind) for name, kind in TRUTH.items()).write_parquet(temporary)


def read_truth(folder: Path) -> pl.DataFrame:
    """The truth stored in a target's folder, one row for every row of the training set, in its order."""
    return pl.read_parquet(folder / TRUTH_FILE)
