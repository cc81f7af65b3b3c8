"""Unique hits beside hits, the control arm as the floor of the curve, and k over the hits."""

import polars as pl
import pytest

from scanner.intervals import exact_interval
from scanner.report import gather, write_report
from scanner.report._eidetic import count_k
from scanner.run import Run
from scanner.tables import HITS
from tests.report.page import Page
from tests.report.planted import Plan, make_run, overwrite, prompt_id

COPIES = (*(16 for _ in range(12)), *(4 for _ in range(6)))


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Twelve groups of 16 and six of 4 copies; eleven of the first come back, two of them as one and the same."""
    path = tmp_path_factory.mktemp("runs") / "run"
    run = make_run(path, Plan(copies=COPIES, extracted=(*range(11), 12), singles=60, control_hits=1))
    second = prompt_id("a framed print of picture 1, studio light")
    shown = pl.when(pl.col("prompt_id") == second).then(0).otherwise(pl.col("sample_id"))
    k = pl.when(pl.col("verdict") == "matching").then(pl.int_range(pl.len()) % 5).otherwise(pl.col("k"))
    overwrite(run, HITS, sample_id=shown, k=k)
    return run


def test_unique_hits_stand_beside_hits(run: Run) -> None:
    points = {(point.label, point.arm): point for point in gather(run).curve}
    many, few, control = points["16–31", "risk"], points["4–7", "risk"], points["1", "control"]
    assert (many.verified.hits, many.verified.tried, many.originals) == (11, 12, 10)
    assert (few.verified.hits, few.verified.tried, few.originals) == (1, 6, 1)
    assert (control.verified.hits, control.originals) == (1, 1)


def test_the_control_arm_is_the_floor(run: Run) -> None:
    points = {(point.label, point.arm): point for point in gather(run).curve}
    _, floor = exact_interval(pl.Series([1]).to_numpy(), 60)
    assert points["1", "control"].verified.high == floor[0]
    assert points["16–31", "risk"].above_control is True
    assert points["4–7", "risk"].above_control is False
    assert points["1", "control"].above_control is None


def test_k_of_the_hits(run: Run) -> None:
    hits = run.read(HITS).filter(pl.col("verdict") == "matching")
    found = gather(run).eidetic
    assert found is not None
    assert found.hits == hits.height == 13
    assert (found.smallest, found.largest) == (hits["k"].min(), hits["k"].max())
    assert sum(part.hits for part in found.ranges) == 13
    low = next(part for part in found.ranges if part.label == "2–3")
    assert low.hits == hits.filter(pl.col("k").is_in([2, 3])).height


def test_ranges_of_k() -> None:
    found = count_k(pl.DataFrame({"k": [0, 1, 2, 3, 130, None], "original": [5, 5, 9, 9, 7, 7]}))
    assert found is not None
    assert [(part.label, part.hits, part.originals) for part in found.ranges] == [
        ("0", 1, 1),
        ("1", 1, 1),
        ("2–3", 2, 1),
        ("128+", 1, 1),
    ]
    assert (found.hits, found.smallest, found.median, found.largest) == (5, 0, 2, 130)
    assert count_k(pl.DataFrame({"k": [None], "original": [1]}, schema={"k": pl.Int64, "original": pl.Int64})) is None


def test_the_page_shows_all_three(run: Run) -> None:
    page = Page(write_report(run))
    shown = {path: text for path, _, text in page.figures}
    at = [point.label for point in gather(run).curve].index("16–31")
    assert shown[f"curve.{at}.originals"] == "10"
    assert "wholly above the control arm's" in page.text
    assert "how many training rows a hit rests on" in page.text
    floors = [attributes for tag, attributes in page.elements if tag == "rect" and attributes.get("class") == "floor"]
    assert len(floors) == 1
