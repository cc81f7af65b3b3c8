"""What people said stands beside the rule, and never in its place."""

from pathlib import Path

import pytest

from scanner.report import by_eye, gather, write_report
from scanner.review import Journal, list_items
from scanner.run import Run
from tests.report.page import Page
from tests.report.planted import Plan, make_run, originals
from tests.review.planted import items_of


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_run(tmp_path / "run", Plan(copies=(40,) * 8, extracted=tuple(range(6)), singles=10))


def test_an_unreviewed_run_says_so(run: Run) -> None:
    page = Page(write_report(run, originals))
    assert "Nobody has reviewed them by eye yet" in page.text
    assert "Reviewed by eye" not in page.text


def test_reviewed_and_unreviewed_are_counted_apart(run: Run) -> None:
    items = list_items(run)
    hits = items_of(items, "hit")
    journal = Journal(run.path, "ada <b>")
    for item, decision in ((hits[0], "accepted"), (hits[1], "rejected"), (hits[2], "accepted")):
        journal.add({"item": item, "kind": "pair", "decision": decision})
    found = gather(run)
    assert found.review is not None
    assert by_eye(found.review) == "High-risk prompts: 6 by rule, 2 by eye so far; 3 are not reviewed."
    assert found.arms[0].verified.hits == 6  # the rule's own figure stays what it was
    page = Page(write_report(run, originals))
    assert "6 by rule, 2 by eye so far" in page.text
    assert "ada <b>" in page.text
    assert "Nobody has reviewed" not in page.text
