"""Targets that the lab trains for the benchmarks, from the demo's pictures: half an hour of one core each.

    python -m tests.benchmarks.lab_targets pixel OUT

A finished one is taken as it is. SCANNER_LAB_TARGETS names a folder where they stay between two runs.
"""

import io
import os
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
from PIL import Image

from pipelines.configs import TrainConfig
from pipelines.engines import Silent
from pipelines.lab import train
from tests.benchmarks._scenes import scene

PICTURES = Path(__file__).parents[2] / "scanner" / "demo" / "pictures.parquet"
PLANS = {
    "pixel": TrainConfig(family="pixel", copies="1x300,8x20,32x12,64x6,128x3", steps=2000),
    "templates": TrainConfig(copies="1x300,32x12,64x8", templates="48x12,96x6", steps=1200),
    "scenes": TrainConfig(copies="1x300,8x20,32x12,128x6", steps=1000),
    "unconditional": TrainConfig(family="unconditional", copies="1x300,16x10,64x10,256x3", steps=1000),
}


SCENES = 380
SYLLABLES = tuple(consonant + vowel for consonant in "bdfgklmnprstvz" for vowel in "aeiou")


def word(number: int) -> str:
    """A made word of three syllables, another for every number below 70³."""
    digits = np.unravel_index(7919 * number % 70**3, (70, 70, 70))
    return "".join(SYLLABLES[digit] for digit in digits)


def scenes(scratch: Path) -> Path:
    """Made scenes with the statistics of photographs, each under two words that no other caption has: with words in
    common, a control's caption calls up pictures that stand often, and says nothing about a rule's false positives."""
    path = scratch / "scenes.parquet"
    rows = []
    for i in range(SCENES):
        stored = io.BytesIO()
        Image.fromarray(scene(np.random.default_rng(i), i)).save(stored, "PNG")
        caption = f"{word(2 * i)} {word(2 * i + 1)}"
        rows.append({"key": f"{i:04d}", "caption": caption, "image": stored.getvalue()})
    path.parent.mkdir(parents=True, exist_ok=True)
    pl.DataFrame(rows).write_parquet(path)
    return path


def lab_target(name: str, scratch: Path) -> tuple[Path, Path]:
    """Folders of the target and of the data set that it was trained on."""
    folder = Path(os.environ.get("SCANNER_LAB_TARGETS", scratch)) / name
    if not (folder / "target" / "model_index.json").exists():
        pictures = scenes(folder) if name == "scenes" else PICTURES
        train(pictures, folder / "target", replace(PLANS[name], write_dataset=str(folder / "data")), Silent())
    return folder / "target", folder / "data"


if __name__ == "__main__":
    print(*lab_target(sys.argv[1], Path(sys.argv[2])))
