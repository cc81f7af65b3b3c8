"""The comparison recipe: two finished runs, from their tables alone; nothing is read of the data sets.

    scanner compare A B

Written into B/compare-A (A's name), or where --out says; both runs stay as they are otherwise.
"""

import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.table import Table

from pipelines.terminal import open_console, say, show
from scanner.compare import Comparison, compare, refuse_occupied, refuse_unusable, write_comparison
from scanner.report import Rate, percent
from scanner.run import Run

LISTS = ("group_changes", "prompt_changes", "hit_changes", "differences")
"""Long parts of the comparison that a summary leaves to compare.json."""


def compare_runs(before: Path, after: Path, out: Path | None, *, blur: bool = False) -> tuple[Comparison, Path]:
    """The comparison of run `before` with run `after`, written; and the path of its page.

    Raises UnusableInputError, and writes nothing, when one is no finished run, both are one, or `out` holds something
    else.
    """
    old, new = Run.open(before), Run.open(after)
    refuse_unusable(old, new)
    folder = out if out is not None else new.path / f"compare-{old.path.resolve().name}"
    refuse_occupied(folder)
    found = compare(old, new)
    return found, write_comparison(found, old, new, folder, blur=blur)


def print_json(found: Comparison, page: Path) -> None:
    """The comparison without its long lists, and where the page is, as one JSON object on standard output."""
    summary: dict[str, Any] = {name: value for name, value in asdict(found).items() if name not in LISTS}
    json.dump({"comparison": str(page)} | summary, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def print_comparison(found: Comparison, page: Path) -> None:
    """The comparison in a few lines on standard output."""
    console = open_console()
    for line in found.warnings:
        console.print()
        say(console, f"Note: {line}")
    console.print()
    say(console, found.headline, "bold")
    say(console, found.summary)
    console.print()
    show(console, _table(found))
    console.print(f"\nComparison: {page}", markup=False, soft_wrap=True)


def _table(found: Comparison) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", "before", "after"):
        table.add_column(name)
    old, new = found.before, found.after
    for name in ("groups", "rows", "redundant"):
        what = {"groups": "duplicate groups", "rows": "duplicated rows", "redundant": "redundant rows"}[name]
        table.add_row(what, *(f"{getattr(side.duplicates, name):,}" for side in (old, new)))
    for one in found.risk.classes:
        table.add_row(f"prompts of {one.name} risk", f"{one.before:,}", f"{one.after:,}")
    for arm in found.hits.arms if found.hits else ():
        name = "high-risk" if arm.arm == "risk" else "control"
        table.add_row(f"verified, {name}", *(_rate(rate) for rate in (arm.before, arm.after)))
    return table


def _rate(rate: Rate) -> str:
    if not rate.tried:
        return "none tried"
    return f"{rate.hits:,} of {rate.tried:,} ({percent(rate.low)} to {percent(rate.high)})"
