"""What a command says when it is done: plain in a pipe, drawn on a terminal, and the report's own figures in both."""

import io
import re
import shlex
from pathlib import Path

import pytest
from rich.console import Console

from pipelines import summary, terminal
from pipelines.cli import app, exit_code_of
from pipelines.summary import LISTS, print_summary
from pipelines.summary_tables import tables
from scanner.report import gather
from scanner.run import Run
from tests.report.planted import STATES, Plan, classed, make_run

DRAWN = re.compile(r"[\u2500-\u259f]")
"""Lines, boxes and blocks."""


def said_in_a_pipe(run: Run, capsys: pytest.CaptureFixture[str]) -> str:
    print_summary(run, run.path / "report" / "index.html")
    return capsys.readouterr().out


def said_on_a_terminal(run: Run, monkeypatch: pytest.MonkeyPatch, width: int = 80) -> str:
    screen = io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    console = Console(file=screen, force_terminal=True, width=width, highlight=False, color_system="standard")
    monkeypatch.setattr(summary, "open_console", lambda: console)
    print_summary(run, run.path / "report" / "index.html")
    screen.flush()
    return screen.buffer.getvalue().decode()  # type: ignore[attr-defined]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """4 of 8 risk prompts and 1 of 40 controls verified."""
    return classed(make_run(tmp_path / "my run", Plan(control_hits=1)))


@pytest.mark.parametrize("state", STATES)
def test_it_is_plain_in_a_pipe(tmp_path: Path, state: str, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path / "run", STATES[state])
    said = said_in_a_pipe(run, capsys)
    assert "\x1b" not in said
    assert not DRAWN.search(said)
    assert not [line for line in said.splitlines() if line != line.rstrip()]
    found = gather(run)
    assert said.splitlines()[1] == found.headline
    assert f"{found.rows.rows_in:,} = {found.rows.read:,} read" in said
    assert ("Attack" in said.splitlines()) is found.attacked
    assert said.splitlines()[-2] == f"Report: {run.path / 'report' / 'index.html'}"


def test_every_rate_stands_with_its_counts_and_interval(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    lines = {line[:26].strip(): line[26:].split("  ") for line in said_in_a_pipe(run, capsys).splitlines()}
    cells = {name: [cell.strip() for cell in row if cell.strip()] for name, row in lines.items()}
    assert cells["verified, of those tried"] == ["4 of 8", "1 of 40"]
    assert cells["share"] == ["50.0 %", "2.5 %"]
    assert cells["exact 95 % interval"] == ["15.7 to 84.3 %", "0.063 to 13.2 %"]
    assert cells["attacked"] == ["7", "40"]


def test_what_to_do_next_can_be_pasted(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    said = said_in_a_pipe(run, capsys)
    commands = [shlex.split(line) for line in said.splitlines() if line.startswith("   scanner ")]
    assert ["scanner", "review", str(run.path)] in commands
    assert "1. Read the control hits first" in said
    assert f"The report says why, and names {len(gather(run).advice) - 4} more." in said


def test_commands_of_the_advice_are_commands(run: Run, capsys: pytest.CaptureFixture[str]) -> None:
    for step in gather(run).advice:
        for command in filter(None, [step.command]):
            program, name, *_ = command.split()
            assert program == "scanner"
            assert exit_code_of(app, [name, "--help"]) == 0
    capsys.readouterr()


def test_a_terminal_gets_bars_where_there_is_room(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    wide, narrow = (said_on_a_terminal(run, monkeypatch, width) for width in (80, 60))
    assert "\x1b[1m" in wide
    assert "━" in wide
    assert "━" not in narrow
    plain = re.sub(r"\x1b\[[0-9;]*m", "", narrow)
    assert max(map(len, plain.splitlines())) <= 60 or "…" not in plain, "no figure is cut"
    assert "15.7 to 84.3 %" in plain


def test_a_bar_is_as_long_as_its_share() -> None:
    drawn = [terminal.bar(share, "red") for share in (0, 0.001, 0.5, 1)]
    assert drawn == ["", "[red]╸[/red]", "[red]━━━━━[/red]", "[red]━━━━━━━━━━[/red]"]


def test_strangers_names_are_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert terminal.plain("a[red]b\x1b[2J") == r"a\[red]b⟨U+001B⟩\[2J"
    run = make_run(tmp_path / "run", Plan(attacked=False))
    run.claim_part("attack", {"target": "evil\x1b[2J[red]x"})
    said = said_on_a_terminal(run, monkeypatch)
    assert "\x1b[2J" not in said
    assert "[red]x" in said


def test_the_summary_for_programs_leaves_out_what_is_long(run: Run) -> None:
    assert {"detector_curves", "distances", "concentration"} <= set(LISTS) <= set(gather(run).__dataclass_fields__)


def test_tables_are_the_findings(run: Run) -> None:
    titles = [title for title, _ in tables(gather(run), wide=True, bars=False)]
    assert titles == ["", "Attack", "Verified by copies in the training set"]
