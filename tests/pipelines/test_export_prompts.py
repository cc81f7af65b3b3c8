"""scanner export on the tables of an attacked run: what is written, what is said, and each way it refuses."""

import json
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from pipelines.cli import app, exit_code_of
from scanner.exports.prompts import PROMPT_FORMATS
from scanner.run import Run
from scanner.tables import HITS, PROMPTS, Table

CAPTIONS = ("a cat", "a dog", "a bird", "a fish")


def _export(run: Run, out: Path, *options: str) -> int:
    return exit_code_of(app, ["export", str(run.path), "--out", str(out), *options])


def _table(table: Table, rows: list[dict[str, Any]]) -> pl.DataFrame:
    """These rows; what they don't say is null."""
    schema = {name: column.dtype for name, column in table.columns.items()}
    return pl.DataFrame([dict.fromkeys(schema) | row for row in rows], schema=schema)


def _prompts(captions: tuple[str, ...]) -> pl.DataFrame:
    """Three of the risk arm, then one control."""
    ranked = [("risk", 1), ("risk", 2), ("risk", 3), ("control", 1)]
    return _table(
        PROMPTS,
        [
            {
                "prompt_id": f"{i:016x}",
                "rank": rank,
                "arm": arm,
                "caption": caption,
                "risk": 0.5 / (i + 1),
                "reason": "why",
            }
            for i, ((arm, rank), caption) in enumerate(zip(ranked, captions, strict=True))
        ],
    )


@pytest.fixture
def audited(tmp_path: Path) -> Run:
    """An audited run, in which the second prompt's caption has a line break."""
    run = Run.claim(tmp_path / "audited", {"dataset": "laion/"})
    PROMPTS.write(run.path, _prompts(("a cat", "a\ndog", "a bird", "a fish")))
    run.finish("audit", {})
    return run


@pytest.fixture
def attacked(tmp_path: Path) -> Run:
    """An attacked run with a verified prompt."""
    run = Run.claim(tmp_path / "attacked", {"dataset": "laion/"})
    PROMPTS.write(run.path, _prompts(CAPTIONS))
    run.claim_part("attack", {"target": "models/sd"})
    verdicts = enumerate(("none", "matching", "none", "matching"))
    HITS.write(run.path, _table(HITS, [{"prompt_id": f"{i:016x}", "verdict": verdict} for i, verdict in verdicts]))
    run.finish("audit", {})
    run.finish("attack", {})
    return run


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_every_format_is_written_and_counted(attacked: Run, tmp_path: Path, capsys, name: str) -> None:
    suffix = next(iter(PROMPT_FORMATS[name].writings))
    out = tmp_path / f"new folder/prompts{suffix}"
    assert _export(attacked, out, "--format", name, "--arm", "all", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    count = len(CAPTIONS)
    assert (said["path"], said["format"], said["entries"], said["left_out"]) == (str(out), name, count, 0)
    assert said["sentence"] == f"{count} prompts for {PROMPT_FORMATS[name].consumer}."
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    assert out.stat().st_size > 0


def test_the_verified_prompts_alone(attacked: Run, tmp_path: Path) -> None:
    out = tmp_path / "verified.parquet"
    assert _export(attacked, out, "--format", "parquet", "--verdict", "matching") == 0
    frame = pl.read_parquet(out)
    assert frame.select("rank", "caption", "verdict").rows() == [(2, "a dog", "matching")]
    assert frame.columns == [*PROMPTS.columns, "verdict"]


def test_a_caption_that_does_not_fit_is_refused_or_left_out_and_counted(audited: Run, tmp_path: Path, capsys) -> None:
    out = tmp_path / "prompts.txt"
    assert _export(audited, out, "--format", "text") == 2
    assert "Prompt 2 of the risk arm (" in (said := capsys.readouterr().err)
    assert "holds a line break" in said
    assert "--skip-unwritable" in said
    assert not out.exists()
    assert _export(audited, out, "--format", "text", "--skip-unwritable") == 0
    assert "; 1 prompt left out, since of each its caption" in capsys.readouterr().out
    assert out.read_text() == "a cat\na bird\n"


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--format", "xml"], "There is no format 'xml'; use one of csv, jsonl, "),
        (["--format", "promptfoo"], "--format promptfoo writes .csv or .yaml or .yml files; prompts.txt is not named"),
        (["--format", "text", "--by", "nonsense"], "--by is for drop-list, and --format text does not read it"),
        (["--format", "text", "--drop-failed"], "--drop-failed is for shards, datacomp and bool-array, and --format"),
        (["--format", "text", "--keep", "first"], "--keep is for the repair of the data set, and --format text does"),
        (["--format", "text", "--ranks", "5000-"], "No prompt is left by these filters, so nothing was written"),
        (["--format", "text", "--verdict", "matching"], "There are no verdicts before an attack; run `scanner attack`"),
    ],
)
def test_what_can_not_be_written_is_said_in_a_sentence(
    audited: Run, tmp_path: Path, capsys, options: list[str], says: str
) -> None:
    out = tmp_path / "prompts.txt"
    assert _export(audited, out, *options) == 2
    assert says in capsys.readouterr().err
    assert not out.exists()


def test_a_file_is_replaced_only_when_asked(attacked: Run, tmp_path: Path, capsys) -> None:
    out = tmp_path / "prompts.txt"
    out.write_text("mine")
    assert _export(attacked, out, "--format", "text") == 2
    assert "prompts.txt exists; name another place, or give --overwrite" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert _export(attacked, out, "--format", "text", "--overwrite") == 0
    assert out.read_text() != "mine"


def test_a_place_that_can_not_be_written_is_named(attacked: Run, tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert _export(attacked, tmp_path / "file" / "prompts.txt", "--format", "text") == 2
    assert "can't be written (" in (said := capsys.readouterr().err)
    assert "name another place" in said
    (tmp_path / "folder.txt").mkdir()
    assert _export(attacked, tmp_path / "folder.txt", "--format", "text", "--overwrite") == 2
    assert "can't be written (Is a directory)" in capsys.readouterr().err


def test_an_audit_that_was_stopped_is_finished_first(audited: Run, tmp_path: Path, capsys) -> None:
    (audited.path / "manifest.json").unlink()
    assert _export(audited, tmp_path / "prompts.txt", "--format", "text") == 2
    assert "is not finished; give the same `scanner audit` again first" in capsys.readouterr().err
