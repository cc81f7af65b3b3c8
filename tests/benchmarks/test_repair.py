"""What to drop and to re-caption of a million groups, measured: time and memory.

make bench
"""

import resource
import time

import numpy as np
import polars as pl
import pytest

from scanner.duplicates.captions import normalise_captions, prompt_ids
from scanner.repair import POLICIES, Carried, find_mitigations
from tests.benchmarks.test_demo import say

pytestmark = pytest.mark.bench
ROWS, GROUPS = 10_000_000, 1_000_000
HEAVY, HEAVY_COPIES = 20, 20_000
OWN_CAPTION = 0.6
"""Share of the copies that carry their picture's own caption; the others one of 200,000 that are shared."""


def _members(rng: np.random.Generator) -> pl.DataFrame:
    """Some four million members of a million groups, among ten million rows."""
    sizes = 1 + rng.geometric(0.35, GROUPS)
    sizes[:HEAVY] = HEAVY_COPIES
    group = np.repeat(np.arange(GROUPS), sizes)
    ids = rng.permutation(ROWS)[: len(group)]
    caption = np.where(rng.random(len(group)) < OWN_CAPTION, group, GROUPS + rng.integers(0, 200_000, len(group)))
    sides = rng.integers(64, 1024, (2, len(group)), dtype=np.int32)
    rows = pl.DataFrame({"sample_id": ids, "group": group, "number": caption, "width": sides[0], "height": sides[1]})
    return rows.select(
        "sample_id",
        "width",
        "height",
        group_id=pl.col("sample_id").min().over("group"),
        caption=pl.concat_str(pl.lit("photo of thing number "), pl.col("number")),
    )


def _counted(rows: pl.DataFrame) -> Carried:
    table = rows.with_columns(normal=normalise_captions(rows["caption"])).group_by("normal")
    captions = table.agg(rows=pl.len().cast(pl.Int64), near_pictures=pl.col("group_id").n_unique())
    captions = captions.with_columns(prompt_ids(captions["normal"])).with_columns(near_id="prompt_id")
    schema = {"group_id": pl.Int64, "prompt_id": pl.String, "risk": pl.Float64}
    return Carried(captions=captions, prompts=pl.DataFrame(schema=schema))


def test_a_million_groups():
    rows = _members(np.random.default_rng(0))
    carried = _counted(rows)
    for policy in POLICIES:
        wall, spent = time.perf_counter(), time.process_time()
        table = find_mitigations(rows, carried, policy)
        wall, spent = time.perf_counter() - wall, time.process_time() - spent
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        say(
            f"{policy}: {len(rows):,} members, {len(table):,} rows written",
            f"{wall:.1f} s, {spent:.1f} CPU s, {peak:.1f} GiB",
        )
        assert table.filter(pl.col("mitigation") == "keep").height == GROUPS
        assert table.filter(pl.col("mitigation") == "drop").height == len(rows) - GROUPS
