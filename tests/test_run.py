"""A run directory resumes under its own configuration, refuses another, and never touches what is not its own."""

import polars as pl
import pytest

from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.tables import GROUPS, TABLES


def test_the_same_configuration_resumes(tmp_path):
    first = Run.claim(tmp_path / "run", {"seed": 0, "shards": ("a", "b")})
    again = Run.claim(tmp_path / "run", {"seed": 0, "shards": ["a", "b"]})
    assert first.config == again.config == Run.open(tmp_path / "run").config


def test_another_configuration_is_refused_and_the_field_named(tmp_path):
    Run.claim(tmp_path / "run", {"seed": 0, "shards": {"00000": "aa"}})
    before = (tmp_path / "run" / "run.json").read_bytes()
    with pytest.raises(UnusableInputError, match=r"shards\.00000"):
        Run.claim(tmp_path / "run", {"seed": 0, "shards": {"00000": "bb"}})
    assert (tmp_path / "run" / "run.json").read_bytes() == before


def test_a_directory_with_other_files_is_not_claimed(tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(UnusableInputError, match="not a run"):
        Run.claim(tmp_path, {"seed": 0})
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_a_run_killed_before_its_header_was_renamed_is_claimed(tmp_path):
    (tmp_path / ".run.json.4711.tmp").write_text('{"conf')
    assert Run.claim(tmp_path, {"seed": 0}).config == {"seed": 0}


def test_what_is_no_run_or_damaged_is_said(tmp_path):
    with pytest.raises(UnusableInputError, match="not a run directory"):
        Run.open(tmp_path)
    (tmp_path / "run.json").write_text("{")
    with pytest.raises(UnusableInputError, match="damaged"):
        Run.open(tmp_path)
    with pytest.raises(UnusableInputError, match="is a file"):
        Run.claim(tmp_path / "run.json", {})


def test_a_part_has_its_own_configuration(tmp_path):
    run = Run.claim(tmp_path / "run", {"seed": 0})
    assert run.part_config("attack") is None
    run.claim_part("attack", {"target": "a"})
    assert run.part_config("attack") == {"target": "a"}
    with pytest.raises(UnusableInputError, match="target"):
        run.claim_part("attack", {"target": "b"})


def test_the_manifest_counts_every_table_and_keeps_earlier_parts(tmp_path):
    run = Run.claim(tmp_path / "run", {"seed": 0})
    GROUPS.write(run.path, GROUPS.frame([{"group_id": 3, "copies": 2}]))
    run.finish("audit", {"recall": 1.0})
    run.finish("attack", {"hits": 0})
    assert run.manifest()["tables"] == {"groups": 1}
    assert run.manifest()["parts"] == {"audit": {"recall": 1.0}, "attack": {"hits": 0}}


@pytest.mark.parametrize("name", TABLES)
def test_a_table_is_stored_sorted_with_its_columns(tmp_path, name):
    table = TABLES[name]
    assert set(table.key) <= set(table.columns)
    path = table.write(tmp_path, table.empty(), "part" if table.path.endswith("/") else None)
    assert pl.read_parquet(path).schema == table.schema
    assert table.read(tmp_path).height == 0
    assert not [leftover for leftover in path.parent.iterdir() if leftover.name.startswith(".")]


def test_rows_are_sorted_by_key(tmp_path):
    GROUPS.write(tmp_path, GROUPS.frame([{"group_id": 9, "copies": 2}, {"group_id": 1, "copies": 5}]))
    assert GROUPS.read(tmp_path)["group_id"].to_list() == [1, 9]
