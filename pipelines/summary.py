"""What a command says when it is done: the findings in a few lines, or as JSON for other programs.

Both are read from the same model of the findings as the report, so that they can't disagree with it.
"""

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from pipelines.policies import Judgement
from scanner.report import Arm, Coverage, Findings, Rate, Unconditional, gather, recall_words
from scanner.run import Run

LISTS = ("hits", "groups", "matching", "prompts", "errors", "method")
"""Long parts of the findings that a summary leaves to report.json."""


def print_json(run: Run, page: Path, judged: Sequence[Judgement] = ()) -> None:
    """The findings without their long lists, where the report is, and the policies, as one JSON object on standard
    output."""
    found: dict[str, Any] = {name: value for name, value in asdict(gather(run)).items() if name not in LISTS}
    policies = [asdict(one) for one in judged]
    summary = {"run": str(run.path), "report": str(page), "policies": policies, **found}
    json.dump(summary, sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def print_summary(run: Run, page: Path, judged: Sequence[Judgement] = ()) -> None:
    """The findings in a few lines on standard output; a policy that is broken is left to the error."""
    found, console = gather(run), Console(highlight=False)
    console.print(f"\n[bold]{found.headline}[/bold]", markup=True)
    console.print(found.summary, "\n", markup=False)
    console.print(_table(found))
    for one in judged:
        if one.kept is not False:
            console.print("\n" + one.sentence, markup=False)
    console.print(f"\nReport: {page}", markup=False, soft_wrap=True)


def _table(found: Findings) -> Table:
    table = Table(show_header=False, box=None, pad_edge=False, padding=(0, 2, 0, 0))
    rows, duplicates = found.rows, found.duplicates
    aside = f" + {rows.set_aside:,} set aside" if rows.set_aside else ""
    table.add_row("rows", f"{rows.rows_in:,} = {rows.read:,} read + {rows.failed:,} failed" + aside)
    table.add_row(
        "duplicates",
        f"{duplicates.rows:,} rows in {duplicates.groups:,} groups, the largest of {duplicates.largest:,}",
    )
    table.add_row("recall", recall_words(found.recall))
    if found.repair is not None and found.repair.groups:
        repair = found.repair
        table.add_row("repair", f"{repair.dropped:,} rows to drop, or {repair.recaptioned:,} to re-caption")
    if found.matches is not None:
        matches = found.matches
        table.add_row(
            f"in {matches.dataset} too", f"{matches.rows:,} rows, which show {matches.pictures:,} of its pictures"
        )
    if found.unconditional is not None:
        _add_unconditional(table, found.unconditional)
    if found.ranking is not None:
        classes = ", ".join(f"{one.prompts:,} {one.name}" for one in found.ranking.classes)
        table.add_row("risk classes", classes)
        if found.ranking.coverage is not None:
            table.add_row("covered", _covered(found.ranking.coverage))
    for arm in found.arms:
        said = _arm(arm, compared=found.compared) if found.attacked else f"{arm.prompts:,} ranked"
        table.add_row(f"{arm.arm} prompts", said)
    if found.attacked and found.compared:
        _add_rates(table, found)
    return table


def _add_rates(table: Table, found: Findings) -> None:
    """Hits by copies, with the control arm as the floor, and k."""
    for point in found.curve:
        if point.verified.tried and point.arm == "risk":
            above = ", above the control arm's" if point.above_control else ""
            copies = "copy" if point.label == "1" else "copies"
            table.add_row(f"  of {point.label} {copies}", f"{_rate(point.verified)}{above}")
    if found.eidetic is not None:
        k = found.eidetic
        table.add_row("k of the hits", f"{k.smallest:,} to {k.largest:,} training rows, median {k.median:,}")


def _add_unconditional(table: Table, outcome: Unconditional) -> None:
    table.add_row("images", f"{outcome.images:,}, {outcome.evaluations:,} denoiser evaluations")
    table.add_row("memorised", f"{outcome.memorised:,} pictures; by the paper's rule {outcome.paper_pictures:,}")
    for point in outcome.by_copies:
        table.add_row(
            f"  of {point.label} copies" if point.label != "1" else "  that stand once", _rate(point.memorised)
        )
    table.add_row("controls that pass", _rate(outcome.controls_within))


def _covered(coverage: Coverage) -> str:
    """`170 of 170 groups; the first 100 prompts 93.2 % of the duplicated rows, all 241 100 %`."""
    steps = [
        f"the first {step.prompts:,} prompts {step.duplicated_share:.1%}"
        for step in coverage.steps
        if step.duplicated_share is not None
    ]
    said = f"; of the duplicated rows {', '.join(steps)}" if steps else ""
    return f"{coverage.covered:,} of {coverage.groups:,} groups{said}"


def _arm(arm: Arm, *, compared: bool) -> str:
    said = f"{arm.prompts:,} ranked, {arm.scored:,} scored, {arm.attacked:,} attacked"
    if not compared:
        return f"{said}, with a clique {_rate(arm.cliques)}"
    different = f", {arm.originals:,} different originals" if arm.originals < arm.verified.hits else ""
    return f"{said}, verified {_rate(arm.verified)}{different}; the paper's l2 rule alone: {_rate(arm.paper_rule)}"


def _rate(rate: Rate) -> str:
    return f"{rate.hits:,} of {rate.tried:,} (95 % interval {rate.low:.1%} to {rate.high:.1%})"
