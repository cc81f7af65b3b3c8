"""What stays, what goes, what is re-captioned, and the risk before and after, against the slow obvious version."""

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.configs import KEEP_POLICIES
from scanner.duplicates.captions import prompt_id
from scanner.errors import UnusableInputError
from scanner.repair import POLICIES, find_mitigations, order_of
from scanner.tables import MITIGATIONS
from tests.repair.planted import counted, expected, frame, members_of, rows_of_groups

COMPARED = ("group_id", "kept", "captions", "copies_before", "copies_after", "risk_before", "risk_after")


@settings(deadline=None, max_examples=60)
@given(rows_of_groups(), st.sampled_from(POLICIES))
def test_the_table_is_that_of_the_slow_version(rows, policy):
    carried = counted(rows)
    table = find_mitigations(members_of(rows), carried, policy)
    found = {(row["mitigation"], row["sample_id"]): {name: row[name] for name in COMPARED} for row in table.to_dicts()}
    if members_of(rows)["width"].null_count() == len(members_of(rows)) and policy == "largest":
        policy = "first"
    assert found == expected(rows, carried, policy)


@settings(deadline=None, max_examples=40)
@given(rows_of_groups(), st.sampled_from(POLICIES))
def test_one_row_of_every_group_stays_and_all_others_go(rows, policy):
    table = find_mitigations(members_of(rows), counted(rows), policy)
    once = table.filter(pl.col("mitigation") != "recaption")
    assert sorted(once["sample_id"]) == sorted(members_of(rows)["sample_id"])
    assert table.filter(pl.col("mitigation") == "keep")["group_id"].is_unique().all()
    assert table.schema == MITIGATIONS.schema
    assert (table["risk_before"].is_between(0, 1) & table["risk_after"].is_between(0, 1)).all()


ROWS = frame(
    [
        {"sample_id": 0, "group_id": 0, "caption": "a red fox", "width": 10, "height": 10},
        {"sample_id": 1, "group_id": 0, "caption": "photo", "width": 40, "height": 30},
        {"sample_id": 2, "group_id": 0, "caption": "A red fox!", "width": 30, "height": 40},
        {"sample_id": 3, "group_id": 0, "caption": "a red fox", "width": None, "height": None},
        {"sample_id": 4, "group_id": 0, "caption": None, "width": 5, "height": 5},
        {"sample_id": 5, "group_id": None, "caption": "photo", "width": 99, "height": 99},
        {"sample_id": 6, "group_id": None, "caption": "photo", "width": 99, "height": 99},
    ]
)


def test_an_exact_table():
    table = find_mitigations(members_of(ROWS), counted(ROWS), "largest")
    rows = table.select("mitigation", "sample_id", "kept", "captions", "copies_after", "class_before", "class_after")
    assert rows.rows() == [
        ("drop", 0, 1, None, 1, "low", "low"),
        ("drop", 2, 1, None, 1, "low", "low"),
        ("drop", 3, 1, None, 1, "low", "low"),
        ("drop", 4, 1, None, 1, "low", "low"),
        ("keep", 1, 1, ["a red fox", "photo"], 1, "low", "low"),
        # 2 is the largest of the foxes and keeps their caption; of the photos there is one; 4 has no caption
        ("recaption", 0, 2, None, 5, "low", "low"),
        ("recaption", 3, 2, None, 5, "low", "low"),
    ]


def test_a_heavy_group_under_one_caption_leaves_its_class():
    rows = frame([{"sample_id": n, "group_id": 0, "caption": "blue sea", "width": 8, "height": 8} for n in range(201)])
    table = find_mitigations(members_of(rows), counted(rows), "first")
    by_mitigation = table.unique("mitigation").sort("mitigation")
    assert by_mitigation["class_before"].to_list() == ["high"] * 3
    assert by_mitigation["class_after"].to_list() == ["low"] * 3
    assert by_mitigation["risk_before"].round(4).to_list() == [0.6667] * 3
    assert by_mitigation["risk_after"].round(4).to_list() == [0.0, 0.0, 0.0665]
    assert table.group_by("mitigation").len().sort("mitigation").rows() == [
        ("drop", 200),
        ("keep", 1),
        ("recaption", 200),
    ]


def test_boilerplate_is_not_made_less_risky_by_captions_of_its_own():
    """The table says so: a caption over many pictures points at none, one of its own does."""
    group = [{"sample_id": n, "group_id": 0, "caption": "image", "width": 8, "height": 8} for n in range(2)]
    others = [{"sample_id": n, "group_id": None, "caption": "image", "width": 8, "height": 8} for n in range(2, 50)]
    rows = frame(group + others)
    recaption = find_mitigations(members_of(rows), counted(rows), "first").filter(pl.col("mitigation") == "recaption")
    assert (recaption["risk_after"] > recaption["risk_before"]).all()


def test_the_best_caption_is_the_one_that_agrees_best_with_the_picture_where_that_is_known():
    rows = frame(
        [
            {"sample_id": n, "group_id": 0, "caption": caption, "width": 8, "height": 8}
            for n, caption in enumerate(["an old red fox asleep in the deep snow", "blue sea at night", "lake"])
        ]
    )
    ids = [prompt_id(caption) for caption in rows["caption"]]
    prompts = pl.DataFrame({"group_id": [0, 0], "prompt_id": ids[1:], "risk": [0.1, 0.1], "agreement": [0.1, 0.3]})

    def kept(**more) -> int:
        table = find_mitigations(members_of(rows), counted(rows, **more), "caption")
        return table.filter(pl.col("mitigation") == "keep")["sample_id"].item()

    assert kept(prompts=prompts) == 2
    assert kept() == 0


def test_the_risk_before_is_that_of_the_prompts_table_where_it_lists_the_group():
    rows = frame(
        [{"sample_id": n, "group_id": n // 2 * 2, "caption": f"sea {n}", "width": 8, "height": 8} for n in range(4)]
    )
    schema = {"group_id": pl.Int64, "prompt_id": pl.String, "risk": pl.Float64}
    prompts = pl.DataFrame([(2, "a", 0.4), (2, "b", 0.7), (None, "c", 0.9)], schema=schema, orient="row")
    keep = find_mitigations(members_of(rows), counted(rows, prompts), "first").filter(mitigation="keep")
    assert keep.select("group_id", pl.col("risk_before").round(4), "class_before").rows() == [
        (0, 0.0099, "low"),  # 1 / 101, half of the rows are enough
        (2, 0.7, "high"),
    ]


def test_embeddings_without_sizes():
    rows = ROWS.with_columns(width=pl.lit(None, pl.Int32), height=pl.lit(None, pl.Int32))
    assert order_of("largest", members_of(rows)).name == "first"
    sized = members_of(rows).with_columns(original_width=pl.Series([1, 2, 9, 3, 4]), original_height=pl.lit(3))
    assert order_of("largest", sized).name == "original_pixels"
    table = find_mitigations(sized, counted(rows), "largest")
    assert table.filter(pl.col("mitigation") == "keep")["sample_id"].to_list() == [2]


def test_without_groups_the_table_is_empty():
    rows = ROWS.filter(pl.col("group_id").is_null())
    assert find_mitigations(members_of(rows), counted(rows), "largest").is_empty()


def test_a_policy_that_is_not_known():
    with pytest.raises(UnusableInputError, match=r"no keep-one policy 'best'; use one of largest, caption, first\."):
        find_mitigations(members_of(ROWS), counted(ROWS), "best")


def test_the_command_line_knows_the_policies():
    assert KEEP_POLICIES == POLICIES
