"""The figures of every file, computed here from the tables alone, without any code of the report."""

import csv
import io
import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from scipy.stats import binomtest

from scanner.report import write_report
from scanner.run import Run
from scanner.tables import CANDIDATES, ERRORS, GROUPS, HITS, PROMPTS, SAMPLES, TRIAGE, VERIFIED
from tests.report.page import Page
from tests.report.planted import STATES, Plan, classed, make_run

ARMS = ("risk", "control")
MORE = {"many_hits": Plan(copies=(2,) * 212, extracted=tuple(range(210)), singles=120, control_hits=2)}


def percent(share: float) -> str:
    """As people read it in the files: one decimal, two digits below 1 %."""
    value = 100 * share
    return f"{value:.0f}" if value in (0, 100) else f"{value:.1f}" if value >= 1 else f"{value:.2g}"


def interval(hits: int, tried: int) -> tuple[float, float]:
    """Clopper and Pearson's, by scipy's own test."""
    found = binomtest(hits, tried).proportion_ci(0.95, method="exact")
    return float(found.low), float(found.high)


def from_tables(run: Run) -> dict[str, Any]:
    """What the files must say, counted in the tables."""
    samples, errors, groups, prompts, hits = (run.read(table) for table in (SAMPLES, ERRORS, GROUPS, PROMPTS, HITS))
    touched = set(run.read(CANDIDATES)["prompt_id"]) | set(run.read(TRIAGE)["prompt_id"])
    verified = hits.filter(pl.col("verdict").is_in(VERIFIED)).join(prompts.select("prompt_id", "arm"), on="prompt_id")
    return {
        "read": samples.height,
        "failed": errors.height,
        "groups": groups.height,
        "duplicated": int(groups["copies"].sum()),
        "largest": int(groups["copies"].max() or 0),
        "high": prompts.filter(pl.col("risk_class") == "high").height,
        "hits": set(verified["prompt_id"]),
        "l2": dict(verified.select("prompt_id", "normalised_l2").iter_rows()),
        "arms": {
            arm: (
                verified.filter(pl.col("arm") == arm).height,
                sum(one in touched for one in prompts.filter(pl.col("arm") == arm)["prompt_id"]),
            )
            for arm in ("risk", "control")
        },
    }


def charts_agree(run: Run, report: dict[str, Any]) -> None:
    """What the charts are drawn from, counted in the tables."""
    prompts, triage, hits, groups = (run.read(table) for table in (PROMPTS, TRIAGE, HITS, GROUPS))
    arms = dict(prompts.select("prompt_id", "arm").iter_rows())
    verified = set(hits.filter(pl.col("verdict").is_in(VERIFIED))["prompt_id"])
    scores = {arm: [s for p, s in triage.select("prompt_id", "score").iter_rows() if arms[p] == arm] for arm in ARMS}
    for curve in report["detector_curves"]:
        for point in [*curve["points"], curve["used"]]:
            strict = point is curve["used"]
            for arm in ARMS:
                above = sum(s > point["score"] or (s == point["score"] and not strict) for s in scores[arm])
                assert point[arm] == above
        assert curve["verified"] == sum(arms[one] == "risk" for one in verified)
    for arm in report["distances"]["arms"] if report["distances"] else ():
        assert arm["within"]["hits"] == sum(arms[one] == arm["arm"] for one in verified)
        assert arm["reached"] == sorted(arm["reached"])
        assert arm["reached"][-1] == arm["agreeing"]
    of_cells = report["concentration"]["cells"] if report["concentration"] else []
    labels = {bucket["label"]: bucket["groups"] for bucket in report["duplicates"]["buckets"]}
    for label in {cell["copies"] for cell in of_cells}:
        assert sum(cell["groups"] for cell in of_cells if cell["copies"] == label) == labels[label]
    whole = groups.filter(pl.col("top_caption_share") == 1).height
    assert sum(cell["groups"] for cell in of_cells if cell["share"] == "all") == whole


@pytest.mark.parametrize("state", [*STATES, *MORE])
def test_all_files_say_what_the_tables_hold(tmp_path: Path, state: str) -> None:
    run = classed(make_run(tmp_path / "run", (STATES | MORE)[state]))
    folder = write_report(run).parent
    true = from_tables(run)
    texts = {file.name: file.read_text(encoding="utf-8") for file in folder.iterdir()}
    report, sarif = json.loads(texts["report.json"]), json.loads(texts["results.sarif"])["runs"][0]
    attacked = bool(run.part_config("attack"))

    figures = {path: value for path, value, _ in Page(folder / "index.html").figures}
    assert figures["rows.read"] == str(true["read"])
    assert report["rows"]["rows_in"] == sarif["properties"]["rows"]["rows_in"] == true["read"] + true["failed"]
    duplicates = report["duplicates"]
    assert (duplicates["groups"], duplicates["rows"], duplicates["largest"]) == (
        true["groups"],
        true["duplicated"],
        true["largest"],
    )
    assert sarif["properties"]["duplicate_rows"] == true["duplicated"]
    rules = [result["ruleId"] for result in sarif["results"]]
    assert rules.count("risk/high-risk-prompt") == true["high"]
    assert rules.count("duplicates/near-duplicate-group") == min(true["groups"], 200)
    found = {
        result["partialFingerprints"]["prompt/v1"]: result["properties"]["normalised_l2"]
        for result in sarif["results"]
        if result["ruleId"].startswith("extraction/")
    }
    rows = list(csv.DictReader(io.StringIO(texts["hits.csv"], newline="")))
    assert found == true["l2"] == {row["prompt_id"]: float(row["normalised_l2"]) for row in rows}
    assert [hit["prompt_id"] for hit in report["hits"]] == [row["prompt_id"] for row in rows]

    charts_agree(run, report)

    written = ("summary.md", "dataset-card.md", "croissant-rai.json")
    for name in written:
        assert f"{true['read']:,} read" in texts[name], name
        assert f"{true['failed']:,}" in texts[name], name
        if true["groups"] or name == "summary.md":
            assert f"{true['groups']:,} duplicate group" in texts[name], name
            assert f"{true['duplicated']:,}" in texts[name], name
    for number, (arm, (hits, tried)) in enumerate(true["arms"].items()):
        rate = report["arms"][number]["verified"]
        assert (rate["hits"], rate["tried"]) == (hits, tried)
        assert (f"verified_{arm}" in sarif["properties"]) is attacked
        if not attacked or not tried:
            continue
        low, high = interval(hits, tried)
        assert rate["low"] == pytest.approx(low, abs=1e-12)
        assert rate["high"] == pytest.approx(high, abs=1e-12)
        assert sarif["properties"][f"verified_{arm}"] == rate
        assert figures[f"arms.{number}.verified.hits"] == str(hits)
        shown = f"{percent(low)} to {percent(high)} %"
        named = {"risk": "high-risk prompts", "control": "control prompts"}[arm]
        assert f"| verified, {named} tried | {hits:,} of {tried:,} |" in texts["summary.md"]
        for name in ("dataset-card.md", "croissant-rai.json"):
            assert f"{hits:,} of {tried:,} {named} (exact 95 % interval {shown})" in texts[name], name
        for name in written:
            assert f"{hits:,} of {tried:,}" in texts[name], name
            assert shown in texts[name].replace("&gt;", ">"), name
