"""The whole chain on real pictures and the shipped target: what it finds is what was planted."""

import json
import shutil

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.attack import attack
from pipelines.audit import audit
from pipelines.engines import Job, LocalEngine
from pipelines.report import report
from scanner.demo import target_folder
from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.tables import CANDIDATES, ERRORS, GENERATIONS, GROUPS, HITS, MEMBERS, PROMPTS, SAMPLES, TABLES, TRIAGE
from tests.pipelines.conftest import ATTACK, AUDIT, COPIES


def with_truth(run: Run, truth: pl.DataFrame) -> pl.DataFrame:
    return run.read(MEMBERS).join(run.read(SAMPLES), on="sample_id").join(truth, on="key")


def test_rows_in_are_samples_and_errors(small_run, small_truth):
    assert run_height(small_run, SAMPLES) + run_height(small_run, ERRORS) == small_truth.height


def run_height(run: Run, table) -> int:
    return run.read(table).height


def test_the_planted_groups_are_found_whole_and_alone(small_run, small_truth):
    found = with_truth(small_run, small_truth)
    assert found.group_by("group_id").agg(pl.col("picture").n_unique()).filter(pl.col("picture") > 1).is_empty()
    assert small_run.read(GROUPS)["copies"].to_list() == [COPIES] * 4


def test_heavy_captions_are_prompts_and_controls_are_singles(small_run, small_truth):
    prompts = small_run.read(PROMPTS).join(small_run.read(SAMPLES), on="sample_id", suffix="_row")
    prompts = prompts.join(small_truth, on="key")
    risk, control = (prompts.filter(pl.col("arm") == arm) for arm in ("risk", "control"))
    assert risk.height == 4
    assert (risk["group_copies"] >= 64).all()
    assert (control["kind"] == "single").all()
    assert control.height == AUDIT.control


def test_memorised_prompts_match_and_controls_do_not(small_run):
    hits = small_run.read(HITS).join(small_run.read(PROMPTS).select("prompt_id", "arm", "group_id"), on="prompt_id")
    risk, control = (hits.filter(pl.col("arm") == arm) for arm in ("risk", "control"))
    assert risk["verdict"].to_list() == ["matching"] * 4
    assert (risk["normalised_l2"].is_not_null() & (risk["agreeing"] >= 2) & risk["seed"].is_not_null()).all()
    assert control.filter(pl.col("verdict") != "none").height <= 1
    own = risk.join(small_run.read(MEMBERS), on="sample_id", suffix="_of_original")
    assert (own["group_id"] == own["group_id_of_original"]).all()


def test_triage_passes_the_memorised_prompts_and_few_controls(small_run):
    triage = small_run.read(TRIAGE).join(small_run.read(PROMPTS).select("prompt_id", "arm"), on="prompt_id")
    assert triage.filter(pl.col("arm") == "risk")["passed"].all()
    assert triage.filter(pl.col("arm") == "control")["passed"].sum() <= 1
    assert (triage["evaluations"] == 8).all()


def test_costs_and_decisions_are_stored(small_run):
    candidates = small_run.read(CANDIDATES).join(small_run.read(PROMPTS).select("prompt_id", "arm"), on="prompt_id")
    accepted = candidates.filter(pl.col("decision") == "accepted")
    assert (accepted.filter(pl.col("arm") == "risk")["generated"] <= ATTACK.seeds).all()
    images = small_run.read(GENERATIONS).group_by("prompt_id").agg(pl.col("evaluations").sum())
    assert_frame_equal(
        candidates.select("prompt_id", "evaluations").sort("prompt_id"), images.sort("prompt_id"), check_row_order=True
    )


def test_the_report_says_what_the_tables_say(small_run):
    page = report(small_run).read_text(encoding="utf-8")
    for prompt, caption in (
        small_run.read(PROMPTS).filter(pl.col("arm") == "risk").select("prompt_id", "caption").rows()
    ):
        assert f"hit-{prompt}" in page
        assert caption.split()[0] in page


class Failing(LocalEngine):
    """A local engine on which one shard fails, as on a disk that comes and goes."""

    def _one(self, job: Job, stage, shard):
        fails = job.name == "fingerprints" and shard.name == "00001"
        return super()._one(job, (lambda _: 1 / 0) if fails else stage, shard)


def test_a_shard_that_fails_once_and_then_succeeds_is_searched_with_the_others(small_run, small_data, tmp_path):
    run = audit(small_data, tmp_path / "run", AUDIT, Failing())
    lost = run.read(ERRORS).filter(pl.col("shard") == "00001", pl.col("key") == "")
    assert lost["reason"].to_list() == ["ZeroDivisionError"]
    assert run.read(GROUPS)["copies"].max() < COPIES
    again = audit(small_data, tmp_path / "run", AUDIT, LocalEngine())
    for table in (SAMPLES, ERRORS, MEMBERS, GROUPS, PROMPTS):
        assert_frame_equal(again.read(table), small_run.read(table))


def test_an_unfinished_audit_is_not_attacked(small_run, tmp_path):
    run = Run.claim(tmp_path / "run", dict(small_run.config))
    with pytest.raises(UnusableInputError, match="not finished"):
        attack(run, str(target_folder()), ATTACK, LocalEngine())


def test_an_attack_does_not_go_on_with_other_prompts(small_run, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(small_run.path, copy)
    PROMPTS.write(copy, small_run.read(PROMPTS).filter(pl.col("rank") != 1))
    with pytest.raises(UnusableInputError, match="have changed since its attack began"):
        attack(Run.open(copy), str(target_folder()), ATTACK, LocalEngine())


class Counting(LocalEngine):
    """A local engine that notes which shards it really worked on."""

    def __init__(self) -> None:
        super().__init__()
        self.worked: list[str] = []

    def _one(self, job: Job, stage, shard):
        self.worked.append(job.name)
        return super()._one(job, stage, shard)


def test_rerunning_gives_the_same_tables_and_repeats_nothing(small_run, small_data):
    before = {name: small_run.read(table) for name, table in TABLES.items()}
    engine = Counting()
    again = audit(small_data, small_run.path, AUDIT, engine)
    attack(again, str(target_folder()), ATTACK, engine)
    assert engine.worked == []
    for name, table in TABLES.items():
        assert_frame_equal(again.read(table), before[name])


def test_an_audit_given_again_keeps_the_list_that_was_attacked(small_run, small_data, tmp_path):
    copy = tmp_path / "run"
    shutil.copytree(small_run.path, copy)
    header = json.loads((copy / "attack.json").read_text())
    header["config"]["prompt_list"] = "0" * 64  # as if another version had ranked it
    (copy / "attack.json").write_text(json.dumps(header))
    before = (copy / "prompts.parquet").read_bytes()
    with pytest.raises(UnusableInputError, match="attacked with another prompt list"):
        audit(small_data, copy, AUDIT, LocalEngine())
    assert (copy / "prompts.parquet").read_bytes() == before
