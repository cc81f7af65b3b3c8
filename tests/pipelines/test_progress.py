"""What a person sees of long work: on a terminal a bar, elsewhere plain lines; figures that add up in both."""

import io
import re

from rich.console import Console

from pipelines.progress import TerminalProgress


def work(progress: TerminalProgress) -> None:
    progress.begin("fingerprints", 2)
    progress.tally(rows=1500, size=3_000_000, errors=1, part=0.5)
    progress.tally(rows=500, size=1_000_000, errors=0, part=1.0)
    progress.advance()
    progress.tally(rows=100, size=1_000_000, errors=2, part=0.2)
    progress.note("nearly")


def plain() -> tuple[TerminalProgress, io.StringIO]:
    file = io.StringIO()
    return TerminalProgress(Console(file=file, width=200)), file


def test_without_a_terminal_one_line_says_how_it_ended():
    progress, file = plain()
    work(progress)
    progress.end()
    (line,) = file.getvalue().splitlines()
    assert line.startswith("fingerprints         1 of 2 in 0.0 s  2,100 rows")
    assert re.search(r"[\d,]+/s  [\d.]+ MB/s  3 errors  nearly$", line)


def test_without_a_terminal_long_work_says_now_and_then_how_far_it_is(monkeypatch):
    monkeypatch.setattr("pipelines.progress.PLAIN_SECONDS", 0.0)
    progress, file = plain()
    work(progress)
    lines = file.getvalue().splitlines()
    assert [line.split("  ")[0] for line in lines] == ["fingerprints"] * 4
    assert ["1,500 rows" in lines[0], "2,000 rows" in lines[1], "1 of 2" in lines[2]] == [True] * 3
    assert lines[3].endswith("nearly")


def test_on_a_terminal_the_bar_shows_rows_rates_errors_and_time_left():
    file = io.StringIO()
    progress = TerminalProgress(Console(file=file, width=160, force_terminal=True, color_system=None))
    work(progress)
    progress._bars.refresh()
    shown = file.getvalue().splitlines()[-1]
    assert "1/2" in shown
    assert re.search(r"2,100 rows  [\d,]+/s  [\d.]+ MB/s  3 errors  nearly", shown)
    assert re.search(r"\d:\d\d:\d\d|-:--:--", shown)
    progress.end()
    assert "1 of 2 in" in file.getvalue().splitlines()[-1]


def test_another_job_begins_at_nothing():
    progress, file = plain()
    work(progress)
    progress.end()
    progress.begin("duplicate pairs", 1)
    progress.advance()
    progress.end()
    assert file.getvalue().splitlines()[-1].split() == ["duplicate", "pairs", "1", "of", "1", "in", "0.0", "s"]
