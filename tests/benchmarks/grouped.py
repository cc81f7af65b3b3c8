"""One way to duplicate groups, run in a process of its own on stored vectors, with what it cost.

    python -m tests.benchmarks.grouped {ours,faiss_recipe,semdedup} VECTORS.npy COSINE LABELS.npy

Prints seconds, CPU seconds and GiB as JSON; the time begins when the vectors are in memory (ours are memory-mapped with
`mapped` as a last argument) and ends with the label of every row.
"""

import json
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import faiss
import numpy as np
import torch
from numpy.typing import NDArray

from scanner.duplicates._components import new_forest, roots, unite
from scanner.duplicates.neighbours import NeighbourConfig, Neighbours, UnitRows
from tests.benchmarks.others import faiss_recipe, semdedup


def ours(vectors: NDArray[np.floating], cosine: float) -> NDArray[np.uint32]:
    """Components of the pairs that the search gives where the cosine decides."""
    search = Neighbours(UnitRows.of(vectors), cosine, NeighbourConfig(decides=True))
    parents = new_forest(len(vectors))

    def together(left: NDArray[np.integer], right: NDArray[np.integer]) -> NDArray[np.bool_]:
        return roots(parents, left) == roots(parents, right)

    for part in search.star_parts:
        found = search.stars(part)
        unite(parents, found.leader, found.member)
        search.hold(found, together(found.leader, found.member))
    for part in search.pair_parts:
        for pairs in search.pairs(part, lambda left, right: ~together(left, right), lambda some: roots(parents, some)):
            unite(parents, pairs.left, pairs.right)
    return roots(parents, np.arange(len(parents)))


def _theirs(groups: Callable[..., NDArray[np.int32]]) -> Callable[..., NDArray[np.int32]]:
    return lambda vectors, cosine: groups(vectors.astype(np.float32), cosine)


METHODS = {"ours": ours, "faiss_recipe": _theirs(faiss_recipe.groups), "semdedup": _theirs(semdedup.groups)}


def gibibytes(name: str) -> float:
    """A line of this process's status: VmHWM is its peak, RssAnon what is not a mapped file."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) / 2**20 for line in lines if line.startswith(name))


class AnonymousPeak(threading.Thread):
    """The largest anonymous memory seen, looked at ten times a second."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.gibibytes = 0.0

    def run(self) -> None:
        while True:
            self.gibibytes = max(self.gibibytes, gibibytes("RssAnon"))
            time.sleep(0.1)


def main(method: str, source: str, cosine: str, target: str, *mapped: str) -> None:
    watch = AnonymousPeak()
    watch.start()
    vectors = np.load(source, mmap_mode="r" if mapped else None)
    wall, cpu = time.perf_counter(), time.process_time()
    labels = METHODS[method](vectors, float(cosine))
    cost = {"seconds": time.perf_counter() - wall, "cpu_seconds": time.process_time() - cpu}
    np.save(target, labels)
    threads = {"torch": torch.get_num_threads(), "faiss": faiss.omp_get_max_threads()}
    print(json.dumps(cost | threads | {"gibibytes": gibibytes("VmHWM"), "anonymous_gibibytes": watch.gibibytes}))


if __name__ == "__main__":
    main(*sys.argv[1:])
