import polars as pl
import pytest

from scanner.errors import UnusableInputError
from scanner.exports import Selection, select_prompts

PROMPTS = pl.DataFrame(
    {
        "prompt_id": ["c", "a", "d", "b", "e"],
        "rank": [1, 1, 3, 2, 2],
        "arm": ["control", "risk", "risk", "risk", "control"],
        "risk": [0.0, 0.7, 0.02, 0.3, 0.0],
    }
)
HITS = pl.DataFrame({"prompt_id": ["a", "b", "c"], "verdict": ["matching", "none", "retrieved"], "k": [1, 2, 3]})


def _ids(hits: pl.DataFrame | None = HITS, **conditions: object) -> str:
    return "".join(select_prompts(PROMPTS, hits, Selection(**conditions))["prompt_id"])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("conditions", "left"),
    [
        ({}, "abd"),
        ({"arms": ("risk", "control")}, "abdce"),
        ({"arms": ("control",)}, "ce"),
        ({"classes": ("high", "low")}, "ad"),
        ({"arms": ("risk", "control"), "classes": ("low",)}, "d"),
        ({"least_risk": 0.3}, "ab"),
        ({"verdicts": ("matching",)}, "a"),
        ({"arms": ("risk", "control"), "verdicts": ("matching", "retrieved")}, "ac"),
        ({"ranks": (2, None)}, "bd"),
        ({"arms": ("risk", "control"), "ranks": (2, 2)}, "be"),
        ({"ranks": (7, 9)}, ""),
    ],
)
def test_each_condition_leaves_what_it_says(conditions: dict[str, object], left: str) -> None:
    assert _ids(**conditions) == left


def test_the_verdict_stands_beside_the_prompt_and_is_null_where_it_was_not_attacked() -> None:
    assert select_prompts(PROMPTS, HITS, Selection())["verdict"].to_list() == ["matching", "none", None]
    assert select_prompts(PROMPTS, None, Selection())["verdict"].to_list() == [None, None, None]


def test_verdicts_before_an_attack_are_refused() -> None:
    with pytest.raises(UnusableInputError, match="run `scanner attack` first"):
        _ids(None, verdicts=("matching",))


@pytest.mark.parametrize(
    ("conditions", "says"),
    [
        ({"arms": ("both",)}, "no arm 'both'; use one of risk, control"),
        ({"classes": ("huge",)}, "no class of risk 'huge'; use one of high, medium, low"),
        ({"verdicts": ("yes",)}, "no verdict 'yes'"),
        ({"ranks": (0, None)}, "Ranks begin at 1"),
        ({"ranks": (5, 2)}, "the last is not before the first"),
        ({"least_risk": 1.5}, "between 0 and 1, not at 1.5"),
    ],
)
def test_unknown_conditions_are_refused(conditions: dict[str, object], says: str) -> None:
    with pytest.raises(UnusableInputError, match=says):
        Selection(**conditions)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("conditions", "narrows"),
    [({}, False), ({"arms": ("control",)}, False), ({"ranks": (1, 3)}, True), ({"classes": ("high",)}, True)],
)
def test_a_selection_knows_whether_it_narrows(conditions: dict[str, object], narrows: bool) -> None:
    assert Selection(**conditions).narrows is narrows  # type: ignore[arg-type]
