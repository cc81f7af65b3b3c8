"""All tile distances of 500 images of 512 × 512, and what they cost beside other ways to them, as JSON.

    python -m tests.benchmarks.clustered

Ours, the sixteen matrix products of ready float32 tiles alone, and the loop over pairs (2,000 of the 124,750 pairs are
timed and counted up), on one thread. Seconds are CPU seconds, so that a busy machine measures the same.
"""

import json
import time
from collections.abc import Callable
from itertools import combinations

import numpy as np

from scanner.attack import as_unit, tile_distances, tile_l2
from tests.benchmarks.grouped import gibibytes

IMAGES, SIDE, TIMED = 500, 512, 2_000


def seconds(work: Callable[[], object], times: int = 3) -> float:
    """The least of several."""
    spent = []
    for _ in range(times):
        began = time.process_time()
        work()
        spent.append(time.process_time() - began)
    return min(spent)


def main() -> None:
    before, rng = gibibytes("VmHWM"), np.random.default_rng(0)
    images = rng.integers(0, 256, (IMAGES, SIDE, SIDE, 3), dtype=np.uint8)
    ours = seconds(lambda: tile_distances(images))
    peak = gibibytes("VmHWM")
    found = tile_distances(images)

    tile = rng.random((IMAGES, SIDE * SIDE * 3 // 16), dtype=np.float32)
    products = seconds(lambda: [tile @ tile.T for _ in range(16)])

    few = as_unit(images[:64])
    pairs = list(combinations(range(len(few)), 2))[:TIMED]
    loop = (
        seconds(lambda: [tile_l2(few[i], few[j]) for i, j in pairs], times=1) * IMAGES * (IMAGES - 1) / 2 / len(pairs)
    )
    error = max(abs(float(tile_l2(few[i], few[j])) - float(found[i, j])) for i, j in pairs[:200])
    print(json.dumps({"ours": ours, "products": products, "loop": loop, "error": error, "gibibytes": peak - before,
                      "gibibytes_with_imports": peak}))  # fmt: skip


if __name__ == "__main__":
    main()
