"""Write canaries and their twins in a data set's own layout, and the table that says which is which.

    DIR/canaries/       to be trained on, beside the data set
    DIR/twins/          never to be trained on; as many rows, drawn in the same way
    DIR/truth.parquet   every row of both
    DIR/plant.json      what was asked for

The data set itself is never touched. The twins are the negative control: audited with the rest they become prompts of
the same risk, and whatever an attack verifies of them is false, since the model never saw them.

    >>> planted = plant(survey(dataset), dataset, Path("planted"), Planting(plan=(8, 32)))    # doctest: +SKIP
"""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import polars as pl

from scanner.canaries._canaries import Canary, draw_canaries
from scanner.canaries._copies import EDITS, Copy, copies_of
from scanner.canaries._folder import folder_like, write_folder
from scanner.canaries._places import Placed
from scanner.canaries._survey import Survey
from scanner.canaries._tables import table_like, write_arrow, write_parquet
from scanner.canaries._webdataset import example_of, write_tars
from scanner.errors import UnusableInputError
from scanner.files import replacing
from scanner.run import write_json
from scanner.samples import Columns, Dataset

LAYOUTS = ("webdataset", "parquet", "arrow", "folder")
"""Layouts with images, in which canaries can be written."""
TRUTH = {
    "shard": pl.String(), "key": pl.String(), "caption": pl.String(), "copies": pl.Int64(), "planted": pl.Boolean(),
    "picture": pl.String(), "twin_of": pl.String(), "sha256": pl.String(), "file": pl.String(),
}  # fmt: skip
"""Columns of the truth table, as `truth_table` explains them."""

Write = Callable[[Path, str, Sequence[Copy]], list[Placed]]
"""Rows into files of that name in a folder."""


@dataclass(frozen=True, kw_only=True)
class Planting:
    """What is planted."""

    plan: tuple[int, ...]
    """Copies of every canary."""
    seed: int = 0
    """Seed of pictures, captions and the order of the rows."""
    edits: str = "exact"
    """How the copies of one canary may differ: exact or light."""

    def __post_init__(self) -> None:
        if self.edits not in EDITS:
            raise UnusableInputError(f"There are no edits '{self.edits}'; use --edits exact or light.")
        if self.seed < 0:
            raise UnusableInputError("--seed is 0 or more.")


def refuse_unplantable(dataset: Dataset, out: Path) -> None:
    """Raises UnusableInputError where the layout has no images, or `out` lies in the data set or holds something."""
    if dataset.layout not in LAYOUTS:
        raise UnusableInputError(
            f"A data set of the layout {dataset.layout} holds no images, and canaries are images; plant them in the "
            "webdataset, parquet or folder that the model is trained on."
        )
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UnusableInputError(f"{out} holds something already; name a new or an empty directory.")
    if isinstance(dataset.root, Path) and out.absolute().is_relative_to(dataset.root.absolute()):
        raise UnusableInputError(
            f"{out} lies inside the data set {dataset.root}, which stays as it is; name a directory elsewhere."
        )


def plant(found: Survey, dataset: Dataset, out: Path, planting: Planting, columns: Columns) -> pl.DataFrame:
    """Write everything into `out`; gives the truth table."""
    write = _writer(found, dataset, columns)
    canaries = draw_canaries(planting.plan, planting.seed, found.words)
    placed: list[Placed] = []
    for folder, planted in (("canaries", True), ("twins", False)):
        copies = _mixed([one for one in canaries if one.planted is planted], found, planting)
        placed += write(out / folder, folder, copies)
    write_json(
        out / "plant.json",
        asdict(planting) | {"dataset": str(dataset.root), "layout": dataset.layout, "rows": found.rows},
    )
    table = truth_table(placed)
    with replacing(out / "truth.parquet") as temporary:
        table.write_parquet(temporary)
    return table


def truth_table(placed: Sequence[Placed]) -> pl.DataFrame:
    """One row for every row that was written.

    Columns: `shard` and `key` (as the scanner reads them; of the shard's name the last part), `caption`, `copies` (rows
    of the training set that hold the picture; 0 for a twin), `planted` (the model is trained on it), `picture` (the
    canary's name, canary-0007), `twin_of` (of a twin, the canary's name), `sha256` (of the image file) and `file`
    (below the folder of the planting).
    """
    rows = [
        {
            "shard": row.shard, "key": row.key, "caption": row.copy.canary.caption,
            "copies": row.copy.canary.copies if row.copy.canary.planted else 0, "planted": row.copy.canary.planted,
            "picture": row.copy.canary.name, "twin_of": _twin_of(row.copy.canary), "sha256": row.copy.sha256,
            "file": row.file,
        }
        for row in placed
    ]  # fmt: skip
    return pl.DataFrame(rows, schema=TRUTH)


def _twin_of(canary: Canary) -> str | None:
    return None if canary.planted else f"canary-{canary.pair:04d}"


def _mixed(canaries: Sequence[Canary], found: Survey, planting: Planting) -> list[Copy]:
    """The rows of some canaries in a drawn order: a loader that shuffles little must not meet a canary's copies in a
    row."""
    copies = [copy for one in canaries for copy in copies_of(one, found.style, planting.seed, planting.edits)]
    order = np.random.default_rng((planting.seed, len(copies))).permutation(len(copies))
    return [copies[place] for place in order]


def _writer(found: Survey, dataset: Dataset, columns: Columns) -> Write:
    if dataset.layout == "webdataset":
        return partial(write_tars, like=example_of(found, columns))
    if dataset.layout == "folder":
        return partial(write_folder, like=folder_like(found, dataset.root, columns))
    return partial(write_parquet if dataset.layout == "parquet" else write_arrow, like=table_like(found, columns))
