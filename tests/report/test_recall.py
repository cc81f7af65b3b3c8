"""What the search missed, in the findings and on the page."""

from pathlib import Path

import pytest

from scanner.report import Rate, clopper_pearson, gather, recall_words, write_report
from tests.report.page import Page
from tests.report.planted import RECALL, Plan, make_run

NO_PAIR = RECALL | {"pairs": 0, "found": 0, "recall": None, "with_neighbours": 0, "complete": 0, "low": 0, "high": 1}


def test_the_counts_are_the_manifests_and_the_interval_is_exact(tmp_path: Path) -> None:
    found = gather(make_run(tmp_path / "run")).recall
    assert found is not None
    assert (found.rows, found.pairs, found.found, found.share) == (56, 40, 38, 0.95)
    low, high = clopper_pearson(15, 16)
    assert found.whole == Rate(hits=15, tried=16, share=15 / 16, low=low, high=high)
    assert recall_words(found) == (
        "38 of 40 true pairs found (95.0 %); all of theirs for 15 of 16 drawn (exact 95 % interval 69.8 to 99.8 %)"
    )


def test_the_page_shows_every_figure_of_it(tmp_path: Path) -> None:
    page = Page(write_report(make_run(tmp_path / "run")))
    shown = {path: text for path, _, text in page.figures if path.startswith("recall.")}
    assert shown == {
        "recall.rows": "56",
        "recall.pairs": "40",
        "recall.found": "38",
        "recall.share": "95.0\u00a0%",
        "recall.whole.tried": "16",
        "recall.whole.hits": "15",
        "recall.whole.share": "93.8\u00a0%",
        "recall.whole.low": "69.8",
        "recall.whole.high": "99.8\u00a0%",
    }
    assert "56 different pictures of the data set, drawn at random" in page.text
    assert "Of 40 true pairs in a random sample the search found 38" in page.text


@pytest.mark.parametrize(("copies", "words"), [((4, 2), "exact copies, or too few"), ((), "not a recall of 100 %")])
def test_without_a_pair_no_recall_is_claimed(tmp_path: Path, copies: tuple[int, ...], words: str) -> None:
    run = make_run(tmp_path / "run", Plan(copies=copies, extracted=(), attacked=False), NO_PAIR)
    found, page = gather(run).recall, Page(write_report(run))
    assert found is not None
    assert (found.share, found.whole.low, found.whole.high) == (None, 0, 1)
    assert recall_words(found) == "nothing to measure: brute force found no near-duplicate of the 56 drawn"
    assert words in page.text
    assert not [path for path, _, _ in page.figures if path.startswith("recall.")]


@pytest.mark.parametrize("rows", [0, 1])
def test_with_nothing_to_compare(tmp_path: Path, rows: int) -> None:
    run = make_run(tmp_path / "run", Plan(copies=(), extracted=(), attacked=False), NO_PAIR | {"rows": rows})
    assert "There were not two different pictures to compare" in Page(write_report(run)).text


@pytest.mark.parametrize("recorded", [None, 0.9991])
def test_a_run_from_before_it_was_measured_still_gets_a_report(tmp_path: Path, recorded: object) -> None:
    run = make_run(tmp_path / "run", recall=recorded)
    assert gather(run).recall is None
    assert recall_words(None) == "not measured in this run"
    assert "was not measured in this run" in Page(write_report(run)).text


def test_a_run_under_way_says_nothing_of_it(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", Plan(attacked=False))
    (run.path / "manifest.json").unlink()
    page = Page(write_report(run))
    assert gather(run).recall is None
    assert "Recall of the duplicate search" not in page.text
    assert "was not measured in this run" not in page.text
