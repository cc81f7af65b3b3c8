"""Near-duplicate captions, measured: a million captions, time and memory, and what is found of the planted edits.

    make bench

Words are drawn by Zipf's law, as they lie in captions from the web; three captions in ten are an edit of another one.
"""

import multiprocessing
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from numpy.typing import NDArray

from scanner.duplicates.captions import near_captions
from tests.benchmarks.test_demo import say

pytestmark = pytest.mark.bench
CAPTIONS = 1_000_000
EDITED = 0.3
EDITS = ("suffix", "order", "number", "typing error")
SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zu bra cle dri flo gru sha tre sto ple"


@dataclass(frozen=True, kw_only=True)
class Found:
    """What one search of the whole set took and found."""

    cpu_seconds: float
    """Process time."""
    peak_gb: float
    """Largest resident memory of the process, the captions included."""
    searched_gb: float
    """Of this, above what the captions and the libraries take."""
    clusters: int
    """Captions once near-duplicates count as one."""
    recall: dict[str, float]
    """By edit: share of the edited captions of six words and more that lie in their original's cluster."""
    strangers: float
    """Share of the captions that are led by one that is neither their original nor an edit of it."""


def _vocabulary(count: int, rng: np.random.Generator) -> NDArray[np.str_]:
    syllables = np.array(SYLLABLES.split())
    words = {"".join(syllables[rng.integers(0, len(syllables), n)]) for n in rng.integers(2, 6, count)}
    return np.array(sorted(words))[rng.permutation(len(words))]


def _edited(words: list[str], edit: str, shops: NDArray[np.str_], rng: np.random.Generator) -> list[str]:
    if edit == "suffix":
        return [*words, *rng.choice(shops, 2)]
    if edit == "order":
        return [words[place] for place in rng.permutation(len(words))]
    if edit == "number":
        return [*words, str(rng.integers(10, 99_999))]
    longest = max(range(len(words)), key=lambda place: len(words[place]))
    at = int(rng.integers(1, len(words[longest])))
    return [*words[:longest], words[longest][:at] + "q" + words[longest][at:], *words[longest + 1 :]]


def write_captions(path: Path, count: int, seed: int) -> None:
    """Captions of 3 to 15 words; of each the place of the one it was made from, and its edit (−1: none)."""
    rng = np.random.default_rng(seed)
    vocabulary = _vocabulary(200_000, rng)
    weights = np.cumsum(1 / np.arange(1, len(vocabulary) + 1) ** 0.9)
    ends = np.cumsum(rng.integers(3, 16, round(count * (1 - EDITED))))
    words = vocabulary[np.searchsorted(weights / weights[-1], rng.random(ends[-1]))].tolist()
    bounds = zip([0, *ends.tolist()], ends.tolist(), strict=False)
    captions = list(dict.fromkeys(" ".join(words[start:end]) for start, end in bounds))
    plain = len(captions)
    parents, edits = rng.integers(0, plain, count - plain), rng.integers(0, len(EDITS), count - plain)
    for parent, edit in zip(parents.tolist(), edits.tolist(), strict=True):
        captions.append(" ".join(_edited(captions[parent].split(), EDITS[edit], vocabulary[:2_000], rng)))
    truth = {"parent": np.concatenate([np.arange(plain), parents]), "edit": np.append(np.full(plain, -1), edits)}
    frame = pl.DataFrame({"caption": captions, **truth})
    frame.unique("caption", keep="first", maintain_order=True).write_parquet(path)


def _peak_gb() -> float:
    """Of this process alone: the figure of `getrusage` begins with what its parent had."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**20


def measure(path: Path) -> Found:
    """One search of the captions, in this process."""
    frame = pl.read_parquet(path)
    before, started = _peak_gb(), time.process_time()
    leaders = near_captions(frame["caption"], np.ones(len(frame), np.int64))
    seconds, peak = time.process_time() - started, _peak_gb()
    parent, edit = frame["parent"].to_numpy(), frame["edit"].to_numpy()
    long = frame["caption"].str.count_matches(" ").to_numpy() >= 7  # six words and a suffix of two
    # a plain caption's place is its own number
    together = leaders == leaders[parent]
    return Found(
        cpu_seconds=seconds,
        peak_gb=peak,
        searched_gb=peak - before,
        clusters=len(np.unique(leaders)),
        recall={name: float(together[long & (edit == n)].mean()) for n, name in enumerate(EDITS)},
        strangers=float((parent[leaders] != parent).mean()),
    )


def test_a_million_captions(tmp_path: Path) -> None:
    write_captions(tmp_path / "captions.parquet", CAPTIONS, seed=1)
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as alone:
        found = alone.submit(measure, tmp_path / "captions.parquet").result()
    say("near-duplicates of a million captions, processor time", f"{found.cpu_seconds:.0f} s")
    say("peak memory", f"{found.peak_gb:.2f} GB, {found.searched_gb:.2f} GB above the captions and libraries")
    say("clusters", f"{found.clusters:,}")
    for edit, share in found.recall.items():
        say(f"edited captions in their original's cluster, {edit}", f"{share:.2%}")
    say("captions led by a stranger", f"{found.strangers:.3%}")
    assert found.cpu_seconds <= 120
    assert found.peak_gb <= 2
    assert all(share >= 0.99 for share in found.recall.values())
    assert found.strangers <= 0.001
