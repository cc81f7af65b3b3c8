"""What differs in how two runs were made, and what is warned about before any figure."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from scanner.compare import compare
from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.tables import GROUPS
from tests.compare.planted import copies, plant

ROWS = copies(1, 2, "a", "x")


def pair(tmp_path: Path, **config: Any) -> tuple[Run, Run]:
    return plant(tmp_path / "a", ROWS), plant(tmp_path / "b", ROWS, config=config)


def test_equal_settings_are_no_difference(tmp_path: Path) -> None:
    found = compare(*pair(tmp_path, dataset="a-data/"))
    assert found.differences == ()
    assert found.warnings == ()
    assert not found.same_files, "their files have another state"


def test_another_model_or_threshold_is_warned_about_first(tmp_path: Path) -> None:
    found = compare(*pair(tmp_path, model="ViT-B-32", threshold=0.95, limit=10, captions_per_group=1, seed=3))
    assert [(one.part, one.name, one.before, one.after) for one in found.differences] == [
        ("search", "model", "demo", "ViT-B-32"),
        ("search", "threshold", "0.9", "0.95"),
        ("rows", "dataset", "a-data/", "b-data/"),
        ("rows", "limit", "not recorded", "10"),
        ("prompts", "captions_per_group", "not recorded", "1"),
        ("prompts", "seed", "not recorded", "3"),
    ]
    assert found.warnings[0].startswith(
        "What counts as a copy is not the same in both runs: model (demo, then ViT-B-32), threshold (0.9, then 0.95)."
    )
    assert "Another part of the data was asked for: limit (not recorded, then 10)" in found.warnings[1]
    assert "Prompts were ranked otherwise" in found.warnings[2]


def test_another_version_of_the_scanner_is_warned_about(tmp_path: Path) -> None:
    old, new = pair(tmp_path)
    path = new.path / "manifest.json"
    manifest = json.loads(path.read_text())
    manifest["versions"]["trainset-scanner"] = "9.9"
    path.write_text(json.dumps(manifest))
    found = compare(old, new)
    assert [(one.part, one.name) for one in found.differences] == [
        ("rows", "dataset"),
        ("versions", "trainset-scanner"),
    ]
    assert any("and 9.9 of the scanner" in line for line in found.warnings)


def test_pictures_against_embeddings_alone_is_warned_about(tmp_path: Path) -> None:
    bare = copies(1, 2, "a", "x", pixel_sha256=None, thumbnail=None)
    old, new = plant(tmp_path / "a", ROWS), plant(tmp_path / "b", bare, config={"model": "the data set's own"})
    (new.path / "run.json").write_text((new.path / "run.json").read_text())
    found = compare(old, Run.open(new.path))
    assert found.groups.identity == "key"
    assert any("Only the run before looked at pictures" in line for line in found.warnings)


def test_the_same_files_are_recognised(tmp_path: Path) -> None:
    old, new = pair(tmp_path, dataset="a-data/", threshold=0.5)
    (new.path / "files.parquet").write_bytes((old.path / "files.parquet").read_bytes())
    found = compare(old, new)
    assert found.same_files
    assert "no difference comes from the data" in found.summary


def test_tables_that_disagree_are_warned_about_before_all_else(tmp_path: Path) -> None:
    old, new = pair(tmp_path, threshold=0.5)
    GROUPS.write(new.path, new.read(GROUPS).with_columns(copies=pl.lit(3)))
    first = compare(old, new).warnings[0]
    assert first.startswith("The tables of a run do not agree with one another")
    assert "b: 2 rows in members.parquet; the groups' copies add up to 3" in first


def test_no_groups_on_either_side(tmp_path: Path) -> None:
    runs = [plant(tmp_path / name, copies(1, 1, None, "x")) for name in "ab"]
    found = compare(*runs)
    assert found.headline == "Neither run has a duplicate group."
    assert (found.groups.before, found.groups.after, found.group_changes) == (0, 0, ())


def test_no_groups_on_one_side(tmp_path: Path) -> None:
    old, new = plant(tmp_path / "a", copies(1, 1, None, "x")), plant(tmp_path / "b", ROWS)
    assert compare(new, old).headline == "Duplicated rows: 2 before, 0 after; 1 of 1 group is gone."
    assert compare(old, new).headline == "Duplicated rows: 0 before, 2 after; all 1 group of the run after is new."


def test_runs_without_any_row(tmp_path: Path) -> None:
    found = compare(plant(tmp_path / "a", []), plant(tmp_path / "b", ROWS))
    assert found.identities == ()
    assert found.groups.new == 1


def test_one_run_twice_is_refused(tmp_path: Path) -> None:
    run = plant(tmp_path / "a", ROWS)
    (tmp_path / "link").symlink_to(run.path)
    with pytest.raises(UnusableInputError, match="are one run; name two to compare"):
        compare(run, Run.open(tmp_path / "link"))


def test_an_audit_that_is_not_finished_is_refused(tmp_path: Path) -> None:
    old, new = pair(tmp_path)
    new.reopen()
    with pytest.raises(UnusableInputError, match="is not finished; give its scanner audit again"):
        compare(old, new)


def test_another_formula_of_the_risk_is_warned_about(tmp_path: Path) -> None:
    before, after = pair(tmp_path, dataset="a-data/")
    after.finish("audit", {"rows_in": len(ROWS), "cosine": 0.9, "risk_formula": 2})
    found = compare(before, after)
    assert [(one.part, one.name, one.before, one.after) for one in found.differences] == [
        ("prompts", "audit.risk_formula", "not recorded", "2")
    ]
    assert found.warnings == (
        "The risks were computed in another way: audit.risk_formula (not recorded, then 2). Prompts, risks and classes "
        "may be gone, new or changed for that reason alone.",
    )
