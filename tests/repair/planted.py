"""Small data sets with groups, sizes and captions, and the slow obvious version of what to do about them."""

import math
from collections import Counter
from typing import Any

import polars as pl
from hypothesis import strategies as st

from scanner.duplicates import count_captions
from scanner.duplicates.captions import normalise_caption, prompt_id
from scanner.repair import Carried
from scanner.tables import GROUPS

CAPTIONS = (None, "...", "a red fox", "A red fox!", "a red fox in the snow", "blue sea", "sea", "quiet lake at dawn")


@st.composite
def rows_of_groups(draw) -> pl.DataFrame:
    """Rows of a data set, in groups of two and more or in none."""
    groups = draw(st.lists(st.integers(2, 6), max_size=4))
    singles = draw(st.integers(0, 3))
    group_of = [number for number, size in enumerate(groups) for _ in range(size)] + [None] * singles
    group_of = draw(st.permutations(group_of))
    firsts: dict[int, int] = {}
    rows = []
    for sample_id, number in enumerate(group_of):
        group_id = None if number is None else firsts.setdefault(number, sample_id)
        size = draw(st.sampled_from([(10, 10), (20, 5), (30, 30), (None, None)]))
        row = {"sample_id": sample_id, "group_id": group_id, "caption": draw(st.sampled_from(CAPTIONS))}
        rows.append(row | {"width": size[0], "height": size[1]})
    return frame(rows)


def frame(rows: list[dict[str, Any]]) -> pl.DataFrame:
    schema = {
        "sample_id": pl.Int64,
        "group_id": pl.Int64,
        "caption": pl.String,
        "width": pl.Int32,
        "height": pl.Int32,
    }
    return pl.DataFrame(rows, schema=schema)


def members_of(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.filter(pl.col("group_id").is_not_null())


def counted(rows: pl.DataFrame, prompts: pl.DataFrame | None = None) -> Carried:
    """The captions as an audit counts them."""
    members = members_of(rows).select("sample_id", "group_id")
    groups = GROUPS.frame(
        {"group_id": group_id, "copies": copies}
        for group_id, copies in members.group_by("group_id").agg(pl.len()).iter_rows()
    )
    empty = pl.DataFrame(schema={"group_id": pl.Int64, "prompt_id": pl.String, "risk": pl.Float64})
    table = count_captions(rows.select("sample_id", "caption"), members, groups).captions
    return Carried(captions=table, prompts=empty if prompts is None else prompts)


def expected(rows: pl.DataFrame, carried: Carried, policy: str) -> dict[tuple[str, int], dict[str, Any]]:
    """By mitigation and sample what the table must say of it, one group and one row after the other."""
    found: dict[tuple[str, int], dict[str, Any]] = {}
    captions = {row["prompt_id"]: row for row in carried.captions.iter_rows(named=True)}
    for group_id in members_of(rows)["group_id"].unique().sort():
        group = rows.filter(pl.col("group_id") == group_id).to_dicts()
        copies = len(group)
        key = {"largest": _by_size, "caption": _by_caption(captions), "first": lambda row: row["sample_id"]}[policy]
        group.sort(key=key)
        before = max((_risk(copies, *_counts(row, group, captions)) for row in group if _id(row)), default=0.0)
        common = {"group_id": group_id, "copies_before": copies, "risk_before": round(before, 12)}
        for place, row in enumerate(group):
            stays = {"captions": _forms(group)} if place == 0 else {"captions": None}
            found["drop" if place else "keep", row["sample_id"]] = (
                common | stays | {"kept": group[0]["sample_id"], "copies_after": 1, "risk_after": 0.0}
            )
        seen: dict[str, int] = {}
        after = round(_risk(copies, 1, 1), 12)
        for row in group:
            near = captions[_id(row)]["near_id"] if _id(row) else None
            if near in seen:
                found["recaption", row["sample_id"]] = common | {
                    "captions": None,
                    "kept": seen[near],
                    "copies_after": copies,
                    "risk_after": after,
                }
            elif near:
                seen[near] = row["sample_id"]
    return found


def _id(row: dict[str, Any]) -> str | None:
    return None if row["caption"] is None else prompt_id(row["caption"])


def _by_size(row: dict[str, Any]) -> tuple[float, int]:
    return (-row["width"] * row["height"] if row["width"] else math.inf, row["sample_id"])


def _by_caption(captions: dict[str, dict[str, Any]]):
    def key(row: dict[str, Any]) -> tuple[float, float, int]:
        if not _id(row):
            return (math.inf, 0, row["sample_id"])
        return (captions[_id(row)]["near_pictures"], -len(row["caption"].split()), row["sample_id"])

    return key


def _counts(row: dict[str, Any], group: list[dict[str, Any]], captions: dict[str, dict[str, Any]]) -> tuple[int, int]:
    return sum(_id(other) == _id(row) for other in group), captions[_id(row)]["rows"]


def _risk(copies: int, caption_copies: int, caption_rows: int) -> float:
    share, specific = (min(1, 2 * caption_copies / every) for every in (copies, caption_rows))
    return (copies - 1) / (copies + 99) * math.sqrt(share * specific)


def _forms(group: list[dict[str, Any]]) -> list[str]:
    """The different captions, as most of the rows write them."""
    by_id: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(group, key=lambda row: row["sample_id"]):
        if _id(row):
            by_id.setdefault(_id(row), []).append(row)
    ordered = sorted(by_id.values(), key=lambda rows: (-len(rows), rows[0]["sample_id"]))
    return [Counter(row["caption"] for row in rows).most_common(1)[0][0] for rows in ordered]


assert normalise_caption("A red fox!") == "a red fox"
