"""The control arm: captions of rows that are not duplicated, as like the risky captions as the data set allows.

Its false-positive rate is what the verdicts are read against, so the two arms should differ in duplication and in
nothing else: controls are matched in caption length (characters and words) and in source shard. What they say is not
matched: language and subject differ as they do in the data set.

A caption whose rarest word stands in a risky caption is no control: a model that learned the word with a duplicated
picture gives that picture back, which is a copy and no false positive. In the demo "Mobile, office clip art", one row,
gave back the picture of 64 rows called "Mobile, furniture clip art".

>>> draw_controls(samples, members, prompts, count=100, seed=0)            # doctest: +SKIP
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.duplicates.captions import count_captions, normalise_captions, words_of
from scanner.tables import FAMILIES, GROUPS, PROMPTS

_POOL = 200_000
"""Captions that controls are chosen from, drawn at random where there are more."""
_OTHER_SHARD = 0.5
"""What another shard costs, in doublings of the caption's length."""
_STEP = 0.25
"""Costs are compared in steps of a quarter doubling; inside a step chance decides."""
_REASON = "control: one picture in one row, its caption found nowhere else"
_CONSTANT = {
    **{"arm": "control", "reason": _REASON, "group_id": None, "family_id": None},
    **{"copies": 1, "caption_copies": 1, "caption_groups": 1, "caption_rows": 1},
    **{"risk": 0.0, "copies_part": 0.0, "concentration": 1.0, "specificity": 1.0},
    **{"risk_class": None, "template_part": None, "agreement": None, "covered_rows": None},
}
"""What all controls have in common."""


def _pool(
    samples: pl.DataFrame | pl.LazyFrame,
    captions: pl.LazyFrame,
    families: pl.DataFrame,
    rng: np.random.Generator,
) -> pl.DataFrame:
    """Rows in no group and no template family, in random order, whose caption no other row carries, nor a
    near-duplicate of it.

    A caption of one row is written in the captions table as that row writes it, so no other text needs normalising.
    """
    once = (pl.col("rows") == 1) & (pl.col("groups") == 0) & (pl.col("near_rows") == 1)
    alone = captions.filter(once).select("prompt_id").collect(engine="streaming")
    drawn = alone.sort("prompt_id")[rng.permutation(len(alone))[:_POOL]].with_row_index("place")
    texts = captions.select("prompt_id", "caption").join(drawn.lazy().select("prompt_id"), on="prompt_id", how="semi")
    drawn = drawn.join(texts.collect(engine="streaming"), on="prompt_id", how="left")
    rows = samples.lazy().select("sample_id", "shard", "caption", "url")
    rows = rows.join(families.lazy().select("sample_id"), on="sample_id", how="anti")
    return rows.join(drawn.lazy(), on="caption", how="inner").collect(engine="streaming").sort("place")


def _of_their_own(captions: pl.Series, risky: pl.Series) -> pl.Series:
    """Per caption (Boolean) whether the rarest of its words, counted over both lists, stands in none of the risky; of
    equally rare ones, whether none of them does."""
    words = words_of(normalise_captions(pl.concat([captions, risky])))
    counts = np.bincount(words.numbers, minlength=len(words.vocabulary))
    said = np.zeros(len(words.vocabulary), bool)
    said[words.numbers[words.starts[len(captions)] :]] = True
    numbers = words.numbers[: words.starts[len(captions)]]
    owner = np.repeat(np.arange(len(captions)), np.diff(words.starts[: len(captions) + 1]))
    rarest = np.full(len(captions), np.iinfo(np.int64).max)
    np.minimum.at(rarest, owner, counts[numbers])
    known = np.bincount(owner[said[numbers] & (counts[numbers] == rarest[owner])], minlength=len(captions))
    return pl.Series("own", known == 0)


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


def draw_controls(  # noqa: PLR0913 - one table each
    samples: pl.DataFrame | pl.LazyFrame,
    members: pl.DataFrame,
    prompts: pl.DataFrame,
    count: int,
    seed: int,
    *,
    captions: pl.DataFrame | pl.LazyFrame | None = None,
    families: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """The control arm of `scanner.tables.PROMPTS`: `count` rows, or as many as there are, in the order they were drawn.

    Of `samples` the columns `sample_id, shard, caption, url` are read; the others are the tables of these names
    (without `captions` they are counted here, without `families` there are none). The risky captions of `prompts` are
    matched in turn, from rank 1 on; where there are none, chance alone decides. Reproducible from the seed.
    """
    if captions is None:
        rows = samples.lazy().select("sample_id", "caption").collect()
        captions = count_captions(rows, members, GROUPS.empty()).captions
    risky, rng = prompts.filter(pl.col("arm") == "risk").sort("rank"), np.random.default_rng(seed)
    pool = _pool(samples, captions.lazy(), FAMILIES.empty() if families is None else families, rng)
    pool = pool.filter(_of_their_own(pool["caption"], risky["caption"]))
    count = min(count, len(pool))
    wanted = _wanted(samples, members, risky.head(count), rng)
    chosen = list(_closest(pool, wanted, count)) if len(wanted) else list(range(count))
    drawn = pool[chosen].with_row_index("rank", offset=1)
    return PROMPTS.conform(drawn.with_columns(pl.lit(value).alias(name) for name, value in _CONSTANT.items()))


def _wanted(
    samples: pl.DataFrame | pl.LazyFrame, members: pl.DataFrame, risky: pl.DataFrame, rng: np.random.Generator
) -> pl.DataFrame:
    """The risky captions, by rank, each with the shard of one of its group's rows that carry it, drawn at random (of
    the picture's own row where there is no group): so the controls spread over the shards as those rows do."""
    asked = risky.select("rank", "caption", "group_id", "sample_id").lazy()
    rows = samples.lazy().select("sample_id", "shard", "caption")
    grouped = members.lazy().select("sample_id", "group_id").join(asked.drop("sample_id"), on="group_id")
    alone = asked.filter(pl.col("group_id").is_null()).select("sample_id", "rank", "caption")
    carrying = pl.concat(
        [
            rows.join(grouped, on=["sample_id", "caption"]).select("rank", "sample_id", "shard", "caption"),
            rows.join(alone, on=["sample_id", "caption"]).select("rank", "sample_id", "shard", "caption"),
        ]
    )
    found = carrying.collect(engine="streaming").sort("rank", "sample_id")
    return found[rng.permutation(len(found))].unique("rank", keep="first", maintain_order=True).sort("rank")
