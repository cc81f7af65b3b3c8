"""What the two looks of a finished audit cost on one core, on the pairs that it looked at, as JSON.

OMP_NUM_THREADS=1 python -m tests.benchmarks.look_costs RUN
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import polars as pl

from pipelines.features import StoredFeatures
from scanner.duplicates import DuplicatesConfig, look, thumbnail_planes
from scanner.duplicates.geometry import GeometryConfig, compare
from scanner.run import Run
from scanner.tables import PAIRS, SAMPLES

MOST = 2_000
"""Pairs of each look that are timed, drawn at random."""
TIMES = 3
"""The fastest of so many counts: what else runs on the machine takes its part of the caches."""


def fastest(work: Callable[[], object]) -> float:
    """Milliseconds of processor time."""
    spent = []
    for _ in range(TIMES):
        began = time.process_time()
        work()
        spent.append(1e3 * (time.process_time() - began))
    return min(spent)


def looked_at(run: Run, name: str) -> pl.DataFrame:
    """Some of the pairs that one look decided on."""
    pairs = run.read(PAIRS).filter(pl.col("look") == name).select("left", "right")
    return pairs.sample(min(MOST, pairs.height), seed=0)


def thumbnail_ms(run: Run) -> float:
    """Mean of a pair, looked at in one call as the search does."""
    pairs, samples = looked_at(run, "thumbnail"), run.read(SAMPLES)
    stored = dict(samples.select("sample_id", "thumbnail").iter_rows())
    left, right = (
        thumbnail_planes(np.stack([np.frombuffer(stored[row], np.uint8) for row in pairs[side]]))
        for side in ("left", "right")
    )
    return fastest(lambda: look(left, right, DuplicatesConfig())) / len(pairs)


def geometry_ms(run: Run) -> float:
    """Mean of a pair, its features in memory."""
    pairs, stored, config = looked_at(run, "geometry"), StoredFeatures(run), GeometryConfig()
    features = [(stored(left), stored(right)) for left, right in pairs.iter_rows()]
    both = [(one, other) for one, other in features if one is not None and other is not None]
    assert len(both) == len(pairs)
    return fastest(lambda: [compare(*pair, config) for pair in both]) / len(pairs)


if __name__ == "__main__":
    cv2.setNumThreads(1)
    audited = Run.open(Path(sys.argv[1]))
    print(json.dumps({"thumbnail": thumbnail_ms(audited), "geometry": geometry_ms(audited)}))
