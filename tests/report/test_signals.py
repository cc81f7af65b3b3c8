"""Signals in the report: each value with its source and its rows, hostile values as text, old runs as they are."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from scanner.report import gather, write_report
from scanner.run import Run
from scanner.tables import ERRORS, MEMBERS, SAMPLES, SIGNALS
from tests.report.page import Page
from tests.report.planted import Plan, make_run, originals

PLAN = Plan(copies=(8, 4, 2), extracted=(0,), singles=6, control_hits=1, errors=2)
SINGLE = 14
"""The control that came back: a row in no group."""
SCRIPT = "<script>alert(1)</script>\u202e{{ 7 * 7 }}"


def signal(sample_id: int, kind: str, source: str, value: str, whole: int | None = None) -> dict[str, object]:
    return {"sample_id": sample_id, "kind": kind, "source": source, "value": value, "whole": whole, "detail": None}


ROWS = [
    *(signal(i, "licence", "column LICENSE", "CC0" if i < 5 else f"licence {i}") for i in range(8)),
    *(signal(i, "nsfw", "column punsafe", f"0.{i + 1}") for i in range(8)),
    signal(0, "copyright", "EXIF Copyright", SCRIPT, 9_000),
    signal(8, "nsfw", "column punsafe", "0.5"),
    signal(8, "nsfw", "column NSFW", "UNSURE"),
    signal(SINGLE, "creator", "XMP dc:creator", "A. Painter"),
]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    run = make_run(tmp_path_factory.mktemp("runs") / "run", PLAN)
    SIGNALS.write(run.path, SIGNALS.frame(ROWS), part="00000")
    hosts = pl.when(pl.col("sample_id") < 3).then(pl.lit("https://Other.example/a.png")).otherwise(pl.col("url"))
    SAMPLES.write(run.path, run.read(SAMPLES).with_columns(url=hosts), part="00000")
    message = "img2dataset: Use of image disallowed by X-Robots-Tag directive"
    errors = run.read(ERRORS)
    ERRORS.write(run.path, errors.with_columns(message=pl.Series([message, *errors["message"][1:]])))
    return run


def plain(signals):
    return [(one.kind, one.source, one.value, one.rows, one.others) for one in signals]


def test_a_group_says_what_its_rows_say(run: Run) -> None:
    groups = {group.group_id: group for group in gather(run).groups}
    assert plain(groups[0].signals) == [
        ("licence", "column LICENSE", "CC0", 5, 1),
        ("licence", "column LICENSE", "licence 5", 1, 1),
        ("licence", "column LICENSE", "licence 6", 1, 1),
        ("copyright", "EXIF Copyright", SCRIPT, 1, 0),
        ("host", "url", "example.org", 5, 0),
        ("host", "url", "other.example", 3, 0),
        ("nsfw", "column punsafe", "0.1 to 0.8", 8, 0),
    ]
    assert plain(groups[8].signals) == [
        ("host", "url", "example.org", 4, 0),
        ("nsfw", "column NSFW", "UNSURE", 1, 0),
        ("nsfw", "column punsafe", "0.5", 1, 0),
    ]
    assert [one.name for one in groups[0].signals][:4] == ["licence", "licence", "licence", "copyright"]


def test_a_hit_says_what_its_group_or_its_row_says(run: Run) -> None:
    risk, control = gather(run).hits
    assert risk.group_id == 0
    assert plain(risk.signals) == plain(gather(run).groups[0].signals)
    assert control.original is not None
    assert control.original.sample_id == SINGLE
    assert plain(control.signals) == [
        ("creator", "XMP dc:creator", "A. Painter", 1, 0),
        ("host", "url", "example.org", 1, 0),
    ]


def test_kinds_are_counted_over_groups_alone(run: Run) -> None:
    signals = gather(run).signals
    assert signals.recorded
    assert signals.refused == 1
    assert [(one.kind, one.groups, one.rows) for one in signals.by_kind] == [
        ("licence", 1, 8),
        ("copyright", 1, 1),
        ("nsfw", 2, 9),
    ]


def test_the_page_shows_a_strangers_value_as_text(run: Run) -> None:
    path = write_report(run, originals)
    page = Page(path)
    assert "<script>alert(1)</script>⟨U+202E⟩{{ 7 * 7 }}" in page.text
    assert len(page.scripts) == 1
    assert "the first 300 of 9,000 characters" in page.text
    assert "5 of 8 rows; 1 other value not shown" in page.text
    assert "1 row is not in the run since the server's X-Robots-Tag refused this use" in page.text
    stored = json.loads(path.with_name("report.json").read_text())
    assert stored["hits"][0]["signals"][3]["value"] == SCRIPT
    assert stored["signals"]["recorded"] is True


def test_a_run_of_before_shows_hosts_and_says_so(tmp_path: Path, run: Run) -> None:
    shutil.copytree(run.path, tmp_path / "old")
    shutil.rmtree(tmp_path / "old" / "signals")
    old = Run.open(tmp_path / "old")
    found = gather(old)
    assert (found.signals.recorded, found.signals.by_kind) == (False, ())
    assert {one.kind for group in found.groups for one in group.signals} == {"host"}
    assert "were not recorded in this run" in Page(write_report(old)).text


def test_a_run_without_groups_says_nothing(tmp_path: Path) -> None:
    run = make_run(tmp_path / "none", Plan(copies=(2,), extracted=(), singles=3, attacked=False))
    MEMBERS.write(run.path, MEMBERS.empty())
    SIGNALS.write(run.path, SIGNALS.empty(), part="00000")
    assert gather(run).signals.recorded
    assert gather(run).signals.by_kind == ()
