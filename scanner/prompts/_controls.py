"""The control arm: captions of rows that are not duplicated, as like the risky captions as the data set allows.

Its false-positive rate is what the verdicts are read against, so the two arms should differ in duplication and in
nothing else: controls are matched in caption length (characters and words) and in source shard.

>>> draw_controls(samples, members, prompts, count=100, seed=0)            # doctest: +SKIP
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.duplicates.captions import prompt_ids
from scanner.prompts._rank import caption_rows
from scanner.tables import PROMPTS

_POOL = 200_000
"""Rows that controls are chosen from, drawn at random where there are more."""
_OTHER_SHARD = 0.5
"""What another shard costs, in doublings of the caption's length."""
_STEP = 0.25
"""Costs are compared in steps of a quarter doubling; inside a step chance decides."""
_REASON = "control: one picture in one row, its caption found nowhere else"


def _pool(
    samples: pl.DataFrame, members: pl.DataFrame, prompts: pl.DataFrame, rng: np.random.Generator
) -> pl.DataFrame:
    """Rows in no group whose caption no other row carries and that is no prompt, in random order."""
    rows = caption_rows(samples, members)
    alone = rows.filter(pl.col("group_id").is_null() & (pl.col("rows") == 1))
    alone = alone.with_columns(prompt_ids(alone["normal"]))
    alone = alone.join(prompts.select("prompt_id"), on="prompt_id", how="anti").sort("sample_id")
    return alone[rng.permutation(len(alone))[:_POOL]].join(
        samples.select("sample_id", "shard", "url"), on="sample_id", how="left", maintain_order="left"
    )


def _lengths(captions: pl.Series) -> NDArray[np.float32]:
    """(n, 2): doublings (log2) of characters and of words."""
    counts = [captions.str.len_chars().to_numpy(), captions.str.count_matches(r"\S+").to_numpy()]
    return np.log2(np.stack(counts, axis=1) + np.float32(1)).astype(np.float32)


def _closest(pool: pl.DataFrame, wanted: pl.DataFrame, count: int) -> Iterator[int]:
    """Rows of the pool, each once: for each wanted caption in turn the closest that is left, of equals the first."""
    lengths, targets = _lengths(pool["caption"]), _lengths(wanted["caption"])
    shards, target_shards = pool["shard"].to_numpy(), wanted["shard"].to_list()
    free = np.ones(len(pool), bool)
    for turn in range(count):
        one = turn % len(wanted)
        cost = np.abs(lengths - targets[one]).sum(1) + _OTHER_SHARD * (shards != target_shards[one])
        cost = np.where(free, np.round(cost / _STEP), np.inf)
        chosen = int(cost.argmin())
        free[chosen] = False
        yield chosen


def draw_controls(
    samples: pl.DataFrame, members: pl.DataFrame, prompts: pl.DataFrame, count: int, seed: int
) -> pl.DataFrame:
    """The control arm of `scanner.tables.PROMPTS`: `count` rows, or as many as there are, in the order they were drawn.

    `samples` has `sample_id, shard, caption, url`; `members` is the table of that name. The risky captions of `prompts`
    are matched in turn, from rank 1 on; where there are none, chance alone decides. Reproducible from the seed.
    """
    risky = prompts.filter(pl.col("arm") == "risk").sort("rank")
    shards = samples.select(group_id="sample_id", shard="shard")
    wanted = risky.join(shards, on="group_id", how="left", maintain_order="left")
    pool = _pool(samples, members, risky, np.random.default_rng(seed))
    count = min(count, len(pool))
    chosen = list(_closest(pool, wanted, count)) if len(wanted) else list(range(count))
    drawn = pool[chosen].with_row_index("rank", offset=1)
    constant = {"arm": "control", "group_id": None, "copies": 1, "caption_copies": 1, "caption_groups": 1, "risk": 0.0}
    return PROMPTS.conform(
        drawn.with_columns(reason=pl.lit(_REASON), **{name: pl.lit(value) for name, value in constant.items()})
    )
