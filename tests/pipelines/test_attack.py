"""The attack's rounds on the shipped target: budgets, resume inside a prompt, kept images, the paper's own attack, and
what can be said without originals."""

import shutil
from dataclasses import replace
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from pipelines.attack import attack
from pipelines.engines import LocalEngine
from pipelines.kept_images import drop_images
from pipelines.report import report
from scanner.attack import EVIDENCE_FIRST, Spending
from scanner.demo import target_folder
from scanner.errors import ScannerError, UnusableInputError
from scanner.report import gather
from scanner.run import Run
from scanner.tables import CANDIDATES, GENERATIONS, HITS, PROMPTS, TRIAGE
from tests.pipelines.conftest import ATTACK

TARGET = str(target_folder())
FEW = replace(ATTACK, prompts=2, control=4, seeds=3, evidence=4, record=2, rate=0.9, triage="none", look_rate=0.2)


def images(run: Run) -> pl.DataFrame:
    rows = run.read(GENERATIONS).join(run.read(PROMPTS).select("prompt_id", "arm"), on="prompt_id")
    return rows.with_columns(full=pl.col("image_index") >= EVIDENCE_FIRST)


def test_full_steps_are_spent_where_few_steps_promised_something(small_run: Run) -> None:
    made = images(small_run)
    assert made.filter(pl.col("steps") == ATTACK.steps)["full"].all()
    assert made.filter(pl.col("steps") == int(ATTACK.search_steps))["full"].any() is False
    looked = dict(made.filter("full").group_by("arm").agg(pl.col("prompt_id").n_unique()).iter_rows())
    assert looked["risk"] == 4
    rounds = len(small_run.manifest()["parts"]["attack"]["look_limits"])
    assert looked.get("control", 0) <= rounds  # one of 12 may be looked at after each round
    accepted = small_run.read(CANDIDATES).filter(pl.col("decision") == "accepted")["prompt_id"]
    evidence = made.filter("full", pl.col("prompt_id").is_in(accepted.implode())).group_by("prompt_id").len()
    assert evidence["len"].min() >= ATTACK.record


def test_later_rounds_may_take_more_steps(audited: Run) -> None:
    config = replace(FEW, search_steps="2,3", seeds=4, rate=0.45, miss=0.1)
    attack(audited, TARGET, config, LocalEngine())
    search = images(audited).filter(~pl.col("full"), pl.col("arm") == "control")
    assert dict(search.select("image_index", "steps").unique().sort("image_index").iter_rows()) == {
        0: 2,
        1: 2,
        2: 3,
        3: 3,
    }


@pytest.mark.parametrize("steps", ["", "0", "2,", "two", "-1", "2;3"])
def test_steps_that_are_no_numbers_are_refused(steps: str) -> None:
    with pytest.raises(UnusableInputError, match="--search-steps"):
        replace(FEW, search_steps=steps)


@pytest.mark.parametrize("wrong", [0.0, -0.1, 0.26, float("nan")])
def test_an_agreement_beyond_the_search_is_refused(wrong: float) -> None:
    with pytest.raises(UnusableInputError, match="--agreement-l2"):
        replace(FEW, agreement_l2=wrong)


def test_a_threshold_of_ones_own_decides_and_is_recorded(audited: Run) -> None:
    attack(audited, TARGET, replace(FEW, agreement_l2=0.03), LocalEngine())
    assert audited.manifest()["parts"]["attack"]["normalised_threshold"]["ceiling"] == 0.03
    assert gather(audited).thresholds.normalised_l2 <= 0.03
    hits = audited.read(HITS).filter(pl.col("verdict").is_in(["matching", "retrieved"]))
    near = pl.min_horizontal("normalised_l2", "reconstruction_l2")
    assert hits.select((near <= 0.03).all()).item()
    with pytest.raises(UnusableInputError, match="agreement_l2"):
        attack(audited, TARGET, replace(FEW, agreement_l2=0.05), LocalEngine())


def test_a_lowered_threshold_holds_for_the_verdicts_too(audited: Run, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(audited.path, whole)
    loose = replace(FEW, agreement_l2=0.25, look_rate=0.9, control=8, evidence=6, prompts=1, steps=8, record=4)
    attack(Run.open(whole), TARGET, loose, LocalEngine())
    run = Run.open(whole)
    threshold = run.manifest()["parts"]["attack"]["normalised_threshold"]
    assert threshold["value"] < threshold["ceiling"] == 0.25
    controls = run.read(HITS).join(run.read(PROMPTS).filter(pl.col("arm") == "control"), on="prompt_id", how="semi")
    assert controls.filter(pl.col("agreeing") >= 2).height == threshold["passing"]
    assert threshold["passing"] <= threshold["rate"] * threshold["controls"]

    with pytest.raises(ScannerError, match="larger --budget"):
        attack(audited, TARGET, loose, LocalEngine(), spending=Spending(amount=40, unit="images"))
    attack(audited, TARGET, loose, LocalEngine())
    for table in (CANDIDATES, HITS, GENERATIONS):
        assert_frame_equal(audited.read(table), run.read(table), abs_tol=1e-4)


def test_equal_numbers_have_equal_seeds(small_run: Run) -> None:
    made = images(small_run).with_columns(number=pl.col("image_index") % EVIDENCE_FIRST)
    assert made.group_by("prompt_id", "number").agg(pl.col("seed").n_unique())["seed"].max() == 1


def test_only_the_evidence_keeps_its_pixels(small_run: Run) -> None:
    made = images(small_run).filter(pl.col("defect").is_null())
    best = made.sort("normalised_l2", nulls_last=True).unique("prompt_id", keep="first")
    assert made.filter("full")["png"].null_count() == 0
    assert made.filter(~pl.col("full"))["png"].drop_nulls().len() <= best.height
    assert made["seed"].null_count() == made["l2"].null_count() == 0


def test_a_budget_ends_the_attack_cleanly_and_a_larger_one_goes_on(audited: Run, tmp_path: Path) -> None:
    whole = tmp_path / "whole"
    shutil.copytree(audited.path, whole)
    attack(Run.open(whole), TARGET, FEW, LocalEngine())
    made = Run.open(whole).read(GENERATIONS).height
    controls = images(Run.open(whole)).filter(pl.col("arm") == "control").height

    with pytest.raises(ScannerError, match="larger --budget"):
        attack(audited, TARGET, FEW, LocalEngine(), spending=Spending(amount=1, unit="images"))
    attack(audited, TARGET, FEW, LocalEngine(), spending=Spending(amount=controls + 4, unit="images"))
    stopped = gather(audited)
    assert stopped.stopped is not None
    assert "goes on" in stopped.summary
    assert audited.read(GENERATIONS).height < made
    assert "budget" in report(audited).read_text(encoding="utf-8")

    attack(audited, TARGET, FEW, LocalEngine(), spending=Spending(amount=made, unit="images"))
    assert audited.manifest()["parts"]["attack"]["stopped"] is None
    for table in (CANDIDATES, HITS, GENERATIONS):
        assert_frame_equal(audited.read(table), Run.open(whole).read(table), abs_tol=1e-4)


def test_a_budget_settles_the_most_suspicious_prompts_first(
    audited: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.rounds.BATCH_IMAGES", 1)  # one prompt of this small run is a file's worth
    whole = tmp_path / "whole"
    shutil.copytree(audited.path, whole)
    attack(Run.open(whole), TARGET, FEW, LocalEngine())
    first = Run.open(whole).read(PROMPTS).filter(pl.col("arm") == "risk").sort("rank")["prompt_id"][0]
    made = images(Run.open(whole))
    controls, mine = (made.filter(one).height for one in (pl.col("arm") == "control", pl.col("prompt_id") == first))

    attack(audited, TARGET, FEW, LocalEngine(), spending=Spending(amount=controls + mine + 1, unit="images"))
    assert audited.manifest()["parts"]["attack"]["stopped"] is not None
    decided = dict(audited.read(CANDIDATES).select("prompt_id", "decision").iter_rows())
    assert decided[first] == "accepted"
    assert dict(audited.read(HITS).select("prompt_id", "verdict").iter_rows())[first] == "matching"


def test_undecided_prompts_of_a_stopped_attack_are_said_to_be_so(audited: Run) -> None:
    with pytest.raises(ScannerError, match="larger --budget"):
        attack(audited, TARGET, FEW, LocalEngine(), spending=Spending(amount=1, unit="images"))
    attack(audited, TARGET, FEW, LocalEngine(), spending=Spending(amount=4 + 2, unit="images"))
    found = gather(audited)  # an image of each prompt, near its original, and none of full steps
    assert found.arms[0].undecided == 2
    assert "still undecided" in found.summary
    assert "under this protocol" not in found.headline


def test_further_rounds_go_to_the_most_suspicious(audited: Run) -> None:
    config = replace(FEW, control=8, seeds=4, rate=0.5, focus=0.25)
    attack(audited, TARGET, config, LocalEngine())
    search = images(audited).filter(~pl.col("full"), pl.col("arm") == "control")
    made = search.group_by("prompt_id").agg(pl.len(), near=pl.col("normalised_l2").head(2).min())
    further = made.filter(pl.col("len") > 2)
    assert 1 <= further.height <= 2  # a quarter of the eight; one that was accepted makes room for none
    assert further["near"].max() <= made.filter(pl.col("len") <= 2)["near"].fill_null(1).median()


def test_the_papers_attack_gives_every_prompt_all_its_images(audited: Run) -> None:
    config = replace(FEW, exhaustive=True, seeds=70, steps=2, prompts=1, control=1, keep_images="all")
    attack(audited, TARGET, config, LocalEngine())
    search = images(audited).filter(~pl.col("full"))
    assert search.group_by("prompt_id").len()["len"].to_list() == [70, 70]
    assert (search["steps"] == 2).all()
    assert audited.read(TRIAGE).is_empty()
    assert len(GENERATIONS.parts(audited.path)) > 2  # a prompt's images lie in several files, so resume is inside it
    assert set(audited.read(CANDIDATES)["clique_decision"]) <= {"yes", "no"}


def test_without_originals_cliques_are_found_and_nothing_is_verified(audited: Run) -> None:
    config = replace(
        FEW, originals=False, clique=3, evidence=6, seeds=6, rate=0.5, search_steps="8", edge=0.15, look_rate=0.5
    )
    attack(audited, TARGET, config, LocalEngine())
    assert not (audited.path / "originals").exists()
    assert audited.read(HITS).is_empty()
    assert audited.read(GENERATIONS)["l2"].null_count() == audited.read(GENERATIONS).height
    decided = audited.read(CANDIDATES).join(audited.read(PROMPTS).select("prompt_id", "arm"), on="prompt_id")
    assert decided.filter(pl.col("arm") == "risk")["decision"].to_list() == ["accepted"] * 2
    assert decided.filter(pl.col("arm") == "risk")["clique_decision"].to_list() == ["yes"] * 2
    found = gather(audited)
    assert found.headline.endswith("whose image it is was not looked up.")
    assert "nothing is verified" in found.summary
    assert "not compared with the training images" in report(audited).read_text(encoding="utf-8")


def test_evidence_for_a_clique_must_be_large_enough() -> None:
    with pytest.raises(UnusableInputError, match="--evidence of at least as many"):
        replace(FEW, originals=False, clique=10, evidence=6)


def test_what_is_kept_can_be_made_less_and_never_more(small_run: Run, tmp_path: Path) -> None:
    shutil.copytree(small_run.path, tmp_path / "run")
    run = Run.open(tmp_path / "run")
    drop_images(run, "all")
    assert_frame_equal(run.read(GENERATIONS), small_run.read(GENERATIONS))
    drop_images(run, "best")
    kept = run.read(GENERATIONS).filter(pl.col("png").is_not_null())
    assert kept["prompt_id"].is_unique().all()
    assert kept["prompt_id"].n_unique() == run.read(GENERATIONS)["prompt_id"].n_unique()
    report(run)
