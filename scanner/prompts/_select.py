"""Which candidates stand in the list: each caption once, at most so many a group, none nearly twice for one group.

In order of risk a candidate is taken unless its caption stands in the list already, its group has given a
near-duplicate of it, or as many as it may. So a group gives no caption only where all its captions stand in the list
for other pictures.

>>> select(candidates, captions_per_group=3)                                 # doctest: +SKIP
"""

from collections import Counter

import polars as pl

ORDER = ("risk", "copies", "caption_copies", "group_id", "family_id", "prompt_id")
"""Riskiest first; of equals that of most copies, of most of them under the caption, then by the ids, groups before
families."""
DESCENDING = (True, True, True, False, False, False)


def in_order(candidates: pl.DataFrame) -> pl.DataFrame:
    return candidates.sort(ORDER, descending=DESCENDING, nulls_last=True)


def select(candidates: pl.DataFrame, captions_per_group: int) -> pl.DataFrame:
    """The list in order of risk, from rows of `scanner.prompts._candidates`."""
    unit = pl.struct(group="group_id", family=pl.when(pl.col("group_id").is_null()).then("family_id"))
    numbered = candidates.with_columns(unit=unit.rank("dense"))
    ordered = in_order(numbered)
    taken: set[int] = set()
    near: set[tuple[int, str]] = set()
    given: Counter[int] = Counter()
    kept = []
    for place, (text, owner, near_id) in enumerate(ordered.select("text", "unit", "near_id").iter_rows()):
        if text not in taken and (owner, near_id) not in near and given[owner] < captions_per_group:
            taken.add(text)
            near.add((owner, near_id))
            given[owner] += 1
            kept.append(place)
    return ordered[kept].drop("unit")
