"""Captions over many pictures and near-duplicate captions, in the findings and on the page."""

from pathlib import Path

import polars as pl
import pytest

from scanner.duplicates import count_captions
from scanner.report import gather, write_report
from scanner.report._captions import LISTED_CAPTIONS
from scanner.run import Run
from scanner.tables import CAPTIONS, GROUPS, MEMBERS, SAMPLES
from tests.report.planted import Plan, make_run, sample

BOILERPLATE = "Image may contain: one person, outdoor"


def _with_captions(path: Path, captions: list[str | None]) -> Run:
    """A planted run with further rows, each a picture of its own, under the given captions."""
    run = make_run(path, Plan(attacked=False))
    rows = [sample(5000 + n, 5000 + n, caption, shard="00002") for n, caption in enumerate(captions)]
    SAMPLES.write(run.path, SAMPLES.frame(rows), part="00002")
    counted = count_captions(run.read(SAMPLES), run.read(MEMBERS), run.read(GROUPS))
    CAPTIONS.write(run.path, counted.captions)
    GROUPS.write(run.path, counted.groups)
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    captions: list[str | None] = [*[BOILERPLATE] * 4, BOILERPLATE + " water", *["a <b>logo</b>"] * 2, None]
    return _with_captions(tmp_path_factory.mktemp("runs") / "captions", captions)


def test_captions_are_counted(run: Run) -> None:
    found = gather(run).captions
    assert found is not None
    # 8 captions of groups, 40 of single rows, and the three above, of which one is near another
    assert (found.distinct, found.clusters, found.near, found.shared) == (51, 50, 2, 2)
    most = [(use.caption, use.captions, use.pictures, use.rows, use.exact_pictures) for use in found.most]
    assert most == [(BOILERPLATE, 2, 5, 5, 4), ("a <b>logo</b>", 1, 2, 2, 2)]


def test_groups_say_how_many_captions_are_near(run: Run) -> None:
    assert [(group.near_captions, group.near_top_share) for group in gather(run).groups] == [(1, 1.0)] * 8


def test_the_page_shows_them(run: Run) -> None:
    text = write_report(run).read_text(encoding="utf-8")
    assert 'id="captions"' in text
    assert BOILERPLATE in text
    assert "a &lt;b&gt;logo&lt;/b&gt;" in text
    assert '<data value="5" data-path="captions.most.0.pictures">5</data>' in text


def test_only_the_captions_over_most_pictures_are_listed(tmp_path: Path) -> None:
    names = [f"{a}{b}" for a in "abcdef" for b in "uvwxyz"][: LISTED_CAPTIONS + 5]
    run = _with_captions(tmp_path / "run", [name * 2 for name in names for _ in range(2)])
    found = gather(run).captions
    assert found is not None
    assert (found.shared, len(found.most)) == (LISTED_CAPTIONS + 5, LISTED_CAPTIONS)
    assert "The page lists 20 of 25 captions" in write_report(run).read_text(encoding="utf-8")


def test_without_a_caption_under_two_pictures(tmp_path: Path) -> None:
    assert "No caption stands under two different pictures" in write_report(make_run(tmp_path / "run")).read_text()


def test_without_any_caption(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(copies=(), extracted=(), singles=0, attacked=False))
    assert "No row has a caption" in write_report(run).read_text()


def test_a_run_from_before_captions_were_compared(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(attacked=False))
    (run.path / CAPTIONS.path).unlink()
    groups = run.path / GROUPS.path
    pl.read_parquet(groups).drop("near_captions", "near_top_share").write_parquet(groups)
    found = gather(run)
    assert found.captions is None
    assert {group.near_captions for group in found.groups} == {None}
    assert 'id="captions"' not in write_report(run).read_text(encoding="utf-8")
