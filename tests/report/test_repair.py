"""The repair in the report: totals, classes before and after, and what stays of the heaviest groups."""

import json
from pathlib import Path

from pipelines.repair import as_summary, mitigations_of, repair
from scanner.report import gather, write_report
from scanner.report._repair import LISTED_MITIGATIONS
from scanner.run import Run
from scanner.tables import MEMBERS, SAMPLES
from tests.report.planted import Plan, make_run

COPIES = (202, 130, 9, 3)


def repaired(path: Path, plan: Plan, keep: str = "largest") -> Run:
    run = make_run(path, plan)
    run.finish("audit", run.manifest()["parts"]["audit"] | as_summary(repair(run, keep)))
    return run


def test_the_totals_and_classes(tmp_path):
    run = repaired(tmp_path / "run", Plan(copies=COPIES, extracted=(), attacked=False))
    found = gather(run).repair
    assert found is not None
    assert (found.policy, found.order, found.groups) == ("largest", "pixels", 4)
    assert (found.dropped, found.recaptioned, found.recaptioned_groups, found.riskier) == (340, 340, 4, 0)
    # by the planted prompts: 0.95, and each a tenth less than the one before
    assert (found.before.high, found.before.medium, found.before.low) == (4, 0, 0)
    assert (found.after_drop.high, found.after_drop.low) == (0, 4)
    assert (found.after_recaption.high, found.after_recaption.low) == (0, 4)
    heaviest = found.most[0]
    assert (heaviest.copies, heaviest.dropped, heaviest.recaptioned) == (202, 201, 201)
    assert heaviest.kept is not None
    assert heaviest.kept.sample_id == 0
    assert heaviest.captions == ("a framed print of picture 0, studio light",)


def test_the_page_and_the_json_say_the_same(tmp_path):
    run = repaired(tmp_path / "run", Plan(copies=COPIES, extracted=(), attacked=False))
    page = write_report(run).read_text(encoding="utf-8")
    assert '<data value="340" data-path="repair.dropped">340</data>' in page
    assert 'href="#repair"' in page
    assert "No model was trained on a repaired set to measure it" in page
    assert json.loads((run.path / "report/report.json").read_text())["repair"]["most"][0]["copies"] == 202


def test_only_the_heaviest_groups_are_listed(tmp_path):
    plan = Plan(copies=(2,) * (LISTED_MITIGATIONS + 3), extracted=(), attacked=False)
    run = repaired(tmp_path / "run", plan)
    assert len(gather(run).repair.most) == LISTED_MITIGATIONS
    assert f"The page lists {LISTED_MITIGATIONS} of {LISTED_MITIGATIONS + 3} groups" in write_report(run).read_text()


def test_without_groups_there_is_nothing_to_drop(tmp_path):
    run = repaired(tmp_path / "run", Plan(copies=(), extracted=(), attacked=False))
    assert gather(run).repair.groups == 0
    assert "so nothing to drop or to re-caption" in write_report(run).read_text()


def test_sizes_that_are_not_known_are_said(tmp_path):
    run = make_run(tmp_path / "run", Plan(copies=(3,), extracted=(), attacked=False))
    SAMPLES.write(run.path, run.read(SAMPLES).with_columns(width=None, height=None), part="00000")
    run.finish("audit", as_summary(repair(run, "largest")))
    assert "the size of no image is known, so none is the largest" in write_report(run).read_text()


def test_a_run_from_before_repairs(tmp_path):
    run = make_run(tmp_path / "run", Plan(attacked=False))
    assert gather(run).repair is None
    assert 'id="repair"' not in write_report(run).read_text(encoding="utf-8")


def test_another_policy_leaves_the_run_as_it_is(tmp_path):
    run = make_run(tmp_path / "run", Plan(copies=(3,), extracted=(), attacked=False))
    larger = run.read(SAMPLES).with_columns(width=run.read(SAMPLES)["sample_id"].cast(int) + 1)
    SAMPLES.write(run.path, larger, part="00000")
    run.finish("audit", as_summary(repair(run, "first")))
    kept = {
        keep: mitigations_of(run, keep)[0].filter(mitigation="keep")["sample_id"].item() for keep in (None, "largest")
    }
    assert kept == {None: 0, "largest": run.read(MEMBERS)["sample_id"].max()}
    assert gather(run).repair.policy == "first"
