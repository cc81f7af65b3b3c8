"""What was reviewed, for people and for programs: by rule and by eye, and how far reviewers agree.

>>> print_review(run, count_reviews(run), as_json=False)                     # doctest: +SKIP
"""

import json
import sys
from dataclasses import asdict

from rich.table import Table

from pipelines.terminal import open_console, say, show
from scanner.report import percent, review_words
from scanner.review import Agreement, Review
from scanner.run import Run


def print_review(run: Run, found: Review, *, as_json: bool) -> None:
    """On standard output."""
    if as_json:
        json.dump({"run": str(run.path), **asdict(found)}, sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    console = open_console()
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0))
    for name in ("", "there are", "accepted", "rejected", "disputed", "unsure", "not reviewed"):
        table.add_column(name, justify="left" if not name else "right")
    for one in found.counts:
        figures = (one.items, one.accepted, one.rejected, one.disputed, one.unsure, one.unreviewed)
        table.add_row(review_words(one), *(f"{figure:,}" for figure in figures))
    show(console, table)
    if found.elsewhere:
        console.print(f"\nDecisions about {found.elsewhere:,} more, whose pictures are not in the run as they were.")
    for agreement in found.agreement:
        console.print()
        say(console, _agreed(agreement))


def _agreed(one: Agreement) -> str:
    kappa = "has no value (both gave one answer throughout)" if one.kappa is None else f"is {one.kappa:.2f}"
    return (
        f"{one.first} and {one.second} judged {one.both:,} items both, {one.same:,} of them alike "
        f"({percent(one.share)}); Cohen's kappa {kappa}."
    )
