"""scanner export on an audited and attacked run: what is written, what is said, and each way it refuses."""

import json
from pathlib import Path

import polars as pl
import pytest

from pipelines.cli import app, exit_code_of
from scanner.exports.prompts import PROMPT_FORMATS
from scanner.run import Run
from scanner.tables import HITS, PROMPTS


def _export(run: Run | Path, out: Path, *options: str) -> int:
    place = run.path if isinstance(run, Run) else run
    return exit_code_of(app, ["export", str(place), "--out", str(out), *options])


@pytest.fixture
def hostile_run(small_run: Run, tmp_path: Path) -> Path:
    """A copy of the run's tables in which the second prompt's caption has a line break."""
    place = tmp_path / "run"
    place.mkdir()
    for path in small_run.path.glob("*.json"):
        (place / path.name).write_bytes(path.read_bytes())
    prompts = small_run.read(PROMPTS)
    second = (pl.col("arm") == "risk") & (pl.col("rank") == 2)
    broken = pl.when(second).then(pl.lit("a\ncat")).otherwise(pl.col("caption")).alias("caption")
    PROMPTS.write(prompts.with_columns(broken), place)
    return place


@pytest.mark.parametrize("name", PROMPT_FORMATS)
def test_every_format_is_written_and_counted(small_run: Run, tmp_path: Path, capsys, name: str) -> None:
    suffix = next(iter(PROMPT_FORMATS[name].writings))
    out = tmp_path / f"new folder/prompts{suffix}"
    assert _export(small_run, out, "--format", name, "--arm", "all", "--json") == 0
    said = json.loads(capsys.readouterr().out)
    count = len(small_run.read(PROMPTS))
    assert (said["path"], said["format"], said["entries"], said["left_out"]) == (str(out), name, count, 0)
    assert said["sentence"] == f"{count} prompts for {PROMPT_FORMATS[name].consumer}."
    assert [path.name for path in out.parent.iterdir()] == [out.name]
    assert out.stat().st_size > 0


def test_the_verified_prompts_alone(small_run: Run, tmp_path: Path) -> None:
    out = tmp_path / "verified.parquet"
    assert _export(small_run, out, "--format", "parquet", "--verdict", "matching") == 0
    matching = small_run.read(HITS).filter(pl.col("verdict") == "matching")["prompt_id"]
    frame = pl.read_parquet(out)
    assert set(frame["prompt_id"]) == set(
        small_run.read(PROMPTS).filter(pl.col("arm") == "risk", pl.col("prompt_id").is_in(matching.implode()))[
            "prompt_id"
        ]
    )
    assert frame.columns == [*PROMPTS.columns, "verdict"]


def test_a_caption_that_does_not_fit_is_refused_or_left_out_and_counted(
    hostile_run: Path, tmp_path: Path, capsys
) -> None:
    out = tmp_path / "prompts.txt"
    assert _export(hostile_run, out, "--format", "text") == 2
    assert "Prompt 2 of the risk arm (" in (said := capsys.readouterr().err)
    assert "holds a line break" in said
    assert "--skip-unwritable" in said
    assert not out.exists()
    assert _export(hostile_run, out, "--format", "text", "--skip-unwritable") == 0
    assert "; 1 prompt left out, since of each its caption" in capsys.readouterr().out
    assert "a\ncat" not in out.read_text()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--format", "xml"], "There is no format 'xml'; use one of csv, jsonl, "),
        (["--format", "promptfoo"], "--format promptfoo writes .csv or .yaml or .yml files; prompts.txt is not named"),
        (["--format", "text", "--ranks", "5000-"], "No prompt is left by these filters, so nothing was written"),
        (["--format", "text", "--verdict", "matching"], "There are no verdicts before an attack; run `scanner attack`"),
    ],
)
def test_what_can_not_be_written_is_said_in_a_sentence(
    hostile_run: Path, tmp_path: Path, capsys, options: list[str], says: str
) -> None:
    out = tmp_path / "prompts.txt"
    assert _export(hostile_run, out, *options) == 2
    assert says in capsys.readouterr().err
    assert not out.exists()


def test_a_file_is_replaced_only_when_asked(small_run: Run, tmp_path: Path, capsys) -> None:
    out = tmp_path / "prompts.txt"
    out.write_text("mine")
    assert _export(small_run, out, "--format", "text") == 2
    assert "prompts.txt exists; name another place, or give --overwrite" in capsys.readouterr().err
    assert out.read_text() == "mine"
    assert _export(small_run, out, "--format", "text", "--overwrite") == 0
    assert out.read_text() != "mine"


def test_a_place_that_can_not_be_written_is_named(small_run: Run, tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_text("not a folder")
    assert _export(small_run, tmp_path / "file" / "prompts.txt", "--format", "text") == 2
    assert "can't be written (" in (said := capsys.readouterr().err)
    assert "name another place" in said
    (tmp_path / "folder.txt").mkdir()
    assert _export(small_run, tmp_path / "folder.txt", "--format", "text", "--overwrite") == 2
    assert "can't be written (Is a directory)" in capsys.readouterr().err


def test_an_audit_that_was_stopped_is_finished_first(hostile_run: Path, tmp_path: Path, capsys) -> None:
    (hostile_run / "manifest.json").unlink()
    assert _export(hostile_run, tmp_path / "prompts.txt", "--format", "text") == 2
    assert "is not finished; give the same `scanner audit` again first" in capsys.readouterr().err
