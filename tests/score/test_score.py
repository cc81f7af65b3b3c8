"""A run held against its truth: every figure is as planted."""

import json

import polars as pl
import pytest

from scanner.errors import UnusableInputError
from scanner.report import rate
from scanner.score import Funnel, Scored, read_truth, score, write_score
from tests.score.planted import EVALUATIONS, PER_IMAGE, PICTURES, make_run, make_truth

NAMES = ("truth.parquet", "RUN")


@pytest.fixture
def scored(tmp_path) -> Scored:
    return score(make_run(tmp_path / "run"), read_truth(make_truth(tmp_path / "truth.parquet")), names=NAMES)


def steps(one: Funnel) -> tuple[int, ...]:
    return one.pictures, one.read, one.grouped, one.prompted, one.tried, one.attacked, one.verified


def test_every_planted_picture_is_followed_to_where_it_was_lost(scored):
    assert [(one.name, *steps(one)) for one in scored.score.funnel] == [
        ("1", 1, 1, 0, 1, 1, 1, 0),
        ("2", 1, 1, 1, 1, 0, 0, 0),
        ("8", 4, 4, 4, 3, 3, 2, 1),
    ]
    lost = dict(scored.pictures.select("picture", "lost").iter_rows())
    assert lost == {
        **{"canary-0": None, "canary-1": "verified", "canary-2": "attacked", "canary-3": "tried"},
        **{"canary-4": "verified", "canary-5": "prompted"},
        **{"twin-0": "verified", "twin-1": None, "twin-2": "attacked", "twin-3": "tried"},
    }


def test_recall_is_of_all_planted_and_of_all_attacked(scored):
    eight = scored.score.funnel[-1]
    assert (eight.recall, eight.attack_recall) == (rate(1, 4), rate(1, 2))


def test_twins_are_the_negative_control(scored):
    twins = scored.score.twins
    assert steps(twins) == (4, 4, 4, 4, 3, 2, 1)
    assert twins.attack_recall == rate(1, 2)
    assert scored.score.headline.endswith("Never planted: 1 of 2 attacked (95 % interval up to 98.7 %).")


def test_verdicts_stand_against_the_truth(scored):
    kinds = {
        one.truth: (one.matching, one.template, one.retrieved, one.none, one.not_attacked, one.right_picture)
        for one in scored.score.confusion
    }
    assert kinds == {
        "planted twice or more": (1, 0, 1, 0, 1, 1),
        "planted once": (0, 0, 0, 1, 0, 0),
        "never planted": (1, 0, 0, 1, 1, 1),
        "not in the truth": (0, 0, 0, 3, 0, 0),
    }


def test_detectors_are_judged_by_copies_and_by_what_was_verified(scored):
    found = {one.positives_are: one for one in scored.score.detectors}
    assert list(found) == ["8 copies or more", "8 copies", "verified"]
    planted = found["8 copies or more"]  # 9, 8, 1.5 against twins 4, 3, .5, canary-4 1, own 0, 1, 2
    assert (planted.positives, planted.negatives) == (3, 7)
    assert planted.auc == pytest.approx((7 + 7 + 4) / 21)
    assert planted.false_positive_rate == pytest.approx(1 / 7)
    assert planted.tpr == rate(2, 3)
    assert planted.evaluations == EVALUATIONS
    verified = found["verified"]  # 9, 8, 3 against 4, 1, 0, 1, 2 of those attacked
    assert (verified.positives, verified.negatives) == (3, 5)
    assert verified.auc == pytest.approx((5 + 5 + 4) / 15)


def test_more_copies_are_asked_for(tmp_path):
    run, truth = make_run(tmp_path / "run"), read_truth(make_truth(tmp_path / "truth.parquet"))
    (planted, *_) = score(run, truth, names=NAMES, memorised_from=9).score.detectors
    assert (planted.positives_are, planted.positives, planted.auc) == ("9 copies or more", 0, None)
    assert planted.tpr.share is None


def test_a_hit_costs_what_both_arms_cost(scored):
    risk, control, both = scored.score.costs
    assert (risk.tried, risk.hits, risk.triage_evaluations) == (6, 3, 6 * EVALUATIONS)
    assert (risk.search_images, risk.search_evaluations) == (22, 22 * PER_IMAGE)
    assert (risk.evidence_images, risk.evidence_evaluations) == (12, 12 * PER_IMAGE)
    assert (control.tried, control.hits, control.search_images) == (4, 0, 32)
    assert control.evaluations_per_hit is None
    assert both.images_per_hit == (22 + 12 + 32) / 3
    assert both.evaluations_per_hit == (10 * EVALUATIONS + 66 * PER_IMAGE) / 3


def test_an_audit_alone_is_scored_up_to_its_prompts(tmp_path):
    run = make_run(tmp_path / "run", attacked=False)
    found = score(run, read_truth(make_truth(tmp_path / "truth.parquet")), names=NAMES).score
    assert [steps(one) for one in found.funnel] == [
        (1, 1, 0, 1, 0, 0, 0),
        (1, 1, 1, 1, 0, 0, 0),
        (4, 4, 4, 3, 0, 0, 0),
    ]
    assert (found.confusion, found.detectors, found.costs) == ((), (), ())
    assert found.headline.startswith("4 of 5 pictures planted more than once became prompts")


def test_twins_that_were_not_audited_are_said_to_be_missing(tmp_path):
    run, truth = make_run(tmp_path / "run"), read_truth(make_truth(tmp_path / "truth.parquet"))
    elsewhere = pl.when("planted").then("key").otherwise(pl.format("elsewhere-{}", "key"))
    found = score(run, truth.with_columns(key=elsewhere), names=NAMES).score
    assert found.joined.twins_in_run == 0
    assert any("no negative control" in note for note in found.notes)
    assert any("26 of the truth's 61 rows are not among" in note for note in found.notes)


def test_the_score_is_written_as_tables_and_json(scored, tmp_path):
    path = write_score(scored, tmp_path)
    found = json.loads(path.read_text())
    assert found["funnel"][-1]["recall"]["tried"] == 4
    assert found["headline"] == scored.score.headline
    assert pl.read_parquet(path.with_name("score.parquet")).equals(scored.pictures)
    prompts = pl.read_parquet(path.with_name("prompts.parquet"))
    assert prompts.height == 10
    assert dict(prompts.select("caption", "wen").iter_rows()) == {
        one.caption: one.score for one in PICTURES if one.score is not None
    }


def test_a_truth_without_pictures_goes_by_the_runs_groups(tmp_path):
    run = make_run(tmp_path / "run")
    truth = pl.read_parquet(make_truth(tmp_path / "truth.parquet"))
    truth.filter("planted").select("shard", "key", "caption", "copies", "planted").write_parquet(
        tmp_path / "lab.parquet"
    )
    found = score(run, read_truth(tmp_path / "lab.parquet"), names=NAMES).score
    assert [(one.name, *steps(one)) for one in found.funnel] == [
        ("1", 1, 1, 0, 1, 1, 1, 0),
        ("2", 1, 1, 1, 1, 0, 0, 0),
        ("8", 4, 4, 4, 3, 3, 2, 1),
    ]
    assert found.twins is None


def test_a_truth_of_another_data_set_is_refused(tmp_path):
    run = make_run(tmp_path / "run")
    truth = read_truth(make_truth(tmp_path / "truth.parquet"))
    other = truth.with_columns(caption_id=pl.lit("0" * 16))  # the same keys under other captions
    with pytest.raises(UnusableInputError, match=r"No row of truth\.parquet is in RUN"):
        score(run, other, names=NAMES)
