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
WORDS = (
    *("amber", "bitter", "calm", "distant", "early", "faded", "gentle", "hollow", "icy", "jagged", "keen", "lively"),
    *("misty", "narrow", "open", "pale", "quiet", "rough"),
)
PLACES = (
    *("alley", "bay", "cliff", "dune", "estuary", "field", "garden", "harbour", "island", "junction", "kitchen"),
    *("lane", "meadow", "nook", "orchard", "pier"),
)


def scenes(scratch: Path) -> Path:
    """Made scenes with the statistics of photographs, each under a caption of its own."""
    path = scratch / "scenes.parquet"
    rows = []
    for i in range(SCENES):
        stored = io.BytesIO()
        Image.fromarray(scene(np.random.default_rng(i), i)).save(stored, "PNG")
        caption = f"{WORDS[i % 18]} {PLACES[i // 18 % 16]} seen {('from above', 'at dusk')[i // 288]}, photograph {i}"
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
