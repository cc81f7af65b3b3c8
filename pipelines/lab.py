"""The lab recipe: train a small target on a data set, so that an attack can be measured against the truth.

    scanner lab train DATASET --out TARGET

The target is trained on the data set as the scanner reads it: every readable row that has a caption, copies and all,
each picture laid on a white square and reduced to 64 × 64.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from pipelines.configs import TrainConfig
from pipelines.engines import Progress
from scanner.errors import UnusableInputError
from scanner.lab import LatentRecipe, train_latent
from scanner.lab import Progress as TrainingProgress
from scanner.samples import Dataset, Failure, Sample, Undecodable, decode, open_dataset
from scanner.targets import Transform, write_transform

SIZE = 64


def train(dataset: str | Path, out: Path, config: TrainConfig, progress: Progress) -> None:
    """Train on `dataset` and write a diffusers pipeline to `out`; resumes a training that was stopped.

    Raises UnusableInputError when no row of the data set can be trained on.
    """
    transform = Transform(fit="pad", size=SIZE)
    pictures, picture_of_row, captions = _training_set(open_dataset(dataset), transform)
    recipe = LatentRecipe(seed=config.seed, steps=config.steps)
    train_latent(pictures, picture_of_row, captions, out, recipe, _reporter(progress))
    write_transform(out, transform)


def _training_set(dataset: Dataset, transform: Transform) -> tuple[NDArray[np.uint8], NDArray[np.int64], list[str]]:
    """Distinct transformed pictures (n, 64, 64, 3), the picture of each row, and the rows' captions."""
    number_of: dict[bytes, int] = {}
    pictures: list[NDArray[np.uint8]] = []
    rows: list[int] = []
    captions: list[str] = []
    for shard in dataset.shards:
        for item in dataset.read(shard):
            if isinstance(item, Failure) or not item.caption:
                continue
            square = _square(item, transform)
            if square is None:
                continue
            number = number_of.setdefault(square.tobytes(), len(pictures))
            if number == len(pictures):
                pictures.append(square)
            rows.append(number)
            captions.append(item.caption)
    if not rows:
        raise UnusableInputError(
            "The data set has no readable picture with a caption, so there is nothing to train on."
        )
    return np.stack(pictures), np.asarray(rows, np.int64), captions


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
        progress.advance()
        progress.note(f"loss {loss:.4f}")
        if done == total:
            progress.end()

    return report
