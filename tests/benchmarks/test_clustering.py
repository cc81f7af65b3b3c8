"""The clustering of one prompt's 500 images, measured: all tile distances, and the clique decision at its worst.

    make bench

Every line that the project promises about clustering is asserted here, and printed.
"""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable

import numpy as np
import pytest
from numpy.typing import NDArray

from scanner.attack import clique_of
from tests.attack.test_clique import five_cycles, graph, nine_parts
from tests.benchmarks.test_demo import say

pytestmark = pytest.mark.bench
Close = NDArray[np.bool_]


def test_all_tile_distances_of_500_images() -> None:
    command = [sys.executable, "-m", "tests.benchmarks.clustered"]
    environment = os.environ | {"OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True, env=environment).stdout
    cost = json.loads(said)
    print()
    say("500 images of 512 × 512, all tile distances: CPU seconds", f"{cost['ours']:.2f}")
    say("sixteen matrix products alone: CPU seconds", f"{cost['products']:.2f}")
    say("times as long as the products (at most 3)", f"{cost['ours'] / cost['products']:.2f}")
    say("times faster than the loop over pairs (at least 50)", f"{cost['loop'] / cost['ours']:.0f}")
    say("peak GiB above the imports, the images among them (at most 1.4)", f"{cost['gibibytes']:.2f}")
    say("    with the imports", f"{cost['gibibytes_with_imports']:.2f}")
    say("largest difference to tile_l2 in 200 pairs", f"{cost['error']:.1e}")
    assert cost["ours"] <= 3 * cost["products"]
    assert cost["loop"] >= 50 * cost["ours"]
    assert cost["gibibytes"] <= 1.5e9 / 2**30
    assert cost["error"] <= 1e-6


def near_clique(seed: int, images: int, share: float) -> Close:
    close = graph(seed, 500, 0.02)
    close[:images, :images] = graph(seed + 1000, images, share)
    return close


def decided(name: str, graphs: Iterable[Close]) -> tuple[set[str], float]:
    """The decisions on some graphs, and the most CPU seconds that one took."""
    decisions, slowest = set(), 0.0
    for close in graphs:
        began = time.process_time()
        decisions.add(clique_of(close, size=10).decision)
        slowest = max(slowest, time.process_time() - began)
    say(f"clique of 10, {name}: CPU seconds at most", f"{slowest:.3f}, {' or '.join(sorted(decisions))}")
    return decisions, slowest


def test_near_cliques_and_sparse_random_graphs_are_decided_within_a_second() -> None:
    print()
    shares = (0.80, 0.85, 0.90, 0.95)
    near = (near_clique(seed, n, p) for n in (100, 200, 300, 400) for p in shares for seed in range(5))
    decisions, slowest = decided("near-cliques of 100 to 400, 80 to 95 % of edges, 80 graphs", near)
    assert decisions == {"yes"}
    assert slowest < 1
    for density in (0.1, 0.2, 0.25, 0.3):
        drawn = (graph(seed, 500, density) for seed in range(20))
        decisions, slowest = decided(f"random, {density:.0%} of edges, 20 graphs", drawn)
        assert decisions == {"no"}
        assert slowest < 1


HARD: dict[str, Callable[[], Iterable[Close]]] = {
    "random, 33 to 60 % of edges": lambda: (graph(9, 500, p) for p in (0.33, 0.34, 0.35, 0.36, 0.4, 0.5, 0.6)),
    "nine parts, complete or thinned": lambda: (nine_parts(500, p) for p in (1, 0.99, 0.95, 0.9, 0.8)),
    "nine parts, 30 to 50 % thinned": lambda: (nine_parts(500, p) for p in (0.7, 0.65, 0.6, 0.5)),
    "joined five-cycles": lambda: (five_cycles(4, width) for width in (5, 10, 25)),
    "500 to 2,000 images, nine parts of 70 %": lambda: (nine_parts(n, 0.7) for n in (500, 1000, 2000)),
    "2,000 images, complete": lambda: [np.ones((2000, 2000), bool)],
}


@pytest.mark.parametrize("kind", HARD)
def test_no_graph_makes_the_decision_hang(kind: str) -> None:
    print()
    _, slowest = decided(kind, HARD[kind]())
    assert slowest < (4 if "2,000" in kind else 2)
