"""The drawings are well-formed, hold what they should, and put it in the right place."""

from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.report import rate
from scanner.report._charts import copies_chart, extraction_curve, interval_bar, risk_bar
from scanner.report._findings import CurvePoint
from scanner.report._records import CopiesBucket
from scanner.report.drawn import BOTTOM, TOP


def parsed(svg: str) -> ElementTree.Element:
    return ElementTree.fromstring(svg)


def all_of(svg: str, name: str) -> list[ElementTree.Element]:
    return [element for element in parsed(svg).iter() if element.get("class") == name]


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_interval_bar(counts: tuple[int, int]) -> None:
    value = rate(*counts)
    svg = interval_bar(value, "risk")
    (whisker,), (dot,) = all_of(svg, "whisker"), all_of(svg, "dot")
    assert whisker.get("x1") == f"{100 * value.low:.2f}%"
    assert whisker.get("x2") == f"{100 * value.high:.2f}%"
    assert dot.get("cx") == f"{100 * (counts[0] / counts[1]):.2f}%"


def test_nothing_tried_has_no_dot() -> None:
    assert not all_of(interval_bar(rate(0, 0), "control"), "dot")


def point(label: str, hits: int, tried: int, arm: str = "risk") -> CurvePoint:
    return CurvePoint(
        label=label, arm=arm, prompts=tried, verified=rate(hits, tried), originals=hits, above_control=None
    )


def test_curve_heights() -> None:
    svg = extraction_curve([point("1", 0, 60, "control"), point("2–3", 0, 0), point("128+", 20, 20)])
    dots = all_of(svg, "dot")
    assert [float(dot.get("cy", "")) for dot in dots] == [BOTTOM, TOP], "no dot where nothing was tried"
    assert [dot.get("cx") for dot in dots] == ["16.67%", "83.33%"]
    assert len(all_of(svg, "join")) == 1
    assert "128+ copies: 20 of 20" in parsed(svg).get("aria-label", "")


def test_an_empty_curve_is_an_empty_plot() -> None:
    assert not all_of(extraction_curve([]), "dot")


def test_copies_chart_is_in_proportion() -> None:
    svg = copies_chart([CopiesBucket(label="2–3", groups=10, rows=22), CopiesBucket(label="4–7", groups=5, rows=20)])
    tall, short = (float(column.get("height", "")) for column in all_of(svg, "column"))
    assert tall == pytest.approx(2 * short, abs=0.2)


def test_labels_are_escaped() -> None:
    svg = extraction_curve([point('<script>"', 1, 2, '"><script>')])
    assert not [element for element in parsed(svg).iter() if element.tag == "script"]


@pytest.mark.parametrize(("risk", "width"), [(0.5, "50.00%"), (-1, "0.00%"), (7, "100.00%")])
def test_risk_bar_stays_in_its_frame(risk: float, width: str) -> None:
    (fill,) = all_of(risk_bar(risk), "fill")
    assert fill.get("width") == width
