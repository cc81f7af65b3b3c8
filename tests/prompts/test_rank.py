import polars as pl
import pytest
from polars.testing import assert_frame_equal

from scanner.errors import UnusableInputError
from scanner.prompts import RankConfig, prompt_id, rank_prompts, risk_score
from scanner.tables import PROMPTS
from tests.prompts.planted import Planted, plant

CONFIG = RankConfig()


def _ranked(planted: Planted, config: RankConfig = CONFIG) -> pl.DataFrame:
    return rank_prompts(planted.samples, planted.members, planted.groups, config)


def test_a_planted_set_is_ranked_exactly() -> None:
    planted = plant(
        [["fox"] * 2, ["A tree!"] * 30 + ["a tree"] + ["wood"], ["clip art", "sea"]],
        ["clip art", "Clip Art", "alone", None],
    )
    found = _ranked(planted)
    assert found.select("rank", "arm", "caption", "group_id", "copies", "caption_copies", "caption_groups").rows() == [
        (1, "risk", "A tree!", 2, 32, 31, 1),
        (2, "risk", "wood", 2, 32, 1, 1),
        (3, "risk", "fox", 0, 2, 2, 1),
        (4, "risk", "sea", 34, 2, 1, 1),
        (5, "risk", "clip art", 34, 2, 1, 3),
    ]
    assert found["prompt_id"].to_list() == [prompt_id(caption) for caption in found["caption"]]
    assert found["url"][0] == "https://example.org/33"
    assert found["risk"][0] == pytest.approx(risk_score(copies=32, share=1, specificity=1, half_copies=100))
    assert found["risk"][4] == pytest.approx(risk_score(copies=2, share=1, specificity=2 / 3, half_copies=100))
    parts = ("risk_class", "caption_rows", "copies_part", "concentration", "specificity", "covered_rows")
    assert found.select(parts).row(0) == ("medium", 31, 31 / 131, 1.0, 1.0, 32)
    assert found.select(parts).row(4) == ("low", 3, 1 / 101, 1.0, pytest.approx(2 / 3), 36)
    assert found.select("template_part", "agreement", "family_id").unique().rows() == [(None, None, None)]
    assert found["reason"].to_list() == [
        "32 copies of one picture, 97 % under this caption, found nowhere else",
        "32 copies of one picture, 3 % under this caption, found nowhere else",
        "2 copies of one picture, all under this caption, found nowhere else",
        "2 copies of one picture, 50 % under this caption, found nowhere else",
        "2 copies of one picture, 50 % under this caption, found on 2 other pictures",
    ]
    assert_frame_equal(found, PROMPTS.conform(found))


def test_a_caption_of_several_groups_stands_once_for_the_riskiest() -> None:
    found = _ranked(plant([["fox"] * 3, ["FOX."] * 9, ["fox"] * 5], []))
    assert found.select("group_id", "caption", "copies", "caption_groups").rows() == [(3, "FOX.", 9, 3)]
    assert found["reason"][0] == "9 copies of one picture, all under this caption, found on 2 other pictures"


def test_a_group_gives_at_most_so_many_captions() -> None:
    captions = ["a", "b", "c", "d", "d", "e"]
    found = _ranked(plant([captions], []))
    assert (len(found), found["caption"][0]) == (3, "d")
    assert len(_ranked(plant([captions], []), RankConfig(captions_per_group=1))) == 1


def test_captions_taken_by_other_groups_leave_room() -> None:
    planted = plant([["x", "y"] * 20, ["x", "y", "z"]], [])
    assert len(_ranked(planted, RankConfig(captions_per_group=1))) == 2
    found = _ranked(planted, RankConfig(captions_per_group=2))
    assert dict(found.select("caption", "group_id").iter_rows()) == {"x": 0, "y": 0, "z": 40}


def test_the_most_common_written_form_is_shown() -> None:
    assert _ranked(plant([["fox!", "Fox", "Fox", "fox!", "FOX"]], []))["caption"].to_list() == ["fox!"]


@pytest.mark.parametrize("groups", [[], [[None, None], ["", "..."]]])
def test_without_captions_no_prompts(groups: list[list[str | None]]) -> None:
    found = _ranked(plant(groups, ["a single caption", None]))
    assert found.is_empty()
    assert_frame_equal(found, PROMPTS.empty())


def test_rows_in_another_order_give_the_same_list() -> None:
    planted = plant([["a", "b", "b"], ["c", "c", "d"], ["e", "f", "f"]], ["a", "f"])
    mixed = Planted(
        samples=planted.samples.sample(fraction=1, shuffle=True, seed=1),
        members=planted.members.sample(fraction=1, shuffle=True, seed=2),
        groups=planted.groups.sample(fraction=1, shuffle=True, seed=3),
    )
    assert_frame_equal(_ranked(planted), _ranked(mixed))


@pytest.mark.parametrize(
    ("setting", "says"), [({"half_copies": 0.0}, "above 0"), ({"captions_per_group": 0}, "1 or more")]
)
def test_impossible_settings_are_refused(setting: dict[str, float], says: str) -> None:
    with pytest.raises(UnusableInputError, match=says):
        RankConfig(**setting)
