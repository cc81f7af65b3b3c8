"""A run of many captions to rank, made quickly: samples without thumbnails, heavy groups, their captions counted.

    python -m tests.benchmarks.ranked RUN ROWS    # makes it
    python -m tests.benchmarks.ranked RUN         # ranks it as an audit does; prints seconds and peak memory as JSON

Captions are 3 to 14 words drawn by Zipf's law from 200,000. Three rows in ten are copies, in groups of 2 to 20,000 by a
power law; of a group's copies two thirds carry one caption and the others a few of their own. One row in twenty carries
one of 1,000 boilerplate captions, one in fifty a caption that is not ASCII.
"""

import json
import sys
import time
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.configs import AuditConfig
from pipelines.ranking import rank
from scanner.duplicates import normalise_captions
from scanner.duplicates.captions import prompt_ids
from scanner.run import Run
from scanner.tables import CAPTIONS, FAMILIES, GROUPS, MEMBERS, SAMPLES

PART = 1_000_000
SYLLABLES = "ba ce di fo gu ha je ki lo mu na pe qui ro su ta ve wi xo zu bra cle dri flo gru sha tre sto ple"


def _vocabulary(rng: np.random.Generator) -> NDArray[np.str_]:
    syllables = SYLLABLES.split()
    words = {"".join(rng.choice(syllables, n)) for n in rng.integers(2, 6, 100_000)}
    return np.array(sorted(words))[rng.permutation(len(words))]


def _group_sizes(rows: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """2 to 20,000 copies, their numbers by a power law, of `rows` rows in all."""
    sizes = np.minimum(2 * (1 - rng.random(rows)) ** (-1 / 1.6), 20_000).astype(np.int64)
    return sizes[: int(np.searchsorted(np.cumsum(sizes), rows))]


def _texts(count: int, vocabulary: NDArray[np.str_], rng: np.random.Generator) -> pl.Series:
    weights = np.cumsum(1 / np.arange(1, len(vocabulary) + 1) ** 0.9)
    owners = np.repeat(np.arange(count), rng.integers(3, 15, count))
    places = np.searchsorted(weights / weights[-1], rng.random(len(owners)))
    words = pl.DataFrame({"owner": owners, "word": pl.Series(vocabulary).gather(places)})
    return words.group_by("owner", maintain_order=True).agg(pl.col("word").str.join(" "))["word"]


def write_run(path: Path, rows: int, seed: int = 0) -> Run:
    """A run whose samples, members, groups, families and captions are there, and no prompts yet."""
    rng = np.random.default_rng(seed)
    vocabulary, sizes = _vocabulary(rng), _group_sizes(round(0.3 * rows), np.random.default_rng(seed + 1))
    group = np.concatenate([np.repeat(np.arange(len(sizes)), sizes), np.full(rows - sizes.sum(), -1)])
    # the number of each row's text: a group's own, one of a few others of the group, boilerplate, or the row's own
    text = np.where(group >= 0, 1_000 + group * 4, 1_000 + 4 * len(sizes) + np.arange(rows))
    text += (group >= 0) * (rng.random(rows) < 1 / 3) * rng.integers(1, 4, rows)
    boilerplate = rng.random(rows) < 0.05
    text[boilerplate] = rng.integers(0, 1_000, int(boilerplate.sum()))
    place = rng.permutation(rows)  # copies stand anywhere
    group, text = group[place], text[place]
    run = Run.claim(path, {"dataset": "made up", "model": "demo"})
    _write_samples(run, text, vocabulary, rng)
    _write_groups(run, group)
    _write_captions(run)
    FAMILIES.write(run.path, FAMILIES.empty())
    return run


def _write_samples(run: Run, text: NDArray[np.int64], vocabulary: NDArray[np.str_], rng: np.random.Generator) -> None:
    """The text of a number is the same wherever it stands: drawn from a pool, with the number's own last words."""
    pool = _texts(500_000, vocabulary, rng)
    for start in range(0, len(text), PART):
        numbers = text[start : start + PART]
        own = pl.Series(vocabulary).gather(numbers % len(vocabulary)) + " " + pl.Series(numbers // 977).cast(pl.String)
        captions = pool.gather(numbers % len(pool)) + " " + own
        captions = captions.zip_with(pl.Series(numbers % 50 != 0), captions + " café")
        ids = start // PART * 2**32 + np.arange(len(numbers))
        shard = f"{start // PART:05d}"
        frame = pl.DataFrame({"sample_id": ids, "caption": captions.str.to_titlecase()})
        url = pl.format("https://example.org/{}.jpg", "sample_id")
        given = frame.with_columns(shard=pl.lit(shard), key=pl.col("sample_id").cast(pl.String), url=url)
        missing = [pl.lit(None, dtype=kind).alias(name) for name, kind in SAMPLES.schema.items() if name not in given]
        SAMPLES.write(run.path, given.with_columns(missing), shard)


def _write_groups(run: Run, group: NDArray[np.int64]) -> None:
    places = np.arange(len(group))
    rows = pl.DataFrame({"sample_id": places // PART * 2**32 + places % PART, "number": group})
    rows = rows.filter(pl.col("number") >= 0).with_columns(group_id=pl.col("sample_id").min().over("number"))
    MEMBERS.write(run.path, rows.with_columns(similarity_to_medoid=pl.lit(1.0)))
    facts = rows.group_by("group_id").agg(copies=pl.len(), medoid=pl.col("sample_id").min())
    missing = [pl.lit(None, dtype=kind).alias(name) for name, kind in GROUPS.schema.items() if name not in facts]
    GROUPS.write(run.path, facts.with_columns(missing))


def _write_captions(run: Run) -> None:
    """Counted as `count_captions` counts, each caption without near-duplicates."""
    rows = SAMPLES.scan(run.path).select("sample_id", "caption").collect().sort("sample_id")
    members = MEMBERS.scan(run.path).select("sample_id", "group_id").collect()
    rows = rows.with_columns(normal=normalise_captions(rows["caption"])).join(members, on="sample_id", how="left")
    known = rows.group_by("normal").agg(
        caption=pl.col("caption").first(),
        rows=pl.len(),
        groups=pl.col("group_id").drop_nulls().n_unique(),
        pictures=pl.coalesce("group_id", "sample_id").n_unique(),
    )
    known = known.with_columns(prompt_ids(known["normal"]))
    CAPTIONS.write(run.path, known.with_columns(near_id="prompt_id", near_rows="rows", near_pictures="pictures"))


def peak_gib() -> float:
    """Largest resident memory of this process."""
    lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 2**20


if __name__ == "__main__":
    if sys.argv[2:]:
        write_run(Path(sys.argv[1]), int(sys.argv[2]))
    else:
        began, cpu = time.monotonic(), time.process_time()
        covered = rank(Run.open(Path(sys.argv[1])), AuditConfig(model="demo"))
        took = {"seconds": time.monotonic() - began, "cpu_seconds": time.process_time() - cpu, "peak_gib": peak_gib()}
        print(json.dumps(took | {"coverage": covered}))
