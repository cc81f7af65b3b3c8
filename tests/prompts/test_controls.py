import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from scanner.prompts import RankConfig, draw_controls, prompt_id, rank_prompts
from scanner.tables import PROMPTS
from tests.prompts.planted import Planted, family, plant

SHORT, LONG = "red fox", "a very long caption about a grey wolf that runs through the snow at night"


def _drawn(planted: Planted, count: int, seed: int = 0) -> pl.DataFrame:
    prompts = rank_prompts(planted.samples, planted.members, planted.groups, RankConfig())
    return draw_controls(planted.samples, planted.members, prompts, count, seed)


def _singles(count: int) -> list[str | None]:
    return [f"{'word ' * (row % 12)}single {row}" for row in range(count)]


def _alike(count: int) -> list[str | None]:
    return [f"single {row:03d}" for row in range(count)]


def test_controls_carry_captions_of_single_rows_only() -> None:
    planted = plant([["fox"] * 3], ["fox", "twice", "Twice!", "once", None, "...", "also once"])
    drawn = _drawn(planted, 10)
    assert sorted(drawn["caption"]) == ["also once", "once"]
    assert drawn["rank"].to_list() == [1, 2]
    assert drawn.select("arm", "copies", "caption_copies", "caption_groups", "risk", "group_id").unique().rows() == [
        ("control", 1, 1, 1, 0.0, None)
    ]
    assert drawn["prompt_id"].to_list() == [prompt_id(caption) for caption in drawn["caption"]]
    once = drawn.filter(pl.col("caption") == "once")
    assert once["url"][0] == "https://example.org/6"
    assert_frame_equal(drawn, PROMPTS.conform(drawn))


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 99), st.integers(0, 40))
def test_disjoint_from_the_groups_and_each_once(seed: int, count: int) -> None:
    planted = plant([["fox", "single 3"], [LONG, LONG]], _singles(30))
    drawn = _drawn(planted, count, seed)
    assert len(drawn) == min(count, 29), "single 3 stands in a group too"
    assert drawn["prompt_id"].is_unique().all()
    grouped = {prompt_id(caption) for caption in ("fox", "single 3", LONG)}
    assert not grouped & set(drawn["prompt_id"])


def test_reproducible_from_the_seed() -> None:
    planted = plant([["red fox"] * 3, [LONG] * 2], _singles(200))
    assert_frame_equal(_drawn(planted, 20, seed=4), _drawn(planted, 20, seed=4))
    assert set(_drawn(planted, 20, seed=4)["caption"]) != set(_drawn(planted, 20, seed=5)["caption"])


def test_rows_in_another_order_give_the_same_controls() -> None:
    planted = plant([["red fox"] * 3], _singles(50))
    mixed = Planted(samples=planted.samples[::-1], members=planted.members[::-1], groups=planted.groups)
    assert_frame_equal(_drawn(planted, 10), _drawn(mixed, 10))


def test_matched_in_length() -> None:
    planted = plant([[SHORT] * 9, [LONG] * 5], _singles(300))
    drawn = _drawn(planted, 40)
    lengths = drawn["caption"].str.len_chars().to_numpy()
    assert abs(np.log2(lengths[::2].mean() / len(SHORT))) < 0.7
    assert abs(np.log2(lengths[1::2].mean() / len(LONG))) < 0.3


def test_matched_in_shard() -> None:
    singles = [f"single {row}" for row in range(60)]
    planted = plant([["red foxes"] * 4], singles, shards=["00007"] * 4 + ["00003", "00007", "00009"] * 20)
    shard = dict(planted.samples.select("caption", "shard").iter_rows())
    assert {shard[caption] for caption in _drawn(planted, 20)["caption"]} == {"00007"}
    assert len(_drawn(planted, 30)) == 30


def test_spread_over_the_shards_as_the_rows_that_carry_the_captions() -> None:
    shards = ["00001", "00002", "00003", "00004"]
    groups: list[list[str | None]] = [[f"red fox {number}"] * 8 for number in range(60)]
    planted = plant(groups, _alike(400), shards=shards * 120 + shards * 100)
    found = planted.samples.join(_drawn(planted, 60).select("sample_id"), on="sample_id")["shard"].value_counts()
    assert len(found) == 4
    assert found["count"].min() >= 7, "15 are expected, and the first row of every group is in 00001"


def test_only_rows_that_carry_the_caption_say_where_it_comes_from() -> None:
    planted = plant(
        [["other"] * 3 + ["red fox"]], _alike(40), shards=["00001"] * 3 + ["00002"] + ["00001", "00002"] * 20
    )
    prompts = rank_prompts(planted.samples, planted.members, planted.groups, RankConfig())
    fox = prompts.filter(pl.col("caption") == "red fox")
    drawn = draw_controls(planted.samples, planted.members, fox, 10, seed=0)
    assert set(planted.samples.join(drawn, on="sample_id")["shard"]) == {"00002"}


def test_neither_of_a_template_family_nor_nearly_a_prompt() -> None:
    planted = plant(
        [["a wooden chair by the sea"] * 3], ["one", "two", "a wooden chair by the sea | shop", "three", "four"]
    )
    prompts = rank_prompts(planted.samples, planted.members, planted.groups, RankConfig())
    families = family(planted, 3, [3, 4])
    drawn = draw_controls(planted.samples, planted.members, prompts, 9, seed=0, families=families)
    assert sorted(drawn["caption"]) == ["four", "three"]


def test_without_risky_prompts_chance_decides() -> None:
    drawn = _drawn(plant([], _singles(50)), 10)
    assert len(drawn) == 10


@pytest.mark.parametrize(("groups", "singles"), [([], []), ([["fox"] * 2], []), ([], [None, "same", "same"])])
def test_no_supply(groups: list[list[str | None]], singles: list[str | None]) -> None:
    assert_frame_equal(_drawn(plant(groups, singles), 5), PROMPTS.empty())
