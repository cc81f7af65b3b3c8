"""20,000,000 nodes and 30,000,000 edges through the union-find, in blocks of a million, and what it cost, as JSON.

    python -m tests.benchmarks.joined {random,planted}

`planted`: a star of 50,000, chains through 2,000,000 nodes given in random order, and groups of ten.
"""

import json
import sys
import time
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates._components import components, new_forest, unite
from tests.benchmarks.grouped import gibibytes

NODES, EDGES, BLOCK = 20_000_000, 30_000_000, 1_000_000
STAR, CHAINED = 50_000, 2_000_000
Edges = tuple[NDArray[np.int64], NDArray[np.int64]]


def random_edges(rng: np.random.Generator) -> Iterator[Edges]:
    for _ in range(EDGES // BLOCK):
        yield rng.integers(0, NODES, BLOCK), rng.integers(0, NODES, BLOCK)


def planted_edges(rng: np.random.Generator) -> Iterator[Edges]:
    """Nodes stand where a multiplication modulo NODES puts them, so that no group lies together."""

    def place(nodes: NDArray[np.int64]) -> NDArray[np.int64]:
        return nodes * 7_368_787 % NODES

    yield place(np.zeros(STAR - 1, np.int64)), place(np.arange(1, STAR))
    links = rng.permutation(CHAINED - 1) + STAR
    for part in np.split(links, [BLOCK]):
        yield place(part), place(part + 1)
    for _ in range(EDGES // BLOCK - 3):
        group = rng.integers((STAR + CHAINED) // 10, NODES // 10, BLOCK) * 10
        yield place(group + rng.integers(0, 10, BLOCK)), place(group + rng.integers(0, 10, BLOCK))


def main(kind: str) -> None:
    before, parents, spent = gibibytes("VmHWM"), new_forest(NODES), 0.0
    for left, right in {"random": random_edges, "planted": planted_edges}[kind](np.random.default_rng(0)):
        began = time.process_time()
        unite(parents, left, right)
        spent += time.process_time() - began
    began, sizes = time.process_time(), dict[int, int]()
    for part in components(parents):
        sizes[len(part)] = sizes.get(len(part), 0) + 1
    spent += time.process_time() - began
    found = {"found": sum(sizes.values()), "sizes": sorted(sizes, reverse=True)[:2]}
    print(json.dumps({"cpu_seconds": spent, "gibibytes": gibibytes("VmHWM") - before} | found))


if __name__ == "__main__":
    main(sys.argv[1])
