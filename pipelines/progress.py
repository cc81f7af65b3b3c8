"""Progress of long work on a terminal: what is done, how much, at which rate, and how long it will take.

Written to standard error, so that `--json` and pipes get nothing but the result; where standard error is no terminal,
one plain line says how a step ended, and every half minute how far it is.

    fingerprints         ━━━━━━━━━╸──────  3/8  41,210 rows  232/s  5.1 MB/s  17 errors  0:04:12 left
"""

import time

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

PLAIN_SECONDS = 30.0
"""How often a step says how far it is where there is no terminal."""


class TerminalProgress:
    """Shows the jobs of an engine one below the other."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console(stderr=True)
        self._bars: Progress | None = None
        self._start("", 0)

    def _start(self, name: str, total: int) -> None:
        self._name, self._total, self._count, self._note = name, total, 0, ""
        self._rows = self._bytes = self._errors = 0
        self._began = self._said = time.monotonic()

    def begin(self, name: str, total: int) -> None:
        """A job of `total` shards begins."""
        self._start(name, total)
        if self.console.is_terminal:
            self._bars = Progress(
                TextColumn("{task.description:<20}"),
                BarColumn(),
                MofNCompleteColumn(),
                TextColumn("{task.fields[note]}"),
                TimeRemainingColumn(),
                console=self.console,
                transient=True,
            )
            self._bars.start()
            self._task = self._bars.add_task(name, total=total, note="")

    def advance(self) -> None:
        """One shard is finished."""
        self._count += 1
        self._show(0.0)

    def tally(self, *, rows: int, size: int, errors: int, part: float) -> None:
        """So many more rows were read, of so many bytes, with so many errors; `part` (0 to 1) of the shard is done."""
        self._rows, self._bytes, self._errors = self._rows + rows, self._bytes + size, self._errors + errors
        self._show(min(part, 0.999))
        self._say_at_times()

    def note(self, text: str) -> None:
        """A figure to show beside the bar: a loss, a count."""
        self._note = text
        self._show(0.0)
        self._say_at_times()

    def end(self) -> None:
        """The job ended, finished or not."""
        if self._bars:
            self._bars.stop()
            self._bars = None
        self._say(f"{self._count} of {self._total} in {time.monotonic() - self._began:.1f} s")

    def _show(self, part: float) -> None:
        if self._bars:
            self._bars.update(self._task, completed=self._count + part, note=self._figures())

    def _say_at_times(self) -> None:
        if self._bars is None and time.monotonic() - self._said >= PLAIN_SECONDS:
            self._said = time.monotonic()
            self._say(f"{self._count} of {self._total}")

    def _say(self, how_far: str) -> None:
        self.console.print(f"{self._name:<20} {how_far}  {self._figures()}", highlight=False)

    def _figures(self) -> str:
        """The note, and what was tallied with its rates since the job began."""
        if not self._rows:
            return self._note
        seconds = max(time.monotonic() - self._began, 1e-3)
        speed = f"{self._rows / seconds:,.0f}/s  {self._bytes / seconds / 1e6:.1f} MB/s"
        errors = f"{self._errors:,} error{'' if self._errors == 1 else 's'}"
        return "  ".join(filter(None, (f"{self._rows:,} rows", speed, errors, self._note)))
