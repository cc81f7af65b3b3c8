"""What a command says when it is done: the findings in a screenful, or as JSON for other programs.

Both are read from the same model of the findings as the report, so that they can't disagree with it.
"""

import json
import shlex
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console

from pipelines.policies import Judgement
from pipelines.summary_tables import tables
from pipelines.terminal import WIDE, draws, open_console, say, show
from scanner.report import Findings, gather
from scanner.run import Run

LISTS = (
    *("hits", "groups", "matching", "prompts", "errors", "method"),
    *("detector_curves", "distances", "concentration"),
)
"""Long parts of the findings that a summary leaves to report.json."""
STEPS = 4
"""Things to do next that are named; the report has all."""


def print_json(run: Run, page: Path, judged: Sequence[Judgement] = ()) -> None:
    """The findings without their long lists, where the report is, and the policies, as one JSON object on standard
    output."""
    found: dict[str, Any] = {name: value for name, value in asdict(gather(run)).items() if name not in LISTS}
    policies = [asdict(one) for one in judged]
    summary = {"run": str(run.path), "report": str(page), "policies": policies, **found}
    json.dump(summary, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def print_summary(run: Run, page: Path, judged: Sequence[Judgement] = ()) -> None:
    """The findings in a screenful on standard output; a policy that is broken is left to the error."""
    found, console = gather(run), open_console()
    console.print()
    say(console, found.headline, "bold")
    say(console, found.summary)
    for title, table in tables(found, wide=console.width >= WIDE, bars=draws(console)):
        console.print(f"\n{title}" if title else "", style="bold", markup=False)
        show(console, table)
    _print_next(console, found, run)
    for one in judged:
        if one.kept is not False:
            console.print()
            say(console, one.sentence)
    console.print(f"\nReport: {page}", markup=False, soft_wrap=True)
    beside = "report.json, results.sarif, hits.csv, croissant-rai.json, dataset-card.md, summary.md"
    say(console, f"Beside it, for other programs: {beside}", "dim")


def _print_next(console: Console, found: Findings, run: Run) -> None:
    """The most urgent steps, each with the command that does it where there is one."""
    if not found.advice:
        return
    console.print("\nWhat to do next", style="bold")
    for number, step in enumerate(found.advice[:STEPS], 1):
        say(console, f"{number}. {step.title}")
        if step.command:
            command = step.command.replace("RUN", shlex.quote(str(run.path)))
            console.print(f"   {command}", style="cyan", markup=False, soft_wrap=True)
    if len(found.advice) > STEPS:
        say(console, f"The report says why, and names {len(found.advice) - STEPS:,} more.", "dim")
