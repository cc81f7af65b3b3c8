"""What a blurred page keeps: pictures of which the data of any copy say faces, a person or NSFW; and what it says."""

from pathlib import Path

import pytest

from scanner.report import gather, write_report
from scanner.report._pictures import MANY, QUALITY, QUALITY_OF_MANY, Gallery, collect
from scanner.report._sensitive import sensitive
from scanner.report._write import SHOWN_HITS, _shown
from scanner.run import Run
from scanner.tables import SIGNALS
from tests.report.page import Page
from tests.report.planted import Plan, make_run, originals

PLAN = Plan(copies=(4, 3, 2), extracted=(0, 1), singles=12)
"""Rows 0 to 3 are a group, 4 to 6, 7 and 8; from 9 on they stand once."""


def run_with(path: Path, *said: tuple[int, str, str]) -> Run:
    run = make_run(path, PLAN)
    rows = [
        {"sample_id": row, "kind": kind, "source": f"source {i}", "value": value, "whole": None, "detail": None}
        for i, (row, kind, value) in enumerate(said)
    ]
    SIGNALS.write(run.path, SIGNALS.frame(rows), part="00000")
    return run


@pytest.mark.parametrize(
    ("kind", "value", "counts"),
    [
        ("faces", "2", True), ("faces", "0", False), ("faces", "two", True), ("person", "Ada", True),
        ("nsfw", "0.1", True), ("nsfw", "0.09", False), ("nsfw", "1e-3", False), ("nsfw", "NSFW", True),
        ("nsfw", "UNSURE", True), ("nsfw", "UNLIKELY", False), ("nsfw", "false", False), ("nsfw", "0.1; 0.9", True),
        ("licence", "NSFW", False), ("watermark", "0.9", False),
    ],
)  # fmt: skip
def test_what_counts(tmp_path: Path, kind: str, value: str, counts: bool) -> None:
    run = run_with(tmp_path / "run", (10, kind, value))
    assert sensitive(run, {0, 4, 9, 10, 11}) == ({10} if counts else set())


def test_what_one_copy_says_all_copies_show(tmp_path: Path) -> None:
    run = run_with(tmp_path / "run", (3, "faces", "1"), (6, "nsfw", "UNLIKELY"))
    assert sensitive(run, {0, 1, 4, 5, 12}) == {0, 1}
    assert sensitive(run, set()) == set()


def test_a_run_without_signals_has_none(tmp_path: Path) -> None:
    assert sensitive(make_run(tmp_path / "run", PLAN), {0, 4, 9}) == set()


def gallery(run: Run, *, blur: bool) -> Gallery:
    return collect(run, gather(run), originals, blur=blur)


def test_generations_of_a_sensitive_picture_are_sensitive(tmp_path: Path) -> None:
    run = run_with(tmp_path / "run", (3, "faces", "1"))
    first, second = gather(run).hits
    made = gallery(run, blur=True).generations
    assert {name[0] for name, picture in made.items() if picture.sensitive} == {first.prompt_id}
    assert {name[0] for name, picture in made.items() if not picture.sensitive} == {second.prompt_id}
    assert not any(picture.sensitive for picture in gallery(run, blur=False).generations.values())


def test_the_page_says_what_it_blurs(tmp_path: Path) -> None:
    run = run_with(tmp_path / "run", (3, "faces", "1"))
    assert "blurred" not in Page(write_report(run)).text
    page = Page(write_report(run, blur=True))
    assert page.all("html")[0]["class"] == "no-js blurred"
    assert "All pictures are blurred" in page.text
    assert "Of 2 rows shown here the data say" in page.text, "the medoid and the copy with other pixels"
    assert "which does not make them harmless" in Page(write_report(make_run(tmp_path / "b", PLAN), blur=True)).text


def test_many_pictures_are_kept_smaller(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = make_run(tmp_path / "run", PLAN)
    before = gallery(run, blur=False)
    monkeypatch.setattr("scanner.report._pictures.MANY", 3)
    after = gallery(run, blur=False)
    assert QUALITY_OF_MANY < QUALITY
    assert MANY > 3
    assert all(len(after.samples[sample].uri) < len(before.samples[sample].uri) for sample in before.samples)
    assert before.thumbnails == after.thumbnails


def test_with_many_hits_each_shows_fewer_generations(tmp_path: Path) -> None:
    hit = gather(make_run(tmp_path / "run")).hits[0]
    assert len(hit.generations) == 4
    assert [len(one.generations) for one in _shown([hit])] == [4]
    many = _shown([hit] * 500)
    assert len(many) == SHOWN_HITS
    assert {len(one.generations) for one in many} == {2}
    assert many[0].generations == hit.generations[:2], "the nearest"
