"""`--blur` on the commands that write a report: the page opens blurred, and written again without it it does not."""

from pathlib import Path

import pytest

from pipelines.cli import app, exit_code_of
from tests.report.planted import make_run
from tests.samples.embedded import names, unit, write_clip_retrieval

BLURRED = '<html lang="en" class="no-js blurred">'


def first_lines(run: Path) -> list[str]:
    return (run / "report" / "index.html").read_text(encoding="utf-8").splitlines()[:40]


def test_a_report_is_blurred_when_asked(tmp_path: Path) -> None:
    run = make_run(tmp_path / "run").path
    assert exit_code_of(app, ["report", str(run), "--blur", "--json"]) == 0
    assert BLURRED in first_lines(run)
    assert exit_code_of(app, ["report", str(run), "--json"]) == 0
    assert BLURRED not in first_lines(run)


def test_an_audit_is_blurred_when_asked(tmp_path: Path) -> None:
    data = write_clip_retrieval(tmp_path / "data", [(unit(4), names(4))], 1)
    assert exit_code_of(app, ["audit", str(data), "--out", str(tmp_path / "run"), "--blur", "--json"]) == 0
    assert BLURRED in first_lines(tmp_path / "run")


@pytest.mark.parametrize("command", ["audit", "attack", "report", "demo", "compare"])
def test_every_command_that_writes_a_report_has_it(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert exit_code_of(app, [command, "--help"]) == 0
    assert "--blur" in capsys.readouterr().out
