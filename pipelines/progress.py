"""Progress of long work on a terminal: what is done, how much, at which rate, and how long it will take.

Written to standard error, so that `--json` and pipes get nothing but the result; where standard error is no terminal,
one plain line says when a step begins and ends.
"""

import time

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:.1f}/s" if task.speed else "")


class TerminalProgress:
    """Shows the jobs of an engine one below the other."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._bars: Progress | None = None
        self._name, self._total, self._count, self._began, self._note = "", 0, 0, 0.0, ""

    def begin(self, name: str, total: int) -> None:
        """A job of `total` shards begins."""
        self._name, self._total, self._count, self._began, self._note = name, total, 0, time.monotonic(), ""
        if self.console.is_terminal:
            self._bars = Progress(
                TextColumn("{task.description:<20}"),
                BarColumn(),
                MofNCompleteColumn(),
                _Rate(),
                TimeRemainingColumn(),
                TextColumn("{task.fields[note]}"),
                console=self.console,
                transient=True,
            )
            self._bars.start()
            self._task = self._bars.add_task(name, total=total, note="")

    def advance(self) -> None:
        """One shard is finished."""
        self._count += 1
        if self._bars:
            self._bars.advance(self._task)

    def note(self, text: str) -> None:
        """A figure to show beside the bar: a loss, a count of errors."""
        self._note = text
        if self._bars:
            self._bars.update(self._task, note=text)

    def end(self) -> None:
        """The job ended, finished or not."""
        if self._bars:
            self._bars.stop()
            self._bars = None
        seconds = time.monotonic() - self._began
        self.console.print(
            f"{self._name:<20} {self._count} of {self._total} in {seconds:.1f} s  {self._note}", highlight=False
        )
