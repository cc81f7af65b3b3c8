"""A later run keeps what was decided about the same pictures."""

from pathlib import Path

import polars as pl

from scanner.review import Journal, list_items, read_decisions, standing, take_over
from scanner.tables import REVIEWS
from tests.review.planted import Planned, make_reviewed_run


def test_decisions_follow_the_pictures_into_a_later_run(tmp_path: Path) -> None:
    earlier, later = make_reviewed_run(tmp_path / "a"), make_reviewed_run(tmp_path / "b", Planned(offset=4, groups=9))
    journal = Journal(earlier.path, "ada")
    items = list_items(earlier)
    for row in items.iter_rows(named=True):
        journal.add({"item": row["item"], "kind": "pair", "decision": "accepted", "note": row["caption"]})
    journal.add({"item": "of pictures that are not there", "kind": "group", "decision": "rejected"})
    journal.add({"item": items["item"][0], "kind": "pair", "decision": "withdrawn"})
    there = set(list_items(later)["item"])
    assert take_over(later.path, earlier.path, there) == 16
    taken, before = standing(read_decisions(later.path)), standing(read_decisions(earlier.path))
    assert set(taken["item"]) == set(items["item"][1:])
    assert taken["taken_from"].unique().to_list() == [str(earlier.path)]
    same = ("item", "reviewer", "decided_at", "decision", "note")
    assert taken.select(same).sort("item").equals(before.filter(pl.col("item").is_in(there)).select(same).sort("item"))


def test_taking_over_twice_adds_nothing(tmp_path: Path) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
    Journal(tmp_path / "a", "ada").add({"item": "x", "kind": "group", "decision": "accepted"})
    assert [take_over(tmp_path / "b", tmp_path / "a", {"x"}) for _ in range(2)] == [1, 0]
    assert len(REVIEWS.parts(tmp_path / "b")) == 1


def test_what_the_same_reviewer_decided_here_since_stays_and_others_are_added(tmp_path: Path) -> None:
    earlier, later = tmp_path / "a", tmp_path / "b"
    for folder in (earlier, later):
        folder.mkdir()
    Journal(earlier, "ada").add({"item": "x", "kind": "group", "decision": "accepted"})
    Journal(earlier, "bo").add({"item": "x", "kind": "group", "decision": "accepted"})
    Journal(later, "ada").add({"item": "x", "kind": "group", "decision": "withdrawn"})
    assert take_over(later, earlier, {"x"}) == 1
    assert standing(read_decisions(later))["reviewer"].to_list() == ["bo"]
    Journal(earlier, "ada").add({"item": "x", "kind": "group", "decision": "rejected"})  # later still, over there
    assert take_over(later, earlier, {"x"}) == 1
    assert dict(standing(read_decisions(later)).select("reviewer", "decision").iter_rows())["ada"] == "rejected"
