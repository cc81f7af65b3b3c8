"""Decisions are kept, whoever else writes at the same time."""

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import polars as pl
import pytest

from scanner.errors import ScannerError, UnusableInputError
from scanner.review import Journal, read_decisions, reviewer_name, standing
from scanner.review._journal import ROWS
from scanner.tables import REVIEWS


def add(journal: Journal, item: str, decision: str, **more: object) -> None:
    journal.add({"item": item, "kind": "group", "decision": decision, **more})


def said(run: Path) -> dict[tuple[str, str], str]:
    rows = standing(read_decisions(run)).select("item", "reviewer", "decision")
    return {(item, reviewer): decision for item, reviewer, decision in rows.iter_rows()}


def test_a_decision_is_in_the_file_when_add_returns(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "ada")
    add(journal, "x", "accepted", note="the same crack in the wall", group_id=7)
    row = read_decisions(tmp_path).row(0, named=True)
    assert (row["item"], row["reviewer"], row["decision"], row["group_id"]) == ("x", "ada", "accepted", 7)
    assert (row["note"], row["number"], row["taken_from"]) == ("the same crack in the wall", 0, None)


def test_the_last_decision_holds_and_all_are_kept(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "ada")
    for decision in ("accepted", "rejected", "unsure"):
        add(journal, "x", decision)
    add(journal, "y", "accepted")
    add(journal, "y", "withdrawn")
    assert said(tmp_path) == {("x", "ada"): "unsure"}
    assert read_decisions(tmp_path).height == 5
    assert {item: row["decision"] for item, row in journal.mine().items()} == {"x": "unsure"}


def test_many_decisions_fill_several_files_and_none_is_lost(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "ada")
    for n in range(2 * ROWS + 3):
        add(journal, f"item {n}", "accepted")
    assert [pl.read_parquet(part).height for part in REVIEWS.parts(tmp_path)] == [ROWS, ROWS, 3]
    assert read_decisions(tmp_path)["number"].sort().to_list() == list(range(2 * ROWS + 3))
    assert (journal.count, len(said(tmp_path))) == (2 * ROWS + 3, 2 * ROWS + 3)


def test_threads_of_one_process_lose_nothing(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "ada")
    with ThreadPoolExecutor(8) as threads:
        list(threads.map(lambda n: add(journal, f"item {n % 50}", ("accepted", "rejected")[n % 2]), range(300)))
    rows = read_decisions(tmp_path)
    assert rows.height == 300
    assert rows["decided_at"].n_unique() == 300  # so that the last one of an item is never in doubt


WRITER = """
import sys
from pathlib import Path
from scanner.review import Journal
journal = Journal(Path(sys.argv[1]), sys.argv[2])
for n in range(120):
    journal.add({"item": f"item {n}", "kind": "group", "decision": sys.argv[3]})
"""


def test_processes_that_write_at_once_lose_nothing_also_under_one_name(tmp_path: Path) -> None:
    who = [("ada", "accepted"), ("ada", "accepted"), ("bo", "rejected")]
    writers = [subprocess.Popen([sys.executable, "-c", WRITER, str(tmp_path), *one]) for one in who]
    assert [writer.wait(timeout=120) for writer in writers] == [0, 0, 0]
    assert read_decisions(tmp_path).height == 360
    found = said(tmp_path)
    assert len(found) == 240
    assert {(reviewer, decision) for (_, reviewer), decision in found.items()} == set(who)


def test_what_others_write_is_seen(tmp_path: Path) -> None:
    ada, bo = Journal(tmp_path, "ada"), Journal(tmp_path, "bo")
    add(ada, "x", "accepted")
    assert not bo.of("x")
    bo.refresh()
    assert bo.of("x")["ada"]["decision"] == "accepted"
    add(ada, "x", "withdrawn")
    add(bo, "x", "rejected")
    bo.refresh()
    assert {name: row["decision"] for name, row in bo.of("x").items()} == {"bo": "rejected"}


def test_a_window_that_did_not_look_again_overrules_by_being_later(tmp_path: Path) -> None:
    one, two = Journal(tmp_path, "ada"), Journal(tmp_path, "ada")
    add(one, "x", "accepted")
    add(two, "x", "rejected")
    one.refresh()
    assert one.of("x")["ada"]["decision"] == "rejected"
    assert read_decisions(tmp_path).height == 2


@pytest.mark.parametrize("bad", [{"decision": "perhaps"}, {"decision": "accepted", "note": "n" * 2001}])
def test_what_is_no_decision_is_not_written(tmp_path: Path, bad: dict[str, str]) -> None:
    journal = Journal(tmp_path, "ada")
    with pytest.raises(ValueError, match="No such decision"):
        journal.add({"item": "x", "kind": "group", **bad})
    assert read_decisions(tmp_path).is_empty()


def test_a_decision_that_could_not_be_written_does_not_hold(tmp_path: Path) -> None:
    journal = Journal(tmp_path, "ada")
    (tmp_path / REVIEWS.path).rmdir()
    (tmp_path / REVIEWS.path.rstrip("/")).write_text("in the way")
    with pytest.raises(OSError, match=r"."):
        add(journal, "x", "accepted")
    assert not journal.of("x")
    assert journal.count == 0


def test_a_run_that_can_not_be_written_to_is_refused_at_once(tmp_path: Path) -> None:
    (tmp_path / "reviews").write_text("a file")
    with pytest.raises(ScannerError, match="can't be written to"):
        Journal(tmp_path, "ada")


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    add(Journal(tmp_path, "ada"), "x", "accepted")
    (tmp_path / "reviews" / "broken.parquet").write_bytes(b"PAR1")
    with pytest.raises(UnusableInputError, match=r"broken\.parquet holds no decisions"):
        read_decisions(tmp_path)


def test_a_part_without_a_newer_column_is_read(tmp_path: Path) -> None:
    add(Journal(tmp_path, "ada"), "x", "accepted", note="kept")
    (part,) = REVIEWS.parts(tmp_path)
    pl.read_parquet(part).drop("note", "taken_from").with_columns(extra=1).write_parquet(part)
    row = read_decisions(tmp_path).row(0, named=True)
    assert (row["decision"], row["note"]) == ("accepted", None)
    assert "extra" not in row


def test_names_are_one_line_of_text() -> None:
    assert reviewer_name("  Ada   Lovelace ") == "Ada Lovelace"
    for bad in ("", " ", "a" * 65, "a\x1bb", "a\u202eb"):
        with pytest.raises(UnusableInputError, match="--reviewer"):
            reviewer_name(bad)
