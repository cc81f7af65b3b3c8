"""Triage by one detector, by several, by a combined rule: who passes, what is stored, what a stopped one repeats."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.configs import AttackOptions
from pipelines.engines import LocalEngine
from pipelines.search import Prompt
from pipelines.triage import PROMPTS_TOGETHER, detectors_of, triage
from scanner.errors import ScannerError, UnusableInputError
from scanner.run import Run
from scanner.tables import TRIAGE, TRIAGE_SCORES
from scanner.triage import CombinedRule

RISK = tuple(Prompt(prompt_id=f"{i:016x}", caption=f"risk {i}") for i in range(30))
CONTROL = tuple(Prompt(prompt_id=f"{i + 1000:016x}", caption=f"control {i}") for i in range(20))
OPTIONS = AttackOptions(triage_rate=0.1)


class Told:
    """A detector whose scores are given: by caption, each prompt asked for once is noted."""

    evaluations = 3

    def __init__(self, name: str, scores: Sequence[float], stop_at: int | None = None) -> None:
        self.name, self.stop_at, self.asked = name, stop_at, list[str]()
        self.of = dict(zip([p.caption for p in (*RISK, *CONTROL)], scores, strict=True))

    def __call__(self, captions: Sequence[str], prompt_ids: Sequence[str]) -> np.ndarray:
        if self.stop_at is not None and len(self.asked) >= self.stop_at:
            raise KeyboardInterrupt
        self.asked += prompt_ids
        return np.array([self.of[caption] for caption in captions])


def scores(high: Sequence[int], controls: Sequence[float]) -> list[float]:
    """Risk prompts score 9 where they are `high`, and 0 elsewhere; controls as given, then 0.1, 0.2, ..."""
    filled = [*controls, *(0.01 * i for i in range(len(CONTROL) - len(controls)))]
    return [9.0 if i in high else 0.0 for i in range(len(RISK))] + filled


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run.claim(tmp_path / "run", {})


def test_one_detector_lets_through_what_lies_above_its_controls(run):
    passed, threshold = triage(run, [Told("a", scores([3, 7], [5, 4, 3]))], RISK, CONTROL, OPTIONS)
    assert passed == (RISK[3], RISK[7])
    assert threshold == {"value": 3.0, "rate": 0.1, "controls": 20, "passing": 2}
    rows = TRIAGE.read(run.path)
    assert rows.height == len(RISK) + len(CONTROL)
    assert rows.filter("passed").height == 2 + 2
    assert (rows["evaluations"] == 3).all()
    assert rows["decides"].all()
    assert rows["note"].is_null().all()


def test_of_several_detectors_any_lets_a_prompt_through_at_a_rate_they_share(run):
    one, two = Told("a", scores([3], [5, 4, 3])), Told("b", scores([7], [0, 0, 0, 8, 7, 6]))
    passed, threshold = triage(run, [one, two], RISK, CONTROL, OPTIONS)
    assert passed == (RISK[3], RISK[7])
    assert threshold == {"rate": 0.1, "controls": 20, "passing": 2, "values": {"a": 4.0, "b": 7.0}}
    rows = TRIAGE.read(run.path)
    controls = rows.filter(pl.col("prompt_id").is_in([p.prompt_id for p in CONTROL]), "passed")
    assert controls.group_by("detector").len().sort("detector")["len"].to_list() == [1, 1], "one each, two of 20 in all"


def test_a_score_that_is_no_number_holds_no_prompt_back_and_is_noted(run):
    given = scores([3], [5, 4])
    given[10] = float("nan")
    passed, _ = triage(run, [Told("a", given)], RISK, CONTROL, OPTIONS)
    assert passed == (RISK[3], RISK[10])
    noted = TRIAGE.read(run.path).filter(pl.col("note").is_not_null())
    assert noted["prompt_id"].to_list() == [RISK[10].prompt_id]
    assert noted["passed"].all()


def test_a_model_that_gives_no_numbers_for_the_controls_is_said_to(run):
    given = scores([3], [float("nan")] * 3)
    with pytest.raises(ScannerError, match="a gave no finite number for more of the 20 control prompts than the rate"):
        triage(run, [Told("a", given)], RISK, CONTROL, OPTIONS)


def test_a_triage_that_was_stopped_repeats_no_prompt_and_ends_the_same(run, tmp_path):
    stopped = Told("a", scores([3, 7], [5, 4, 3]), stop_at=PROMPTS_TOGETHER)
    with pytest.raises(KeyboardInterrupt):
        triage(run, [stopped], RISK, CONTROL, OPTIONS)
    assert not TRIAGE.exists(run.path)
    assert TRIAGE_SCORES.read(run.path).height == PROMPTS_TOGETHER
    again, whole = Told("a", scores([3, 7], [5, 4, 3])), Run.claim(tmp_path / "whole", {})
    resumed = triage(run, [again], RISK, CONTROL, OPTIONS)
    assert len(again.asked) == len(RISK) + len(CONTROL) - PROMPTS_TOGETHER
    assert resumed == triage(whole, [Told("a", scores([3, 7], [5, 4, 3]))], RISK, CONTROL, OPTIONS)
    assert_frame_equal(TRIAGE.read(run.path), TRIAGE.read(whole.path))


def test_a_detector_whose_scores_are_there_is_not_asked_again(run):
    first = Told("a", scores([3], [5, 4]))
    triage(run, [first], RISK, CONTROL, OPTIONS)
    again, other = Told("a", scores([3], [5, 4])), Told("b", scores([7], [5, 4]))
    triage(run, [again, other], RISK, CONTROL, OPTIONS)
    assert again.asked == []
    assert len(other.asked) == len(RISK) + len(CONTROL)


def test_a_combined_rule_decides_and_its_parts_stand_beside_it(run, tiny_target):
    options = AttackOptions(triage="combined", triage_rate=0.2, guidance=3.0)
    (rule,) = detectors_of(tiny_target, options, lambda images: images.mean(axis=(1, 2, 3)) + 0.1)
    assert isinstance(rule, CombinedRule)
    passed, _ = triage(run, [rule], RISK[:4], CONTROL[:6], options, LocalEngine())
    rows = TRIAGE.read(run.path)
    assert set(rows["detector"]) == {"combined", *rule.fit.names}
    assert (rows["decides"] == (rows["detector"] == "combined")).all()
    spent = rows.group_by("prompt_id").agg(pl.col("evaluations").sum())["evaluations"]
    assert (spent == rule.evaluations).all()
    assert spent.sum() == tiny_target.evaluations, "no part was computed twice"
    of_rule = rows.filter("passed", "decides")["prompt_id"]
    assert {p.prompt_id for p in passed} == set(of_rule) & {p.prompt_id for p in RISK}
    standing = rows.pivot("detector", index="prompt_id", values="score")
    parts = {name: standing[name].to_numpy() for name in rule.fit.names}
    assert standing["combined"].to_numpy() == pytest.approx(rule.combine(parts))


def test_none_and_the_exhaustive_attack_let_everything_through(run, tiny_target):
    assert detectors_of(tiny_target, AttackOptions(triage="none")) == ()
    assert detectors_of(tiny_target, AttackOptions(exhaustive=True)) == ()
    assert triage(run, [], RISK, CONTROL, OPTIONS) == (RISK, None)


def test_detectors_are_named_each_once_and_in_order(tiny_target):
    named = detectors_of(tiny_target, AttackOptions(triage="contrast, wen,contrast"))
    assert [detector.name for detector in named] == ["one-step-contrast", "wen-noise-magnitude"]


def test_lookup_without_originals_is_refused_in_a_sentence(tiny_target):
    with pytest.raises(UnusableInputError, match="needs the originals before the attack"):
        detectors_of(tiny_target, AttackOptions(triage="lookup"))


@pytest.mark.parametrize("wrong", ["wenn", "wen;edges", "none,wen", ""])
def test_detectors_that_there_are_not_are_refused_with_those_that_there_are(wrong):
    with pytest.raises(UnusableInputError, match=r"There is no detector .* use --triage with one or several of wen, "):
        AttackOptions(triage=wrong)
