"""The lab recipe: train a small target on a data set, so that an attack can be measured against the truth.

    scanner lab train DATASET --out TARGET
    scanner lab train DATASET --family pixel --copies 1x400,8x20,128x4 --write-dataset PLANNED --out TARGET

The target is trained on the data set as the scanner reads it (every readable row that has a caption, copies and all) or
on what a plan of copies makes of it; each picture is laid on a white square and made smaller. Beside the target,
truth.parquet says how many copies of each row's picture there were.
"""

import dataclasses
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.configs import TrainConfig
from pipelines.engines import Progress
from scanner.errors import UnusableInputError
from scanner.lab import (
    TRUTH,
    LatentRecipe,
    PixelRecipe,
    Recipe,
    TrainingSet,
    UnconditionalRecipe,
    planned_rows,
    train_latent,
    train_pixel,
    train_unconditional,
    write_planned,
    write_truth,
)
from scanner.lab import Progress as TrainingProgress
from scanner.samples import Dataset, Failure, Sample, Undecodable, decode, open_dataset
from scanner.targets import Transform, write_transform


@dataclass(frozen=True, kw_only=True)
class Family:
    """A kind of target."""

    recipe: Recipe
    """Its numbers, but for what the command line sets."""
    train: Callable[..., None]
    """Trains it: rows, folder, recipe, progress."""
    size: int
    """Side of its pictures unless the command line says otherwise, pixels."""
    captioned: bool = True
    """Whether rows without a caption are left out."""
    clean_captions: bool | None = None
    """What is said beside the target to a pipeline that can clean captions: they were not cleaned in training."""


FAMILIES = {
    "latent": Family(recipe=LatentRecipe(), train=train_latent, size=64),
    "pixel": Family(recipe=PixelRecipe(), train=train_pixel, size=32, clean_captions=False),
    "unconditional": Family(recipe=UnconditionalRecipe(), train=train_unconditional, size=32, captioned=False),
}


def train(dataset: str | Path, out: Path, config: TrainConfig, progress: Progress) -> None:
    """Train on `dataset` and write a diffusers pipeline and its truth to `out`; resumes a training that was stopped.

    Raises UnusableInputError when no row of the data set can be trained on, or too few for the plan of copies.
    """
    family = FAMILIES[config.family]
    transform = Transform(fit="pad", size=config.size or family.size)
    samples, templates = _rows(open_dataset(dataset), family, config)
    rows, truth = _training_set(samples, templates, transform, captioned=family.captioned)
    given: dict[str, Any] = {"seed": config.seed, "steps": config.steps, "batch": config.batch}
    recipe = dataclasses.replace(family.recipe, **{name: value for name, value in given.items() if value is not None})
    if not (out / "model_index.json").exists():  # a finished target is refused below, and keeps what is beside it
        write_truth(out, truth)
        write_transform(out, transform, clean_captions=family.clean_captions)
    family.train(rows, out, recipe, _reporter(progress))


def _rows(dataset: Dataset, family: Family, config: TrainConfig) -> tuple[Iterable[Sample], Iterable[int | None]]:
    """What is trained on, the data set or what a plan of copies makes of it, and the template of each row."""
    plan = config.plan()
    if plan is None:
        return _samples(dataset), repeat(None)
    planned = planned_rows(
        _samples(dataset), plan, config.seed, templates=config.template_plan(), captioned=family.captioned
    )
    if config.write_dataset is not None:
        write_planned(planned.rows, Path(config.write_dataset))
    return planned.rows, planned.templates


def _samples(dataset: Dataset) -> Iterator[Sample]:
    for shard in dataset.shards:
        yield from (item for item in dataset.read(shard) if not isinstance(item, Failure))


def _training_set(
    samples: Iterable[Sample], templates: Iterable[int | None], transform: Transform, *, captioned: bool
) -> tuple[TrainingSet, pl.DataFrame]:
    """The rows that can be trained on, and their truth: pictures are the same where their squares are equal."""
    number_of: dict[bytes, int] = {}
    pictures: list[NDArray[np.uint8]] = []
    rows: list[dict[str, Any]] = []
    for sample, template in zip(samples, templates, strict=False):
        square = _square(sample, transform) if sample.caption or not captioned else None
        if square is None:
            continue
        number = number_of.setdefault(square.tobytes(), len(pictures))
        if number == len(pictures):
            pictures.append(square)
        rows.append(
            {
                "shard": sample.shard,
                "key": sample.key,
                "caption": sample.caption or "",
                "picture": number,
                "template": template,
            }
        )
    if not rows:
        with_caption = " with a caption" if captioned else ""
        raise UnusableInputError(
            f"The data set has no readable picture{with_caption}, so there is nothing to train on."
        )
    truth = pl.DataFrame(rows, schema={name: TRUTH[name] for name in rows[0]}).with_columns(
        copies=pl.len().over("picture").cast(pl.Int64), planted=pl.lit(True)
    )
    picture_of_row, captions = truth["picture"].to_numpy(), truth["caption"].to_list()
    return TrainingSet(pictures=np.stack(pictures), picture_of_row=picture_of_row, captions=captions), truth


def _square(sample: Sample, transform: Transform) -> NDArray[np.uint8] | None:
    try:
        return transform(decode(sample.encoded or b""))
    except Undecodable:
        return None


def _reporter(progress: Progress) -> TrainingProgress:
    """Shows the phases of a training as jobs, with the loss in their name."""
    shown = ""

    def report(phase: str, done: int, total: int, loss: float) -> None:
        nonlocal shown
        if phase != shown:
            progress.begin(f"train {phase}", total)
            shown = phase
            for _ in range(done - 1):  # what an earlier run of a resumed training did
                progress.advance()
        progress.advance()
        progress.note(f"loss {loss:.4f}")
        if done == total:
            progress.end()

    return report
