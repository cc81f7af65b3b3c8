"""What the page is given: queues that stand still, others' answers only after one's own, text made visible."""

from pathlib import Path

import polars as pl
import pytest

from pipelines.review import Desk
from pipelines.review._desk import UnknownError
from scanner.review import Journal
from scanner.run import Run
from scanner.tables import PROMPTS
from tests.pipelines.review.serving import desk_of
from tests.report.planted import overwrite
from tests.review.planted import Planned, items_of, make_reviewed_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_reviewed_run(tmp_path)


@pytest.fixture
def desk(run: Run) -> Desk:
    return desk_of(run)


def keys(desk: Desk, show: str, state: str) -> list[str]:
    found = desk.queue(show, state, None)
    return [desk.item(found["queue"], n)["item"] for n in range(found["length"])]


def test_filters_choose_kinds_and_verdicts(desk: Desk) -> None:
    items = desk.items
    assert keys(desk, "all", "all") == items["item"].to_list()
    for kind in ("hit", "unverified", "group"):
        assert keys(desk, kind, "all") == items_of(items, kind)
    assert keys(desk, "matching", "all") == items_of(items, "hit")
    assert keys(desk, "template", "all") == []
    assert desk.state()["kinds"] == {"hit": 7, "unverified": 2, "group": 8}
    with pytest.raises(UnknownError):
        desk.queue("everything", "all", None)


def test_a_queue_stands_still_while_its_items_are_decided(desk: Desk) -> None:
    found = desk.queue("hit", "unreviewed", None)
    first, second = (desk.item(found["queue"], n)["item"] for n in (0, 1))
    answer = desk.decide(first, "accepted", "a note")
    assert answer["mine"]["decision"] == "accepted"
    assert (answer["decided"], answer["decided_by_kind"]) == ({"accepted": 1}, {"hit": 1})
    assert desk.item(found["queue"], 0)["mine"]["note"] == "a note"
    assert desk.item(found["queue"], 1)["item"] == second
    assert keys(desk, "hit", "unreviewed")[0] == second
    assert keys(desk, "all", "accepted") == [first]
    again = desk.queue("hit", "unreviewed", first)  # as after a reload: what stood there stays
    assert (again["length"], again["at"], desk.item(again["queue"], 0)["item"]) == (7, 0, first)


def test_others_answers_are_shown_after_ones_own(run: Run, desk: Desk) -> None:
    item = desk.items["item"][0]
    Journal(run.path, "bo").add({"item": item, "kind": "pair", "decision": "rejected", "note": "another sky"})
    queue = desk.queue("all", "all", None)["queue"]
    before = desk.item(queue, 0)
    assert (before["mine"], before["others"], before["others_count"]) == (None, [], 1)
    assert keys(desk, "all", "disputed") == []
    (other,) = desk.decide(item, "accepted", None)["others"]
    assert (other["reviewer"], other["decision"], other["note"]) == ("bo", "rejected", "another sky")
    assert keys(desk, "all", "disputed") == [item]
    (both,) = desk.review().agreement
    assert (both.both, both.same) == (1, 0)


def test_decisions_say_where_they_were_made(desk: Desk) -> None:
    hit, group = items_of(desk.items, "hit")[0], items_of(desk.items, "group")[1]
    desk.decide(hit, "accepted", None)
    desk.decide(group, "rejected", "")
    rows = {row["item"]: row for row in desk.journal.standing().iter_rows(named=True)}
    assert (rows[hit]["kind"], rows[hit]["sample_id"], rows[hit]["group_id"]) == ("pair", 0, None)
    assert rows[hit]["prompt_id"] == desk.items["prompt_id"][0]
    assert (rows[group]["kind"], rows[group]["sample_id"], rows[group]["group_id"]) == ("group", None, 3)
    assert rows[group]["note"] is None


def test_a_forgotten_queue_and_an_unknown_item_are_said(desk: Desk) -> None:
    queue = desk.queue("all", "all", None)["queue"]
    for _ in range(40):
        desk.queue("all", "all", None)
    for asked in ((queue, 0), ("none", 0)):
        with pytest.raises(UnknownError):
            desk.item(*asked)
    with pytest.raises(UnknownError):
        desk.decide("0" * 32, "accepted", None)
    with pytest.raises(ValueError, match="No such decision"):
        desk.decide(desk.items["item"][0], "perhaps", None)


def test_captions_have_nothing_invisible(run: Run) -> None:
    overwrite(run, PROMPTS, caption=pl.lit("cat\u202egpj.exe\n<b>"))
    desk = desk_of(run)
    assert desk.item(desk.queue("hit", "all", None)["queue"], 0)["caption"] == "cat⟨U+202E⟩gpj.exe <b>"


def test_pictures_that_can_not_be_had_say_so(run: Run, desk: Desk, tmp_path: Path) -> None:
    hit, group = desk.items.row(0, named=True), desk.items.filter(pl.col("kind") == "group").row(0, named=True)
    assert desk.picture(hit["item"], "compared", None, False).state == "as_audited"
    (tmp_path / "data" / "0.png").unlink()
    fresh = desk_of(run)
    gone = fresh.picture(hit["item"], "compared", None, False)
    assert gone.state == "gone"
    assert gone.content is not None
    assert gone.sentence.endswith("Shown is its 32 × 32 thumbnail.")
    apart = fresh.picture(hit["item"], "difference", hit["image_index"], False)
    assert (apart.content, apart.sentence) == (None, "No difference to show: the original can't be had.")
    assert fresh.picture(hit["item"], "made", hit["image_index"], False).state == "as_generated"
    assert fresh.picture(hit["item"], "made", 3, False).state == "not_stored"
    member = fresh.picture(group["item"], "apart", 1, False)
    assert (member.state, member.content is not None) == ("gone", True)  # of the thumbnails, and said so
    assert fresh.picture(hit["item"], "nonsense", None, False).content is None


def test_without_the_transform_nothing_is_laid_on_anything(tmp_path: Path) -> None:
    run = make_reviewed_run(tmp_path, Planned())
    header = run.path / "attack.json"
    header.write_text(header.read_text().replace('"transform"', '"before_transforms"'))
    desk = desk_of(run)
    item = desk.items["item"][0]
    assert desk.state()["difference"] is False
    assert "does not say how the model saw" in desk.picture(item, "compared", None, False).sentence
    assert desk.picture(item, "difference", desk.items["image_index"][0], False).content is None
