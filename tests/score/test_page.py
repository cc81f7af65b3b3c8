"""The page of a score: self-contained, escaped, and of the same figures as score.json and the tables of its curves."""

import json
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from scanner.report import drawn
from scanner.run import Run
from scanner.score import PAGE, Scored, read_truth, score, write_score
from scanner.score._charts import MOST_POINTS, detector_roc, precision_chart, roc_chart
from scanner.tables import HITS
from tests.report.page import Page
from tests.report.test_charts import all_of, parsed
from tests.score.planted import make_run, make_truth

NAMES = ("somewhere/<b>truth.parquet", "somewhere/RUN")


def with_scores(run: Run) -> Run:
    """The run with a distance of each attacked prompt; the last has none."""
    hits = run.read(HITS)
    distances = [0.02 * (i + 1) for i in range(hits.height - 1)]
    HITS.write(run.path, hits.with_columns(normalised_l2=pl.Series([*distances, None], dtype=pl.Float64)))
    return run


@pytest.fixture
def scored(tmp_path: Path) -> Scored:
    run = with_scores(make_run(tmp_path / "run"))
    return score(run, read_truth(make_truth(tmp_path / "truth.parquet")), names=NAMES)


def points_of(svg: str, name: str) -> list[tuple[float, float]]:
    """A curve as shares of the width and the height of its plot."""
    pairs = [point.split(",") for point in all_of(svg, name)[0].get("points", "").split()]
    height = drawn.BOTTOM - drawn.TOP
    return [(float(x) / drawn.WIDE, (drawn.BOTTOM - float(y)) / height) for x, y in pairs]


@pytest.mark.parametrize("attacked", [True, False])
def test_the_page_needs_nothing_else_and_shows_the_figures(tmp_path: Path, attacked: bool) -> None:
    run = make_run(tmp_path / "run", attacked=attacked)
    run = with_scores(run) if attacked else run
    scored = score(run, read_truth(make_truth(tmp_path / "truth.parquet")), names=NAMES)
    written = write_score(scored, tmp_path)
    path = written.with_name(PAGE)
    page, found, text = Page(path), json.loads(written.read_text()), path.read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="(?!#)', text)
    assert any("default-src 'none'" in str(attributes.get("content")) for attributes in page.all("meta"))
    assert "<b>truth" not in text
    assert "<b>truth.parquet" in page.text
    assert "somewhere" not in page.text
    assert len(page.ids()) == len(set(page.ids()))
    assert {str(link["href"])[1:] for link in page.all("a")} <= set(page.ids())
    for place, value, _ in page.figures:
        there = found
        for part in place.split("."):
            there = there[int(part)] if part.isdigit() else there[part]
        assert value == ("" if there is None else str(there)), place
    assert found["headline"] in page.text.replace("\u00a0", " ")
    charts = [one for one in page.all("svg") if one.get("class") == "chart"]
    assert len(charts) == (2 * len(found["curves"]) + len({one["detector"] for one in found["detectors"]}))
    assert all(one.get("aria-label") for one in charts)
    assert bool(charts) is attacked


def test_the_same_score_gives_the_same_page(scored: Scored, tmp_path: Path) -> None:
    one, other = (write_score(scored, tmp_path / name).with_name(PAGE).read_bytes() for name in "ab")
    assert one == other


def test_detectors_points_are_their_roc(scored: Scored) -> None:
    for one in scored.score.detectors:
        of_it = scored.detector_points.filter(
            pl.col("detector") == one.detector, pl.col("positives_are") == one.positives_are
        )
        x, y = (np.concatenate([[0], of_it[name].to_numpy(), [1]]) for name in ("false_positive_rate", "recall"))
        assert np.trapezoid(y, x) == pytest.approx(one.auc)
        assert of_it["positives"].to_list() == [one.positives] * of_it.height


def test_curves_are_drawn_through_their_points(scored: Scored) -> None:
    agreeing = next(one for one in scored.score.curves)
    table = scored.points.filter(pl.col("score") == agreeing.score)
    roc = points_of(roc_chart(table, agreeing), "risk")
    expected = [(0.0, 0.0), *table.select("false_positive_rate", "recall").iter_rows()]
    assert np.allclose(roc, expected, atol=2e-3)
    steps = points_of(precision_chart(table, agreeing), "risk")
    area = sum((b[0] - a[0]) * a[1] for a, b in zip(steps[::2], steps[1::2], strict=True))
    assert area == pytest.approx(agreeing.average_precision, abs=5e-3), "the area is the average precision"


def test_many_thresholds_are_drawn_through_some(scored: Scored) -> None:
    rng = np.random.default_rng(0)
    passed = np.sort(rng.integers(0, 50_000, (2, 50_000)), axis=1)
    table = pl.DataFrame({"recall": passed[0] / 50_000, "false_positive_rate": passed[1] / 50_000})
    table = table.with_columns(precision=table["recall"] / (table["recall"] + table["false_positive_rate"] + 1e-9))
    curve = scored.score.curves[0]
    assert len(points_of(roc_chart(table, curve), "risk")) <= MOST_POINTS + 1
    assert len(precision_chart(table, curve)) < 20_000


def test_prompts_without_the_score_are_joined_to_the_corner(scored: Scored) -> None:
    curve = scored.score.curves[0]
    table = pl.DataFrame({"recall": [0.5, 0.8], "false_positive_rate": [0.0, 0.1], "precision": [1.0, 0.9]})
    assert points_of(roc_chart(table, curve), "rest")[-1] == (1, 1)
    whole = table.with_columns(recall=pl.Series([0.5, 1.0]), false_positive_rate=pl.Series([0.0, 1.0]))
    assert not all_of(roc_chart(whole, curve), "rest")


def test_a_curve_of_nothing_is_an_empty_plot(scored: Scored) -> None:
    curve = replace(scored.score.curves[0], threshold=None, auc=None, average_precision=None)
    nothing = scored.points.clear()
    for chart in (roc_chart(nothing, curve), precision_chart(nothing, curve)):
        assert "not known" in parsed(chart).get("aria-label", "")
    assert not all_of(roc_chart(nothing, curve), "rest")
    assert parsed(detector_roc(scored.detector_points.clear(), scored.score.detectors[:1])) is not None
