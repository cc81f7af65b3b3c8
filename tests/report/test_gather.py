"""Findings counted right against run directories whose truth was planted by hand."""

import math
from pathlib import Path

import polars as pl
import pytest

from scanner.report import Findings, gather
from scanner.report._audit import LISTED_GROUPS
from scanner.run import Run
from scanner.tables import CANDIDATES, ERRORS, GENERATIONS, HITS, MEMBERS, SAMPLES, TRIAGE
from tests.report.planted import EVIDENCE, Plan, caption_of_group, make_run, overwrite, prompt_id, sample

PLAN = Plan(control_hits=1)
COPIES = sum(PLAN.copies)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return make_run(tmp_path_factory.mktemp("runs") / "planted", PLAN)


@pytest.fixture(scope="module")
def found(run: Run) -> Findings:
    return gather(run)


def test_rows_in_are_samples_plus_errors(found: Findings) -> None:
    rows = found.rows
    assert (rows.read, rows.failed, rows.rows_in) == (COPIES + 40, 5, COPIES + 45)
    assert (rows.remarks, rows.without_caption) == (0, 0)
    assert all(check.passed for check in found.checks)


def test_duplicates(found: Findings) -> None:
    duplicates = found.duplicates
    assert (duplicates.groups, duplicates.rows, duplicates.redundant) == (8, COPIES, COPIES - 8)
    assert duplicates.share == COPIES / (COPIES + 40)
    assert (duplicates.largest, duplicates.same_caption, duplicates.split) == (130, 4, 1)
    buckets = {bucket.label: (bucket.groups, bucket.rows) for bucket in duplicates.buckets}
    assert buckets == {
        "2–3": (1, 2),
        "4–7": (1, 4),
        "8–15": (2, 17),
        "16–31": (0, 0),
        "32–63": (2, 65),
        "64–127": (1, 64),
        "128+": (1, 130),
    }


def test_arms(found: Findings) -> None:
    risk, control = found.arms
    assert (risk.prompts, risk.tried, risk.scored, risk.passed, risk.attacked) == (8, 8, 8, 7, 7)
    assert (risk.accepted, risk.rejected, risk.undecided, risk.checked) == (4, 3, 0, 4)
    assert (risk.verified.hits, risk.verified.tried, risk.matching, risk.originals) == (4, 8, 4, 4)
    assert (risk.verified_of_attacked.hits, risk.verified_of_attacked.tried) == (4, 7)
    assert (control.prompts, control.attacked, control.passed) == (40, 40, 0)
    assert (control.verified.hits, control.paper_rule.hits) == (1, 1)
    assert control.verified.share == 1 / 40


def test_cost(found: Findings) -> None:
    cost = found.arms[0].cost
    assert (cost.triage_evaluations, cost.search_images, cost.evidence_images) == (16, 4 * 2 + 3 * 15, 16)
    assert (cost.images, cost.image_evaluations) == (69, 4 * 32 + 3 * 240)
    assert cost.images_per_hit == 69 / 4
    assert cost.evaluations_per_hit == (16 + 848) / 4


def test_curve_takes_the_controls_as_one_copy(found: Findings) -> None:
    points = {(point.label, point.arm): point for point in found.curve}
    assert next(iter(points)) == ("1", "control")
    seen = {label: (point.verified.hits, point.verified.tried) for (label, _), point in points.items()}
    assert seen == {
        "1": (1, 40),
        "2–3": (0, 1),  # held back by triage: tried, no hit
        "4–7": (0, 1),
        "8–15": (1, 2),
        "32–63": (1, 2),
        "64–127": (1, 1),
        "128+": (1, 1),
    }
    assert points["2–3", "risk"].prompts == 1


def test_hits_carry_their_evidence_nearest_first(found: Findings) -> None:
    assert [(hit.arm, hit.rank) for hit in found.hits] == [
        ("risk", 1),
        ("risk", 2),
        ("risk", 3),
        ("risk", 5),
        ("control", 1),
    ]
    hit = found.hits[1]
    assert (hit.caption, hit.copies, hit.group_id) == (caption_of_group(1), 64, 130)
    assert hit.original is not None
    assert (hit.original.sample_id, hit.original.key) == (130, "000000130")
    # the search images and the unusable one are left out, and the later planted image is the nearer one
    assert [made.image_index for made in hit.generations] == [1_000_003, 1_000_002, 1_000_001, 1_000_000]
    assert hit.evidence == EVIDENCE
    assert (found.hits[-1].copies, found.hits[-1].group_id) == (1, None)


def test_groups_know_their_hits_and_odd_members(found: Findings) -> None:
    assert [group.copies for group in found.groups] == sorted(PLAN.copies, reverse=True)
    first, fourth = found.groups[0], found.groups[3]
    assert first.hits == (prompt_id(caption_of_group(0)),)
    assert first.members == (1,), "only the edited copy differs from the medoid"
    assert (fourth.copies, fourth.hits) == (32, ())
    behind = found.behind_hits
    assert (behind.groups, behind.rows, behind.singles) == (4, 130 + 64 + 33 + 9, 1)


def test_prompts_hold_their_whole_story(found: Findings) -> None:
    last = found.prompts[7]
    assert (last.arm, last.rank, last.triage_passed, last.decision, last.verdict) == (
        "risk",
        8,
        False,
        None,
        None,
    )
    assert (found.prompts[0].sample_id, found.prompts[0].verdict, found.prompts[0].generated) == (
        0,
        "matching",
        2,
    )
    assert (found.prompts[8].arm, found.prompts[8].group_id) == ("control", None)


def test_ledger_counts(found: Findings) -> None:
    counts = [(line.stage, line.reason, line.rows) for line in found.error_counts]
    assert counts == [("decode", "truncated_image", 3), ("read", "missing_image", 2)]
    assert [line.key for line in found.errors] == [f"broken{i}" for i in range(5)]


def test_thresholds_never_finer_than_the_arm(found: Findings, tmp_path: Path) -> None:
    assert (found.thresholds.normalised_l2, found.thresholds.triage) == (0.12, 1.5)
    assert found.thresholds.lowered is False
    assert found.thresholds.false_positive_rate == 0.025
    few = gather(make_run(tmp_path / "few", Plan(copies=(4, 2), extracted=(0,), singles=10)))
    assert few.thresholds.false_positive_rate == 0.1, "10 controls can't support 2.5 %"


def test_prompts_beyond_the_tried_ones_are_not_counted_as_tried(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    TRIAGE.write(run.path, run.read(TRIAGE).filter(pl.col("prompt_id") != prompt_id(caption_of_group(7))))
    found = gather(run)
    assert (found.arms[0].prompts, found.arms[0].tried, found.arms[0].verified.tried) == (8, 7, 7)
    assert any(line.startswith("Of the ranked high-risk prompts 1 ") for line in found.limits)


def test_a_row_in_both_tables_fails_the_check(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(attacked=False))
    overwrite(run, ERRORS, shard=pl.lit("00000"), key=pl.lit("000000003") + pl.col("key").str.slice(99))
    check = gather(run).checks[0]
    assert not check.passed
    assert "1 rows stand in both tables" in check.sentence


def test_a_lost_row_fails_the_check(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(attacked=False))
    ERRORS.write(run.path, run.read(ERRORS).head(4))
    found = gather(run)
    assert not found.checks[0].passed
    assert "do not agree" in found.summary
    assert "errors has 4, not 5" in found.checks[2].sentence


def test_members_and_copies_must_agree(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(attacked=False))
    MEMBERS.write(run.path, run.read(MEMBERS).head(10))
    assert [check.name for check in gather(run).checks if not check.passed] == ["members", "manifest"]


def test_a_second_row_under_a_key_is_lost_and_the_first_is_not(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(attacked=False, errors=1))
    key = run.read(SAMPLES)["key"][0]
    overwrite(run, ERRORS, key=key, shard="00000")
    assert not gather(run).checks[0].passed
    overwrite(run, ERRORS, key=key, shard="00000", reason="duplicate_key")
    assert gather(run).checks[0].passed


def test_rows_set_aside_are_counted_apart_from_failed_ones(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(attacked=False, errors=5))
    errors = run.read(ERRORS).with_row_index()
    aside = errors.with_columns(stage=pl.when(pl.col("index") < 3).then(pl.lit("select")).otherwise("stage"))
    ERRORS.write(run.path, aside)
    rows = gather(run).rows
    assert (rows.set_aside, rows.failed, rows.rows_in) == (3, 2, rows.read + 5)


def test_whole_shards_are_counted_apart(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(attacked=False, errors=1))
    overwrite(run, ERRORS, key="")
    assert gather(run).rows.remarks == 1


def test_what_json_cannot_say_becomes_none(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    overwrite(run, HITS, l2=math.nan, tile_l2=math.inf)
    hit = gather(run).hits[0]
    assert (hit.l2, hit.tile_l2) == (None, None)


def test_a_retrieved_hit_belongs_to_the_group_that_came_back(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    overwrite(run, HITS, verdict=pl.when(pl.col("verdict") == "matching").then(pl.lit("retrieved")), sample_id=194)
    found = gather(run)
    assert found.arms[0].retrieved == 4
    assert {hit.group_id for hit in found.hits} == {194}
    assert (found.behind_hits.groups, found.behind_hits.rows) == (1, 33)
    assert found.arms[0].originals == 1
    assert "a training image (1 different in all)" in found.headline


def test_undecided_prompts_are_named(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    overwrite(run, CANDIDATES, decision="open")
    found = gather(run)
    assert found.arms[0].undecided == 7
    assert any("7 undecided prompts" in step.title for step in found.advice)


def test_a_run_under_way_says_so(tmp_path: Path) -> None:
    run = Run.claim(tmp_path / "run", {"dataset": "half/"})
    SAMPLES.write(run.path, SAMPLES.frame([sample(0, 0, None)]), part="00000")
    found = gather(run)
    assert "not finished" in found.summary
    assert found.rows.without_caption == 1


def test_a_begun_attack_without_images(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(attacked=False))
    run.claim_part("attack", {"target": {"name": "tiny"}})
    found = gather(run)
    assert (found.attacked, found.target, found.curve) == (False, "tiny", ())
    assert "has not generated any image yet" in found.summary


def test_missing_generations_are_no_error(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    for part in (run.path / GENERATIONS.path).glob("*.parquet"):
        part.unlink()
    assert all(hit.generations == () for hit in gather(run).hits)


def test_long_lists_are_cut_and_keep_what_matters(tmp_path: Path) -> None:
    copies = (*(3 for _ in range(LISTED_GROUPS + 20)), 2, 2)
    run = make_run(tmp_path / "run", Plan(copies=copies, extracted=(LISTED_GROUPS + 20,), singles=400))
    found = gather(run)
    assert (found.duplicates.groups, len(found.groups)) == (LISTED_GROUPS + 22, LISTED_GROUPS)
    assert [group.copies for group in found.groups if group.hits] == [2], "a group behind a hit stays, however small"
    assert len(found.prompts) == 500
    assert sum(prompt.arm == "control" for prompt in found.prompts) == 278


def test_a_cost_that_nobody_counted_is_not_known_and_not_zero(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", PLAN)
    overwrite(run, CANDIDATES, evaluations=0)
    cost = gather(run).arms[0].cost
    assert (cost.images, cost.image_evaluations, cost.evaluations, cost.evaluations_per_hit) == (69, None, None, None)
    assert cost.images_per_hit == 69 / 4


def test_images_that_never_came_are_counted_by_reason(found: Findings) -> None:
    assert [(one.defect, one.images, one.prompts) for one in found.lacking] == [("flat", 5, 5)]


def second_detector(run: Run, *, decides: bool) -> pl.DataFrame:
    """The planted triage, and a detector that lets every risk prompt through, without a number for the last."""
    first = run.read(TRIAGE)
    risk = [*first.filter(pl.col("score") > 1.5)["prompt_id"].to_list(), prompt_id(caption_of_group(7))]
    numbers = pl.when(pl.col("prompt_id") == risk[-1]).then(math.nan).otherwise(7.0)
    other = first.with_columns(
        detector=pl.lit("another"),
        score=numbers,
        threshold=pl.lit(5.0),
        passed=pl.col("prompt_id").is_in(risk),
        evaluations=pl.lit(10, pl.Int64),
        decides=pl.lit(decides),
    )
    return pl.concat([first, other])


def test_of_several_detectors_any_that_decides_lets_a_prompt_through(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    TRIAGE.write(run.path, second_detector(run, decides=True))
    found = gather(run)
    assert (found.arms[0].passed, found.arms[0].tried) == (8, 8)
    last = found.prompts[7]
    assert (last.triage_passed, last.triage_score, last.triage_threshold) == (True, None, 5.0), "no number, and through"
    assert found.arms[0].cost.triage_evaluations == 8 * (2 + 10)


def test_a_part_of_a_combined_rule_lets_nothing_through(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    TRIAGE.write(run.path, second_detector(run, decides=False))
    found = gather(run)
    assert (found.arms[0].passed, found.prompts[7].triage_passed, found.prompts[7].triage_threshold) == (7, False, 1.5)
    assert found.arms[0].cost.triage_evaluations == 8 * (2 + 10)


def test_a_triage_that_was_written_before_there_were_several_is_read(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    run.read(TRIAGE).drop("decides", "note").write_parquet(run.path / TRIAGE.path)
    assert gather(run).arms[0].passed == 7
