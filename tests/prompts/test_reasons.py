"""Golden sentences: one for every reason that a prompt can have."""

import polars as pl
import pytest

from scanner.prompts import RankConfig, rank_prompts, ranking
from tests.prompts.planted import Planted, family, plant

WORDS = "ruby amber coral ivory olive pearl topaz beige khaki mauve"


def _reasons(planted: Planted, families: pl.DataFrame | None = None, agree: float | None = None) -> dict[str, str]:
    def agreement(asked: pl.DataFrame) -> pl.Series:
        return pl.Series([agree] * len(asked), dtype=pl.Float64)

    found = rank_prompts(
        planted.samples, planted.members, planted.groups, RankConfig(), families=families, agreement=agreement
    )
    return dict(found.select("caption", "reason").iter_rows())


@pytest.mark.parametrize(
    ("groups", "singles", "caption", "reason"),
    [
        ([["fox"] * 3], [], "fox", "3 copies of one picture, all under this caption, found nowhere else"),
        (
            [["fox"] * 303 + [None] * 9],
            [],
            "fox",
            "312 copies of one picture, 97 % under this caption, found nowhere else",
        ),
        (
            [["red fox", "red fox", "red wolf", None]],
            [],
            "red fox",
            "4 copies of one picture, 50 % under this caption (its words on 60 %), found nowhere else",
        ),
        ([["fox"] * 2], ["fox"], "fox", "2 copies of one picture, all under this caption, found on 1 other picture"),
        (
            [[WORDS] * 2],
            [f"{WORDS} etsy"],
            WORDS,
            "2 copies of one picture, all under this caption, a near-duplicate of it on 1 other picture",
        ),
        (
            [["photo"] * 2],
            ["photo"] * 1000,
            "photo",
            "2 copies of one picture, all under this caption, found on 1,000 other pictures: boilerplate, which points "
            "at none of them",
        ),
    ],
)
def test_copies(groups: list[list[str | None]], singles: list[str | None], caption: str, reason: str) -> None:
    assert _reasons(plant(groups, singles))[caption] == reason


def test_one_caption_over_pictures_of_a_family() -> None:
    planted = plant([], ["phone case"] * 6 + ["a mug"])
    found = rank_prompts(
        planted.samples, planted.members, planted.groups, RankConfig(), families=family(planted, 0, list(range(6)))
    )
    assert found.select("caption", "group_id", "family_id", "copies", "sample_id", "covered_rows").rows() == [
        ("phone case", None, 0, 1, 0, 6)
    ]
    assert found["reason"][0] == (
        "template: 6 pictures that share a part, 6 rows, all under this caption, found nowhere else"
    )
    assert found["template_part"][0] == pytest.approx(5 / 105)
    assert found["risk"][0] == pytest.approx(5 / 105 / 2)


def test_a_group_whose_family_weighs_more() -> None:
    planted = plant([["phone case"] * 2], ["phone case"] * 38 + [None] * 2)
    reasons = _reasons(planted, family(planted, 0, [0, *range(2, 42)]))
    assert reasons["phone case"] == (
        "template: 41 pictures that share a part, 42 rows and 2 copies of this one, 95 % under this caption, found "
        "nowhere else"
    )


def test_near_duplicates_over_a_family() -> None:
    planted = plant([], [WORDS, WORDS, f"{WORDS} etsy", "a mug"])
    assert _reasons(planted, family(planted, 0, [0, 1, 2, 3]))[WORDS] == (
        "template: 4 pictures that share a part, 4 rows, 75 % under this caption or a near-duplicate, found nowhere "
        "else"
    )


def test_boilerplate_over_pictures_that_share_nothing_is_low() -> None:
    found = rank_prompts(*_tables(plant([["photo"] * 20], ["photo"] * 1000)), RankConfig())
    assert found["risk_class"].to_list() == ["low"]
    assert found["risk"][0] < 0.04


def test_agreement_is_said_and_mild() -> None:
    planted = plant([["fox"] * 3], [])
    sentence = "3 copies of one picture, all under this caption, found nowhere else"
    assert _reasons(planted, agree=0.93)["fox"] == (
        f"{sentence}, text and picture agree more than in 93 % of the pairs of this set"
    )
    assert _reasons(planted, agree=None)["fox"] == sentence


def test_agreement_reorders_the_first_alone() -> None:
    planted = plant([["fox"] * 5, ["wood"] * 5, ["sea"] * 4, ["a lake"] * 4], [])
    answers = {"fox": 0.0, "wood": 1.0, "sea": 0.5, "a lake": 1.0}
    asked: list[pl.DataFrame] = []

    def agreement(frame: pl.DataFrame) -> pl.Series:
        asked.append(frame)
        return pl.Series([answers[caption] for caption in frame["caption"]])

    found = rank_prompts(*_tables(planted), RankConfig(agreement_of=3), agreement=agreement)
    assert asked[0].rows() == [("fox", 4), ("wood", 9), ("sea", 13)]
    assert found["caption"].to_list() == ["wood", "fox", "sea", "a lake"]
    assert found["agreement"].to_list() == [1.0, 0.0, 0.5, None]
    plain = rank_prompts(*_tables(planted), RankConfig()).sort("caption")
    factors = (found.sort("caption")["risk"] / plain["risk"]).to_list()
    assert factors == pytest.approx([1.0, 0.875, 1.0, 1.125])


def test_an_answer_that_is_no_share_is_an_error() -> None:
    planted = plant([["fox"] * 5], [])
    with pytest.raises(ValueError, match="0 to 1"):
        rank_prompts(*_tables(planted), RankConfig(), agreement=lambda _: pl.Series([1.5]))


def test_left_out_and_coverage() -> None:
    planted = plant([["fox"] * 4, ["Fox"] * 2, [None] * 3, ["sea"] * 2], ["alone"])
    found = ranking(*_tables(planted), RankConfig())
    fox = found.prompts["prompt_id"][0]
    assert found.left_out.rows() == [(4, 2, "caption_taken", fox), (6, 3, "no_caption", None)]
    coverage = found.coverage
    assert (coverage.groups, coverage.covered, coverage.no_caption, coverage.caption_taken) == (4, 2, 1, 1)
    assert [(step.prompts, step.rows, step.duplicated) for step in coverage.steps] == [(2, 6, 6)]
    assert coverage.steps[0].share == pytest.approx(6 / 12)
    assert coverage.steps[0].duplicated_share == pytest.approx(6 / 11)


def _tables(planted: Planted) -> tuple[pl.DataFrame, pl.DataFrame, pl.DataFrame]:
    return planted.samples, planted.members, planted.groups
