"""Which candidates stand in the list: each caption once, at most so many a group, none nearly twice for one group.

In order of risk a candidate is taken unless its caption stands in the list already, or its group has given as many as
it may. So a group is left out only where all its captions stand in the list for other pictures.

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
    ordered = in_order(_one_of_near(numbered))
    taken: set[int] = set()
    given: Counter[int] = Counter()
    kept = []
    for place, (text, owner) in enumerate(ordered.select("text", "unit").iter_rows()):
        if text not in taken and given[owner] < captions_per_group:
            taken.add(text)
            given[owner] += 1
            kept.append(place)
    return ordered[kept].drop("unit")


def _one_of_near(candidates: pl.DataFrame) -> pl.DataFrame:
    """Of a unit's captions that are near-duplicates the one that most rows carry, of equals the riskiest."""
    first = ("caption_copies", *ORDER)
    ordered = candidates.sort(first, descending=(True, *DESCENDING), nulls_last=True)
    return ordered.unique(["unit", "near_id"], keep="first", maintain_order=True)
