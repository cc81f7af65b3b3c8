"""`scanner compare` as a user meets it: a small data set audited, cleaned and audited again."""

import json
from pathlib import Path

import pytest
from PIL import Image

from pipelines.audit import audit
from pipelines.cli import app, exit_code_of
from pipelines.configs import AuditConfig
from pipelines.engines import LocalEngine
from scanner.run import Run
from tests.pipelines.test_cli import process
from tests.report.page import Page
from tests.report.planted import picture

COPIES = {0: 4, 1: 3, 2: 2, 3: 1, 4: 1}
"""Rows of each picture before; after, the pictures 0 and 1 stand once, the others as they did, and picture 5 is new."""


def write_photos(folder: Path, numbers: dict[int, int]) -> Path:
    folder.mkdir()
    for number, times in numbers.items():
        for copy in range(times):
            Image.fromarray(picture(number)).save(folder / f"{number}-{copy}.png")
            (folder / f"{number}-{copy}.txt").write_text(f"photograph of the place called number {number}")
    return folder


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """The runs before and after, of real audits."""
    folder = tmp_path_factory.mktemp("compare")
    before = write_photos(folder / "photos", COPIES)
    after = write_photos(folder / "cleaned", COPIES | {0: 1, 1: 1, 5: 1})
    config = AuditConfig(model="demo", control=3)
    return audit(before, folder / "before", config, LocalEngine()), audit(
        after, folder / "after", config, LocalEngine()
    )


def files(run: Run) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in run.path.rglob("*") if path.is_file()}


def test_a_cleaned_data_set_is_compared_and_both_runs_stay_as_they_are(
    runs: tuple[Run, Run], capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = runs
    kept = files(before), files(after)
    assert exit_code_of(app, ["compare", str(before.path), str(after.path)]) == 0
    said = capsys.readouterr().out
    assert "Duplicated rows: 9 before, 2 after; 2 of 3 groups are gone." in said
    page = after.path / "compare-before" / "index.html"
    assert f"Comparison: {page}" in said
    assert files(before) == kept[0]
    assert {path: content for path, content in files(after).items() if path.parent != page.parent} == kept[1]
    content = json.loads(page.with_name("compare.json").read_text())
    groups = content["groups"]
    assert (groups["gone"], groups["gone_with_one_row"], groups["unchanged"], groups["new"]) == (2, 2, 1, 0)
    assert content["warnings"] == []
    pixels = content["identities"][0]
    assert (pixels["name"], pixels["gone"], pixels["new"], pixels["copies_gone"]) == ("pixels", 0, 1, 5)
    assert [one["name"] for one in content["differences"]] == ["dataset"]
    assert len(Page(page).all("img")) >= 3


def test_the_machine_readable_summary_leaves_the_long_lists_to_the_file(
    runs: tuple[Run, Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    assert exit_code_of(app, ["compare", str(runs[0].path), str(runs[1].path), "--out", str(out), "--json"]) == 0
    summary = json.loads(capsys.readouterr().out)
    assert summary["comparison"] == str(out / "index.html")
    assert summary["groups"]["gone"] == 2
    assert "group_changes" not in summary
    assert sorted(path.name for path in out.iterdir()) == ["compare.json", "index.html"]


def test_unusable_input_is_one_sentence_and_nothing_is_written(
    runs: tuple[Run, Run], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before, after = (str(run.path) for run in runs)
    Run.claim(tmp_path / "begun", {"dataset": "x/"})
    (tmp_path / "occupied").mkdir()
    (tmp_path / "occupied" / "notes.txt").write_text("x")
    damaged = tmp_path / "damaged"
    damaged.mkdir()
    (damaged / "run.json").write_text("{")
    for arguments, sentence in (
        ([before, str(tmp_path)], "is not a run directory (it has no run.json)"),
        ([str(tmp_path / "nowhere"), after], "is not a run directory"),
        ([before, before], "are one run; name two to compare"),
        ([before, str(tmp_path / "begun")], "is not finished; give its scanner audit again"),
        ([str(damaged), after], "not readable as JSON"),
        ([before, after, "--out", str(tmp_path / "occupied")], "holds files that are no comparison"),
        ([before, after, "--out", str(tmp_path / "damaged" / "run.json")], "is a file"),
        ([before, after, "--out", before], "holds files that are no comparison"),
    ):
        assert exit_code_of(app, ["compare", *arguments]) == 2
        said = capsys.readouterr()
        assert sentence in said.err
        assert (said.out, len(said.err.strip().splitlines())) == ("", 1)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["begun", "damaged", "occupied"]


def test_the_command_as_a_process(runs: tuple[Run, Run], tmp_path: Path) -> None:
    done = process("compare", runs[1].path, runs[0].path, "--out", tmp_path / "out")
    assert (done.returncode, done.stderr) == (0, "")
    assert "2 are new" in done.stdout
