"""By rule and by eye, apart."""

from pathlib import Path

import pytest

from scanner.review import Journal, count_reviews, list_items, together
from scanner.run import Run
from tests.review.planted import items_of, make_reviewed_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_reviewed_run(tmp_path)


def test_a_run_that_nobody_looked_at_has_no_review(run: Run) -> None:
    assert count_reviews(run) is None


def test_every_item_counts_once_whoever_looked(run: Run) -> None:
    items = list_items(run)
    hits, groups = items_of(items, "hit"), items_of(items, "group")
    (missed, _) = items_of(items, "unverified")
    ada, bo = Journal(run.path, "ada"), Journal(run.path, "bo")
    for journal, answers in (
        (ada, {hits[0]: "accepted", hits[1]: "accepted", hits[2]: "rejected", hits[3]: "unsure", missed: "accepted"}),
        (bo, {hits[0]: "accepted", hits[1]: "rejected", hits[2]: "unsure", groups[0]: "rejected", "gone": "accepted"}),
    ):
        for item, decision in answers.items():
            journal.add({"item": item, "kind": "pair", "decision": decision})
    found = count_reviews(run)
    assert found is not None
    counted = {(one.kind, one.arm): one for one in found.counts}
    assert list(counted) == [("hit", "risk"), ("hit", "control"), ("unverified", "risk"), ("group", None)]
    risk = counted["hit", "risk"]
    assert (risk.accepted, risk.rejected, risk.disputed, risk.unsure, risk.unreviewed) == (1, 1, 1, 1, 2)
    assert (counted["unverified", "risk"].accepted, counted["unverified", "risk"].unreviewed) == (1, 1)
    assert (counted["group", None].rejected, counted["group", None].unreviewed) == (1, 7)
    for one in found.counts:
        assert one.items == one.accepted + one.rejected + one.disputed + one.unsure + one.unreviewed
    assert (found.reviewers, found.elsewhere) == (("ada", "bo"), 1)
    (both,) = found.agreement
    assert (both.first, both.second, both.both, both.same) == ("ada", "bo", 3, 1)


@pytest.mark.parametrize(
    ("answers", "outcome"),
    [
        ({"accepted"}, "accepted"),
        ({"accepted", "unsure"}, "accepted"),
        ({"rejected", "unsure"}, "rejected"),
        ({"unsure"}, "unsure"),
        ({"accepted", "rejected", "unsure"}, "disputed"),
    ],
)
def test_whoever_is_unsure_leaves_it_to_the_others(answers: set[str], outcome: str) -> None:
    assert together(answers) == outcome
