"""The planting recipe: canaries and their twins beside a data set, for a training of the user's own.

    scanner lab plant DATASET --out DIR

Train on the data set and DIR/canaries together, never on DIR/twins; audit all three together, attack, and score.
"""

import json
import shlex
import sys
from pathlib import Path
from typing import Any

import polars as pl
from rich.console import Console
from rich.table import Table

from pipelines.configs import PlantConfig
from pipelines.engines import Progress
from scanner.canaries import Planting, Survey, parse_plan, plant, refuse_unplantable, survey
from scanner.errors import UnusableInputError
from scanner.samples import Columns, Dataset, Options, open_dataset, open_url_list

_PATTERNS = {"webdataset": "**/*.tar", "parquet": "**/*.parquet", "arrow": "**/*.arrow"}


def plant_canaries(dataset: str, out: Path, config: PlantConfig, progress: Progress) -> dict[str, Any]:
    """Write the canaries; gives what a summary shows.

    Raises UnusableInputError before anything is written when the plan can't be read, the data set has no images or
    captions, or `out` lies in it or holds something.
    """
    planting = Planting(plan=parse_plan(config.plan), seed=config.seed, edits=config.edits)
    columns = Columns(caption=config.caption_column, key=config.key_column, image=config.image_column)
    options = Options(layout=config.layout, columns=columns, limit=config.limit)
    _refuse_urls(dataset, options)
    opened = open_dataset(dataset, options)
    refuse_unplantable(opened, out)
    found = _surveyed(opened, progress)
    truth = plant(found, opened, out, planting, columns)
    return _summary(dataset, opened, found, out, truth)


def _refuse_urls(dataset: str, options: Options) -> None:
    if open_url_list(dataset, options) is not None:
        raise UnusableInputError(
            f"{dataset} is a list of URLs and holds no images, and canaries are images; plant them in what was "
            "downloaded, the webdataset, parquet or folder that the model is trained on."
        )


def _surveyed(opened: Dataset, progress: Progress) -> Survey:
    progress.begin("read the data set", len(opened.shards))
    found = survey(opened, progress.advance)
    progress.end()
    return found


def _summary(dataset: str, opened: Dataset, found: Survey, out: Path, truth: pl.DataFrame) -> dict[str, Any]:
    planted = truth.filter("planted")
    counts = planted.group_by("copies").agg(canaries=pl.col("picture").n_unique(), rows=pl.len()).sort("copies")
    return {
        "canaries": str(out / "canaries"),
        "twins": str(out / "twins"),
        "truth": str(out / "truth.parquet"),
        "layout": opened.layout,
        "size": [found.style.width, found.style.height],
        "planted": counts.to_dicts(),
        "rows": planted.height,
        "dataset_rows": found.rows,
        "example_captions": truth.filter("planted")["caption"].unique(maintain_order=True).head(2).to_list(),
        "audit": _audit_command(dataset, opened, out),
    }


def _audit_command(dataset: str, opened: Dataset, out: Path) -> list[str]:
    """Shell commands that audit the data set, the canaries and the twins together; for a data set that is no single
    folder, with its own name to be put in."""
    folder = dataset.rstrip("/") if Path(dataset).is_dir() else "FOLDER_OF_THE_DATA_SET"
    if opened.layout != "folder":
        parts = ",".join((folder, f"{out}/canaries", f"{out}/twins"))
        return [f"scanner audit {shlex.quote('{' + parts + '}/' + _PATTERNS[opened.layout])} --out RUN"]
    links = (
        f"ln -s {shlex.quote(str(Path(path).absolute()))} audited/"
        for path in (folder, out / "canaries", out / "twins")
    )
    return ["mkdir audited", *links, "scanner audit audited --out RUN"]


def print_json(summary: dict[str, Any]) -> None:
    """The summary as one JSON object on standard output."""
    json.dump(summary, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def print_planted(summary: dict[str, Any]) -> None:
    """What was planted and how to go on, on standard output."""
    console = Console(highlight=False, soft_wrap=True)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("copies", "canaries", "rows"):
        table.add_column(name, justify="right")
    for row in summary["planted"]:
        table.add_row(*(f"{row[name]:,}" for name in ("copies", "canaries", "rows")))
    width, height = summary["size"]
    share = summary["rows"] / (summary["rows"] + summary["dataset_rows"])
    lines = (
        f"\n{summary['rows']:,} rows of {width} × {height} pixels, {share:.1%} of what is trained on, such as",
        *(f"  {caption}" for caption in summary["example_captions"]),
        f"\n1. Train on the data set and {summary['canaries']} together, never on {summary['twins']}.",
        "2. Audit all three together and attack the model:",
        *(f"     {line}" for line in summary["audit"]),
        "     scanner attack RUN --target MODEL",
        f"3. scanner lab score RUN {summary['truth']}",
    )
    console.print(table)
    for line in lines:
        console.print(line, markup=False)
