"""The numbers behind the charts are those of the tables, whatever their number takes the same room."""

from dataclasses import asdict
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.report import gather, spread
from scanner.report._concentration import COPIES, SHARES
from scanner.report._detector_curves import detector_curves
from scanner.report._plotted import BINS, MOST_POINTS, WIDTH
from scanner.run import Run
from scanner.tables import GROUPS, HITS, PROMPTS, TRIAGE
from tests.report.planted import STATES, Plan, make_run, overwrite


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """4 of 8 risk prompts and 1 of 40 controls verified; every image agrees at 0.09."""
    return make_run(tmp_path / "run", Plan(control_hits=1))


def test_distances_end_at_the_verdicts(run: Run) -> None:
    found = gather(run)
    assert found.distances is not None
    risk, control = found.distances.arms
    assert (risk.attacked, risk.agreeing, risk.within.hits) == (7, 4, 4)
    assert (control.attacked, control.agreeing, control.within.hits) == (40, 1, 1)
    assert (risk.within.hits, control.within.hits) == tuple(arm.verified.hits for arm in found.arms)
    at = round(0.09 / WIDTH)
    assert risk.reached == (0,) * (at - 1) + (4,) * (BINS - at + 1)


@pytest.mark.parametrize("state", ["before_training", "empty", "only_errors"])
def test_nothing_attacked_has_no_distances_and_no_curves(tmp_path: Path, state: str) -> None:
    found = gather(make_run(tmp_path / "run", STATES[state]))
    assert found.distances is None
    assert found.detector_curves == ()


def test_a_detectors_curve_meets_the_table_at_the_threshold(run: Run) -> None:
    found = gather(run)
    (curve,) = found.detector_curves
    assert curve.used is not None
    passed = {detector.arm: detector.passed.hits for detector in found.detectors}
    assert (curve.used.score, curve.used.risk, curve.used.control) == (1.5, passed["risk"], passed["control"])
    assert curve.used.verified == curve.verified == 4
    assert [(one.score, one.risk, one.control, one.verified) for one in curve.points] == [
        (2.0, 7, 0, 4),
        (1.0, 8, 40, 4),
    ]
    assert curve.higher == pytest.approx((7 * 40 + 1 * 40 / 2) / (8 * 40))


def test_a_score_that_is_no_number_passes_every_threshold(run: Run) -> None:
    first = pl.col("score") == 2
    overwrite(run, TRIAGE, score=pl.when(first & first.cum_sum().eq(1)).then(float("nan")).otherwise(pl.col("score")))
    (curve,) = gather(run).detector_curves
    assert [(one.score, one.risk, one.control) for one in curve.points] == [(None, 1, 0), (2.0, 7, 0), (1.0, 8, 40)]
    assert curve.used is not None
    assert curve.used.risk == 7


def test_a_hundred_thousand_scores_take_the_room_of_a_few(run: Run) -> None:
    rng = np.random.default_rng(0)
    arms = np.array(["risk", "control"])[rng.integers(0, 2, 100_000)]
    names = [f"{i:016x}" for i in range(100_000)]
    frame = pl.DataFrame({"prompt_id": names, "arm": arms, "hit": False})
    score = rng.normal(size=100_000) + (arms == "risk")
    rows = [
        {"prompt_id": a, "detector": "wen_2024", "score": b, "threshold": 1.0}
        for a, b in zip(names, score, strict=True)
    ]
    TRIAGE.write(run.path, TRIAGE.frame(dict.fromkeys(TRIAGE.columns) | row for row in rows))
    (curve,) = detector_curves(run, frame)
    assert 0.9 * MOST_POINTS <= len(curve.points) <= MOST_POINTS
    assert (curve.points[-1].risk, curve.points[-1].control) == (curve.risk, curve.control)
    x = [one.control / curve.control for one in curve.points]
    y = [one.risk / curve.risk for one in curve.points]
    assert np.trapezoid([0, *y], [0, *x]) == pytest.approx(curve.higher, abs=2e-4)


@given(st.lists(st.integers(0, 30), max_size=60).map(sorted), st.integers(2, 12))
def test_spread_keeps_both_ends_and_lies_evenly(row: list[int], points: int) -> None:
    along = np.array(row, dtype=float)
    kept = spread(along, points)
    if len(row) <= points:
        assert kept.tolist() == list(range(len(row)))
        return
    assert len(kept) <= points
    assert along[kept[0]] == along[0]
    assert along[kept[-1]] == along[-1]
    gap = (along[-1] - along[0]) / (points - 1)
    steps = np.diff(along)
    assert np.diff(along[kept]).max(initial=0) <= gap + steps.max() + 1e-9


def test_captions_are_counted_group_by_group(run: Run) -> None:
    found = gather(run)
    cells = {(cell.copies, cell.share): cell for cell in found.concentration.cells}
    groups = run.read(GROUPS)
    # every second group has one caption on three quarters of its copies (tests.report.planted)
    assert {place: asdict(cell)["groups"] for place, cell in cells.items()} == {
        **{("2–3", "75 % and more"): 1, ("4–7", "all"): 1, ("8–15", "all"): 1, ("8–15", "75 % and more"): 1},
        **{("32–63", "all"): 1, ("32–63", "75 % and more"): 1, ("64–127", "75 % and more"): 1, ("128+", "all"): 1},
    }
    assert sum(cell.groups for cell in cells.values()) == found.concentration.groups == groups.height
    assert sum(cell.returned for cell in cells.values()) + found.concentration.elsewhere == found.behind_hits.groups
    assert (cells["8–15", "all"].tried, cells["8–15", "all"].returned) == (1, 1)
    assert set(SHARES) >= {share for _, share in cells}
    assert set(COPIES) >= {copies for copies, _ in cells}


def test_groups_without_a_caption_are_in_no_cell(run: Run) -> None:
    last = pl.col("group_id") == run.read(GROUPS)["group_id"].max()
    overwrite(run, GROUPS, top_caption=pl.when(last).then(None).otherwise(pl.col("top_caption")))
    found = gather(run).concentration
    assert (found.groups, found.without_caption, found.elsewhere) == (7, 1, 0)


def test_a_group_that_came_back_without_being_tried_stands_apart(run: Run) -> None:
    control = gather(run).hits[-1].prompt_id
    last = run.read(GROUPS)["group_id"].max()
    overwrite(run, HITS, sample_id=pl.when(pl.col("prompt_id") == control).then(last).otherwise(pl.col("sample_id")))
    assert gather(run).concentration.elsewhere == 0, "triage scored its prompt"
    of_it = run.read(PROMPTS).filter(pl.col("group_id") == last)["prompt_id"].implode()
    TRIAGE.write(run.path, run.read(TRIAGE).filter(~pl.col("prompt_id").is_in(of_it)))
    found = gather(run)
    assert found.concentration.elsewhere == 1
    assert sum(cell.returned for cell in found.concentration.cells) + 1 == found.behind_hits.groups == 5


@pytest.mark.parametrize(("share", "place"), [(1.0, "all"), (0.999, "75 % and more"), (0.75, "75 % and more")])
def test_ranges_of_shares(run: Run, share: float, place: str) -> None:
    overwrite(run, GROUPS, top_caption_share=share)
    assert {cell.share for cell in gather(run).concentration.cells} == {place}
