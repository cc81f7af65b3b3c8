"""What people said stands beside the rule, and never in its place."""

import csv
import io
from pathlib import Path
from typing import Any

import pytest

from scanner.report import by_eye, gather, write_report
from scanner.report._hits_csv import hits_csv
from scanner.report._sarif import sarif
from scanner.review import Journal, list_items
from scanner.run import Run
from tests.report.page import Page
from tests.report.planted import Plan, make_run, originals
from tests.report.test_sarif import valid
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
    assert by_eye(found.review) == "High-risk prompts: 6 by rule, 2 by eye so far, 1 rejected; 3 are not reviewed."
    assert found.arms[0].verified.hits == 6  # the rule's own figure stays what it was
    page = Page(write_report(run, originals))
    assert "6 by rule, 2 by eye so far" in page.text
    assert "ada <b>" in page.text
    assert "Nobody has reviewed" not in page.text


def test_what_was_rejected_is_suppressed_in_sarif_and_marked_everywhere(run: Run) -> None:
    assert not any("suppressions" in result for result in results_of(run)), "nobody has looked"
    items = list_items(run)
    hits, groups = items_of(items, "hit"), items_of(items, "group")
    ada, bo = Journal(run.path, "ada"), Journal(run.path, "bo")
    for journal, item, kind, decision in (
        (ada, hits[0], "pair", "rejected"),
        (ada, hits[1], "pair", "rejected"),
        (bo, hits[1], "pair", "accepted"),
        (ada, hits[2], "pair", "accepted"),
        (ada, groups[7], "group", "rejected"),
    ):
        journal.add({"item": item, "kind": kind, "decision": decision})
    by_rank = [hit.review for hit in gather(run).hits]
    assert by_rank == ["rejected", "disputed", "accepted", None, None, None]
    found = results_of(run)
    assert all("suppressions" in result for result in found), "either all results have the list or none has"
    suppressed = [result for result in found if result["suppressions"]]
    assert [result["ruleId"] for result in suppressed] == ["extraction/matching", "duplicates/near-duplicate-group"]
    assert suppressed[0]["partialFingerprints"]["prompt/v1"] == gather(run).hits[0].prompt_id
    (one,) = suppressed[0]["suppressions"]
    assert (one["kind"], one["status"]) == ("external", "accepted")
    assert one["justification"].startswith("Rejected by eye")
    log = valid(sarif(gather(run)))
    notes = [note["message"]["text"] for note in log["invocations"][0]["toolExecutionNotifications"]]
    assert "Of these results 2 were rejected by eye." in notes
    rows = list(csv.DictReader(io.StringIO(hits_csv(gather(run)), newline="")))
    assert [row["review"] for row in rows] == [review or "" for review in by_rank]
    page = Page(write_report(run, originals))
    assert page.text.count("rejected by eye") == 2
    assert "1 rejected; 3 are not reviewed" in page.text


def results_of(run: Run) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = valid(sarif(gather(run)))["results"]
    return found
