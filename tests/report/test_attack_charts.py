"""The charts of scores, distances and captions put each number in its place, and say it in words."""

from dataclasses import replace
from pathlib import Path

import pytest

from scanner.report import gather, rate, write_report
from scanner.report._attack_charts import LEFT, caption_chart, detector_chart, distance_chart
from scanner.report._concentration import COPIES
from scanner.report._plotted import (
    ArmDistances,
    CaptionCell,
    Concentration,
    DetectorCurve,
    Distances,
    ScorePoint,
)
from scanner.report.drawn import BOTTOM, TOP, WIDE
from tests.report.page import Page
from tests.report.planted import STATES, Plan, make_run, originals
from tests.report.test_charts import all_of, parsed


def points(svg: str, name: str) -> list[tuple[float, float]]:
    """A curve's points as shares of the width and the height of the plot."""
    (curve,) = all_of(svg, name)
    pairs = [point.split(",") for point in curve.get("points", "").split()]
    return [(round(float(x) / WIDE, 3), round((BOTTOM - float(y)) / (BOTTOM - TOP), 3)) for x, y in pairs]


def curve(used: ScorePoint | None) -> DetectorCurve:
    at = ((3.0, 4, 0, 3), (2.0, 6, 5, 4), (1.0, 8, 10, 4))
    return DetectorCurve(
        detector="wen <b>",
        risk=8,
        control=10,
        verified=4,
        higher=0.8,
        used=used,
        points=tuple(ScorePoint(score=s, risk=r, control=c, verified=v) for s, r, c, v in at),
    )


def test_a_detectors_lines_go_through_their_shares() -> None:
    svg = detector_chart(curve(ScorePoint(score=2.0, risk=4, control=0, verified=3)))
    assert points(svg, "risk") == [(0, 0), (0, 0.5), (0.5, 0.75), (1, 1)]
    assert points(svg, "verified") == [(0, 0), (0, 0.75), (0, 0.75)], "ends at the threshold"
    (dot,) = all_of(svg, "dot")
    assert (dot.get("cx"), float(dot.get("cy", ""))) == (f"{100 * LEFT:.2f}%", (TOP + BOTTOM) / 2)
    label = parsed(svg).get("aria-label", "")
    assert "4 of 8 high-risk prompts and 0 of 10 control prompts" in label
    assert "wen <b>" in label


def test_without_a_threshold_there_is_no_dot_and_the_whole_line() -> None:
    svg = detector_chart(curve(None))
    assert not all_of(svg, "dot")
    assert points(svg, "verified")[-1] == (1, 1)


def test_without_a_hit_there_is_no_line_of_hits() -> None:
    assert not all_of(detector_chart(replace(curve(None), verified=0)), "verified")


def test_distances_climb_at_the_ends_of_their_bins() -> None:
    arms = (
        ArmDistances(arm="risk", attacked=4, agreeing=3, within=rate(2, 4), reached=(0, 2, 2, 3)),
        ArmDistances(arm="control", attacked=10, agreeing=1, within=rate(0, 10), reached=(0, 0, 0, 1)),
    )
    svg = distance_chart(Distances(width=0.05, threshold=0.1, arms=arms))
    assert points(svg, "risk") == [(0, 0), (0.25, 0), (0.5, 0.5), (0.75, 0.5), (1, 0.75)]
    assert points(svg, "control")[-1] == (1, 0.1)
    (threshold,) = all_of(svg, "threshold")
    assert threshold.get("x1") == f"{100 * (LEFT + (1 - LEFT) / 2):.2f}%"
    assert "high-risk prompts: 2 of 4 attacked within" in parsed(svg).get("aria-label", "")


def test_an_arm_that_was_not_attacked_has_no_line() -> None:
    arms = (ArmDistances(arm="risk", attacked=0, agreeing=0, within=rate(0, 0), reached=(0, 0)),)
    assert not all_of(distance_chart(Distances(width=0.1, threshold=None, arms=arms)), "risk")


def test_areas_of_discs_are_in_proportion() -> None:
    cells = (
        CaptionCell(copies="2–3", share="all", groups=40, tried=0, returned=0),
        CaptionCell(copies="128+", share="less than 25 %", groups=10, tried=10, returned=10),
    )
    svg = caption_chart(Concentration(groups=50, without_caption=0, elsewhere=0, cells=cells))
    large, small = all_of(svg, "all")
    assert float(large.get("r", "")) == pytest.approx(2 * float(small.get("r", "")), abs=0.1)
    assert (len(all_of(svg, "tried")), len(all_of(svg, "returned"))) == (1, 1)
    assert [element.text for element in all_of(svg, "count")] == ["40", "10/10"]
    assert float(small.get("cx", "").rstrip("%")) > float(large.get("cx", "").rstrip("%"))
    assert len(all_of(svg, "label")) == len(COPIES)
    assert "128+ copies, one caption on less than 25 %: 10 groups, 10 tried, 10 of them came back" in (
        parsed(svg).get("aria-label", "")
    )


@pytest.mark.parametrize("state", STATES)
def test_the_page_has_what_there_is_to_draw(tmp_path: Path, state: str) -> None:
    run = make_run(tmp_path / "run", STATES[state])
    found = gather(run)
    page = Page(write_report(run, originals))
    ids = page.ids()
    assert ("distances" in ids) is found.attacked
    assert ("detector-curves" in ids) is bool(found.detectors)
    assert len(ids) == len(set(ids))
    drawn = [one.get("aria-label") or "" for one in page.all("svg") if one.get("role") == "img"]
    assert any("by copies and by the share" in one for one in drawn) is bool(found.groups)


def test_the_thresholds_stand_together(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan())
    recorded = run.manifest()["parts"]["attack"] | {"template_threshold": {"value": 0.11, "ceiling": 0.12}}
    run.finish("attack", recorded)
    figures = {path: shown for path, _, shown in Page(write_report(run, originals)).figures}
    assert figures["thresholds.normalised_l2"] == "0.120"
    assert figures["thresholds.template_l2"] == "0.110"
    assert figures["thresholds.masked_share"] == "0.350"
