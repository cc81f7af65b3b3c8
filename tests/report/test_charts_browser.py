"""The charts in Chromium, on a phone and a wide screen: nothing is wider than the window, no label leaves its drawing,
and labels of one axis do not lie on one another."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from scanner.report import write_report
from scanner.run import Run
from scanner.score import PAGE, read_truth, score, write_score
from tests.report.planted import Plan, make_run, originals
from tests.score.planted import make_run as make_scored_run
from tests.score.planted import make_truth

pytestmark = pytest.mark.browser

BOXES = """
[...document.querySelectorAll('svg.chart')].map(chart => ({
  chart: chart.getBoundingClientRect().toJSON(),
  texts: [...chart.querySelectorAll('text')]
    .map(text => ({kind: text.getAttribute('class'), words: text.textContent, box: text.getBoundingClientRect()}))
    .filter(text => text.box.width).map(text => ({...text, ...text.box.toJSON(), box: null})),
}))
"""


def report_page(folder: Path) -> Path:
    plan = Plan(copies=(130, 64, 33, 32, 9, 8, 4, 2, 2, 2), control_hits=1)
    return write_report(make_run(folder / "run", plan), originals)


def score_page(folder: Path) -> Path:
    run: Run = make_scored_run(folder / "run")
    scored = score(run, read_truth(make_truth(folder / "truth.parquet")), names=("truth.parquet", "RUN"))
    return write_score(scored, folder).with_name(PAGE)


@pytest.mark.parametrize("made", [report_page, score_page])
@pytest.mark.parametrize("width", [390, 1280])
def test_labels_stay_in_their_drawings(chromium: Any, tmp_path: Path, made: Any, width: int) -> None:
    page = chromium.new_page(viewport={"width": width, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.goto(made(tmp_path).as_uri())
    assert said == [], "the content security policy is kept"
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    charts = page.evaluate(BOXES)
    assert charts
    for one in charts:
        box = one["chart"]
        assert box["right"] <= width
        for text in one["texts"]:
            assert text["left"] >= box["left"] - 12, text["words"]
            assert text["right"] <= box["right"] + 12, text["words"]
        labels = sorted((t for t in one["texts"] if t["kind"].startswith("label")), key=lambda t: t["left"])
        for first, second in pairwise(labels):
            assert first["right"] <= second["left"] or first["bottom"] <= second["top"], (first, second)
    page.close()
