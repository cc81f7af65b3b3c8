"""Hits before and after: rates with exact intervals, the paired exact test, and what is said about both."""

from collections.abc import Mapping, Sequence
from math import comb
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.compare import Comparison, compare, mcnemar
from scanner.intervals import exact_interval
from scanner.run import Run
from tests.compare.planted import Tried, copies, plant

ATTACK = {"target": "model-1", "target_checksum": "aa", "steps": 12, "seed": 0, "prompt_list": "p1"}
CAPTIONS = [f"prompt {i}" for i in range(12)]


@given(st.integers(0, 40), st.integers(0, 40))
def test_mcnemar_is_the_slow_sum(only_before: int, only_after: int) -> None:
    total = only_before + only_after
    if not total:
        assert mcnemar(only_before, only_after) is None
        return
    least = min(only_before, only_after)
    tail = sum(comb(total, k) for k in range(least + 1)) / 2**total
    assert mcnemar(only_before, only_after) == pytest.approx(min(1.0, 2 * tail), rel=1e-9)


def test_mcnemar_of_a_textbook_table() -> None:
    assert mcnemar(10, 1) == pytest.approx(0.01171875)
    assert mcnemar(5, 5) == 1.0


def attacked(
    path: Path, tried: Mapping[str, Tried], attack: Mapping[str, Any] = ATTACK, controls: Sequence[str] = ()
) -> Run:
    rows = [row for i, caption in enumerate(tried) for row in copies(i, 1 if caption in controls else 4, None, caption)]
    ranked = [(caption, "control" if caption in controls else "risk", 0.4, 4) for caption in tried]
    return plant(path, rows, ranked, attack=attack, tried=tried)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """Ten prompts tried in both runs: seven verified only before, one in both, one in neither, one held back after."""
    folder = tmp_path_factory.mktemp("hits")
    matching, none = Tried(verdict="matching"), Tried()
    old = dict.fromkeys(CAPTIONS[:8], matching) | {CAPTIONS[8]: none, CAPTIONS[9]: none, CAPTIONS[10]: matching}
    old |= {"a control": none}
    new = dict.fromkeys(CAPTIONS[:7], none) | {CAPTIONS[7]: Tried(verdict="retrieved"), CAPTIONS[8]: none}
    new |= {CAPTIONS[9]: Tried(held_back=True), CAPTIONS[11]: matching, "a control": matching}
    other = ATTACK | {"target": "model-2", "target_checksum": "bb", "steps": 50, "seed": 1, "prompt_list": "p2"}
    runs = attacked(folder / "a", old, controls=["a control"]), attacked(folder / "b", new, other, ["a control"])
    return compare(*runs)


def test_rates_have_their_exact_intervals(found: Comparison) -> None:
    assert found.hits is not None
    risk, control = found.hits.arms
    assert [(one.hits, one.tried) for one in (risk.before, risk.after)] == [(9, 11), (2, 11)]
    assert [(one.hits, one.tried) for one in (control.before, control.after)] == [(0, 1), (1, 1)]
    low, high = exact_interval(9, 11)
    assert (risk.before.low, risk.before.high) == (float(low), float(high))


def test_the_same_prompts_are_paired(found: Comparison) -> None:
    assert found.hits is not None
    paired = found.hits.paired
    assert paired is not None
    assert (paired.tried, paired.both, paired.only_before, paired.only_after, paired.neither) == (10, 1, 7, 0, 2)
    assert (paired.held_back, paired.p_value) == (1, pytest.approx(2 / 2**7))


def test_the_listed_prompts_are_those_verified_in_one_run(found: Comparison) -> None:
    listed = {(one.caption, one.state, one.verdict_before, one.verdict_after) for one in found.hit_changes}
    assert listed == {
        *((caption, "only_before", "matching", "none") for caption in CAPTIONS[:7]),
        (CAPTIONS[10], "before_untried", "matching", None),
        (CAPTIONS[11], "after_untried", None, "matching"),
    }
    assert [one.state for one in found.hit_changes[-2:]] == ["before_untried", "after_untried"]
    assert {(one.images_before, one.copies_before) for one in found.hit_changes[:7]} == {(8, 4)}


def test_what_is_concluded_is_scoped_and_names_what_else_differs(found: Comparison) -> None:
    assert found.hits is not None
    text = " ".join(found.hits.sentences)
    assert "9 of 11 prompts tried (exact 95 % interval 48.2 to 97.7 %) before" in text
    assert "2 of 11 prompts tried (exact 95 % interval 2.3 to 51.8 %) after" in text
    assert "8 of 10 verified before (exact 95 % interval 44.4 to 97.5 %), 1 of 10 verified after" in text
    assert "p = 0.016" in text
    assert "fewer of these prompts are verified after than before" in text
    assert "What made the difference, the test does not say." in text
    assert "different models (model-1, then model-2)" in text
    assert "seed (0, then 1), steps (12, then 50)" in text
    assert "Triage held back 1 of them" in text
    assert found.headline == "Verified for 9 of 11 high-risk prompts before, and for 2 of 11 after."


def test_nothing_is_ever_called_fixed(found: Comparison) -> None:
    words = " ".join([found.headline, found.summary, *found.warnings, *found.hits.sentences, *found.limits]).lower()
    for claim in ("fixed", "no memorisation", "safe", "solved", "improved"):
        assert claim not in words


def pair(tmp_path: Path, old: Mapping[str, Tried], new: Mapping[str, Tried], **attack: Any) -> str:
    found = compare(attacked(tmp_path / "a", old), attacked(tmp_path / "b", new, ATTACK | attack))
    assert found.hits is not None
    return " ".join(found.hits.sentences)


def test_the_same_model_twice_is_no_effect_of_training(tmp_path: Path) -> None:
    old = {"x": Tried(verdict="matching"), "y": Tried()}
    text = pair(tmp_path, old, {"x": Tried(), "y": Tried()}, target="moved/model-1")
    assert "Both attacks were on one model, of the same checksum" in text
    assert "no difference is shown" in text
    assert "Both runs tried the same prompts." in text
    assert "The attacks had the same settings." in text


def test_no_hit_on_either_side_excludes_nothing(tmp_path: Path) -> None:
    text = pair(tmp_path, {"x": Tried()}, {"x": Tried()})
    assert "0 of 1 verified after (exact 95 % interval 0 to 97.5 %)" in text
    assert "this shows no difference, and with so few prompts excludes none" in text


def test_without_common_prompts_nothing_is_paired(tmp_path: Path) -> None:
    text = pair(tmp_path, {"x": Tried(verdict="matching")}, {"y": Tried()})
    assert "No high-risk prompt was tried in both runs" in text
    assert "McNemar" not in text


def test_a_prompt_that_became_a_control_is_paired(tmp_path: Path) -> None:
    old = attacked(tmp_path / "a", {"x": Tried(verdict="matching"), "c": Tried()}, controls=["c"])
    new = attacked(tmp_path / "b", {"x": Tried(), "c": Tried(verdict="matching")}, controls=["x", "c"])
    found = compare(old, new)
    assert found.hits is not None
    assert found.hits.paired is not None
    assert (found.hits.paired.tried, found.hits.paired.only_before, found.hits.paired.only_after) == (1, 1, 0)
    assert [one.caption for one in found.hit_changes] == ["x"], "a control in both is no high-risk prompt"


@pytest.mark.parametrize("first", [True, False])
def test_one_attack_alone_compares_no_model(tmp_path: Path, first: bool) -> None:
    one = attacked(tmp_path / "a", {"x": Tried(verdict="matching")})
    other = plant(tmp_path / "b", copies(1, 1, None, "x"))
    found = compare(*((one, other) if first else (other, one)))
    assert found.hits is not None
    assert found.hits.paired is None
    (sentence,) = found.hits.sentences
    which = "before" if first else "after"
    assert f"Only the run {which} has a finished attack: verified for 1 of 1 high-risk prompts" in sentence
    assert f"Only the run {which} has a finished attack" in found.summary


def test_no_attack_is_said(tmp_path: Path) -> None:
    found = compare(*(plant(tmp_path / name, copies(1, 2, "a", "x")) for name in "ab"))
    assert found.hits is None
    assert "No model was attacked in either run" in found.summary


def test_an_attack_that_is_not_finished_is_warned_about(tmp_path: Path) -> None:
    old, new = (attacked(tmp_path / name, {"x": Tried()}) for name in "ab")
    _unfinished(new)
    found = compare(old, new)
    assert any("The attack of b is not finished: its hits are not compared" in line for line in found.warnings)
    assert found.hits is not None
    assert found.hits.paired is None
    assert [arm.after.tried for arm in found.hits.arms] == [0, 0], "triage alone is no attempt"
    assert "No attack is finished in either run" in compare(new, _unfinished(old)).summary


def _unfinished(run: Run) -> Run:
    manifest = run.path / "manifest.json"
    manifest.write_text(manifest.read_text().replace('"attack"', '"attack-elsewhere"'))
    return run
