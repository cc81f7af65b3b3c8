"""The scoring recipe: a run held against a truth table, written into the run and printed.

scanner lab score RUN TRUTH
"""

import json
import sys
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from itertools import groupby
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipelines.configs import ScoreConfig
from pipelines.terminal import open_console, say, show
from scanner.errors import UnusableInputError
from scanner.report import Rate, percent
from scanner.run import Run
from scanner.score import PAGE, STEPS, Cost, ErrorRates, Funnel, Roc, Score, ScoreCurve, read_truth, score, write_score


def score_run(run: Run, truth: Path, config: ScoreConfig) -> tuple[Score, Path]:
    """The score, written; and the path of its JSON.

    Raises UnusableInputError, and writes nothing, when the audit or the attack is not finished, or the truth can't be
    read or is of another data set.
    """
    parts = run.manifest().get("parts", {})
    if "audit" not in parts:
        raise UnusableInputError(f"The audit in {run.path} is not finished; give the same `scanner audit` again first.")
    if run.part_config("attack") is not None and "attack" not in parts:
        raise UnusableInputError(
            f"The attack in {run.path} is not finished; give the same `scanner attack` again first."
        )
    names = (str(truth), str(run.path))
    scored = score(
        run, read_truth(truth), names=names, memorised_from=config.memorised_from, precision=config.precision
    )
    return scored.score, write_score(scored, run.path)


def print_json(found: Score, path: Path) -> None:
    """The score and where it is, as one JSON object on standard output."""
    json.dump({"score": str(path)} | asdict(found), sys.stdout, indent=2, ensure_ascii=False)
    sys.stdout.write("\n")


def print_score(found: Score, path: Path) -> None:
    """The score in tables on standard output."""
    console = open_console()
    console.print()
    say(console, found.headline, "bold")
    pictures = [found.twins, *found.funnel] if found.twins else list(found.funnel)
    _print(console, "What became of the pictures (0 copies: never planted)", _funnel(pictures, attacked=found.attacked))
    if found.attacked:
        _print(console, "Given back, with exact 95 % intervals", _recall(pictures))
        _print(console, "Prompts by truth and verdict", _confusion(found))
        _print(console, "Error rates of the verdicts, over attacked prompts", _error_rates(found.error_rates))
        if found.curves:
            _print(console, *_curves(found.curves))
        for name, rocs in groupby(found.detectors, key=lambda roc: roc.detector):
            _print(console, *_detector(name, list(rocs)))
        _print(console, "Cost in denoiser evaluations, and in images", _costs(found.costs))
    for note in found.notes:
        console.print()
        say(console, f"Note: {note}")
    console.print(f"\nScore: {path}", markup=False, soft_wrap=True)
    console.print(f"Page: {path.with_name(PAGE)}", markup=False, soft_wrap=True)


def _print(console: Console, title: str, table: Table) -> None:
    console.print(f"\n{title}", markup=False)
    show(console, table)


def _table(*names: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for number, name in enumerate(names):
        table.add_column(name, justify="right" if number else "left", no_wrap=not number)
    return table


def _funnel(lines: Iterable[Funnel], *, attacked: bool) -> Table:
    """Of each number of copies, how many pictures reached each step."""
    steps = STEPS if attacked else STEPS[: STEPS.index("tried")]
    table = _table("copies", "pictures", *(step.replace("verified", "given back") for step in steps))
    for one in lines:
        counts = (f"{getattr(one, step):,}" if (one.name, step) != ("1", "grouped") else "–" for step in steps)
        table.add_row(one.name, f"{one.pictures:,}", *counts)
    return table


def _recall(lines: Iterable[Funnel]) -> Table:
    table = _table("copies", "of all (the whole chain)", "of those attacked")
    for one in lines:
        table.add_row(one.name, _rate(one.recall), _rate(one.attack_recall))
    return table


def _confusion(found: Score) -> Table:
    verdicts = ("matching", "template", "retrieved", "none", "not_attacked", "right_picture")
    table = _table("in truth", *(verdict.replace("_", " ") for verdict in verdicts))
    for one in found.confusion:
        table.add_row(one.truth, *(f"{getattr(one, verdict):,}" for verdict in verdicts))
    return table


def _error_rates(rates: Iterable[ErrorRates]) -> Table:
    table = _table("verdict", "given", "not known", "precision", "recall", "of negatives")
    for one in rates:
        counts = (f"{one.given:,}", f"{one.not_known:,}")
        table.add_row(one.verdict, *counts, *map(_rate, (one.precision, one.recall, one.false_positives)))
    return table


def _curves(found: Sequence[ScoreCurve]) -> tuple[str, Table]:
    first = found[0]
    table = _table("score", "AUC", "average precision", "threshold", "precision there", "recall there")
    for one in found:
        areas = ("–" if x is None else f"{x:.3f}" for x in (one.auc, one.average_precision))
        at = "none" if one.threshold is None else f"{one.passes} {one.threshold:.4g}"
        table.add_row(one.score, *areas, at, _rate(one.precision), _rate(one.recall))
    prompts = f"{first.positives:,} planted and {first.negatives:,} other prompts"
    return (
        f"Stored scores over {prompts}, and each one's threshold for a precision of {first.wanted_precision:g}",
        table,
    )


def _detector(name: str, rocs: Sequence[Roc]) -> tuple[str, Table]:
    table = _table("positives", "prompts", "negatives", "AUC", "TPR", "FPR")
    for one in rocs:
        area = "–" if one.auc is None else f"{one.auc:.3f}"
        at = "–" if one.false_positive_rate is None else percent(one.false_positive_rate)
        table.add_row(one.positives_are, f"{one.positives:,}", f"{one.negatives:,}", area, _rate(one.tpr), at)
    return f"Detector {name}, {rocs[0].evaluations:,.0f} evaluations a prompt", table


def _costs(costs: Iterable[Cost]) -> Table:
    table = _table("arm", "tried", "hits", "triage", "search", "evidence", "a hit", "images", "images a hit")
    for one in costs:
        spent = (one.tried, one.hits, one.triage_evaluations, one.search_evaluations, one.evidence_evaluations)
        images = one.search_images + one.evidence_images
        each = ("–" if x is None else f"{x:,.0f}" for x in (one.evaluations_per_hit, one.images_per_hit))
        table.add_row(one.arm, *(f"{x:,}" for x in spent), next(each), f"{images:,}", next(each))
    return table


def _rate(rate: Rate) -> str:
    if not rate.tried:
        return "–"
    return f"{rate.hits:,} of {rate.tried:,} ({percent(rate.low)} to {percent(rate.high)})"
