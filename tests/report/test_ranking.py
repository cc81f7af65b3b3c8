"""The ranking as a whole in the report: classes, quoted curves, coverage, groups left out, and runs of before."""

import json
from dataclasses import asdict
from pathlib import Path

import polars as pl

from scanner.prompts import CURVE_FILE, Curve, Measured, read_curve
from scanner.report import gather, write_report
from scanner.run import Run, write_json
from scanner.tables import LEFT_OUT, PROMPTS
from tests.report.planted import make_run, overwrite

COVERAGE = {
    **{"groups": 10, "covered": 8, "no_caption": 1, "caption_taken": 1, "families": 0},
    "steps": [{"prompts": 8, "rows": 282, "share": 0.8, "duplicated": 282, "duplicated_share": 0.9}],
}
PARTS = ("risk_class", "caption_rows", "copies_part", "concentration", "specificity", "covered_rows")


def _ranked(path: Path) -> Run:
    """Of the eight planted risk prompts two are high, four medium and two low; two groups are left out."""
    run = make_run(path)
    high, medium = pl.col("rank") <= 2, pl.col("rank") <= 6
    label = pl.when(high).then(pl.lit("high")).when(medium).then(pl.lit("medium")).otherwise(pl.lit("low"))
    parts = dict.fromkeys(("copies_part", "concentration", "specificity"), 0.5)
    risk_class = pl.when(pl.col("arm") == "risk").then(label)
    overwrite(run, PROMPTS, risk_class=risk_class, caption_rows=5, covered_rows=9, **parts)
    taken = run.read(PROMPTS).filter(pl.col("rank") == 1, pl.col("arm") == "risk")["prompt_id"][0]
    left = [
        {"group_id": 7_001, "copies": 3, "reason": "no_caption"},
        {"group_id": 7_002, "copies": 12, "reason": "caption_taken", "prompt_id": taken},
    ]
    LEFT_OUT.write(run.path, LEFT_OUT.frame(left))
    run.finish("audit", run.manifest()["parts"]["audit"] | {"coverage": COVERAGE})
    return run


def test_classes_have_boundaries_counts_and_rates(tmp_path: Path) -> None:
    ranking = gather(_ranked(tmp_path / "run")).ranking
    assert [(one.name, one.least, one.prompts, one.rows) for one in ranking.classes] == [
        ("high", 0.5, 2, 194),
        ("medium", 0.1, 4, 82),
        ("low", 0.0, 2, 6),
    ]
    measured = [(one.measured.hits, one.measured.tried) for one in ranking.classes]
    assert measured == [(2, 2), (2, 4), (0, 2)]
    assert ranking.quoted.target == "demo target, 64 px"


def test_a_given_curve_is_quoted_and_silent_where_nothing_was_tried(tmp_path: Path) -> None:
    run = _ranked(tmp_path / "run")
    classes = (Measured(name="high", tried=42, verified=40), Measured(name="low", tried=0, verified=0))
    curve = Curve(target="big-model", protocol="500 images", classes=classes, copies=())
    write_json(run.path / CURVE_FILE, asdict(curve))
    ranking = gather(run).ranking
    assert [None if one.quoted is None else one.quoted.hits for one in ranking.classes] == [40, None, None]
    page = write_report(run).read_text(encoding="utf-8")
    assert "big-model" in page
    assert "none tried" in page


def test_coverage_and_left_out_groups_are_said(tmp_path: Path) -> None:
    run = _ranked(tmp_path / "run")
    ranking = gather(run).ranking
    assert ranking.coverage.steps[0].duplicated == 282
    assert [(one.group_id, one.copies, one.reason, one.rank) for one in ranking.left_out] == [
        (7_002, 12, "caption_taken", 1),
        (7_001, 3, "no_caption", None),
    ]
    page = write_report(run).read_text(encoding="utf-8")
    assert "no copy has a caption" in page
    assert "its caption stands in the list for another picture, rank 1" in page
    assert page.count("parts of the risk") == 8


def test_an_attacked_runs_report_is_a_curve(tmp_path: Path) -> None:
    run = _ranked(tmp_path / "run")
    write_report(run)
    curve = read_curve(run.path)
    assert curve.target == "planted-model/"
    assert [(one.name, one.verified, one.tried) for one in curve.classes] == [
        ("high", 2, 2),
        ("medium", 2, 4),
        ("low", 0, 2),
    ]


def test_a_run_of_before_can_be_read_and_says_so(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run")
    old = run.read(PROMPTS).drop(*PARTS, "template_part", "agreement", "family_id")
    old.write_parquet(run.path / PROMPTS.path)
    assert gather(run).ranking is None
    page = write_report(run).read_text(encoding="utf-8")
    assert "made before prompts had risk classes" in page
    assert json.loads((run.path / "report" / "report.json").read_text())["prompts"][0]["risk_class"] is None
