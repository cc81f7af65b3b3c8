"""A plan for people and for programs: a table with a range and its origin on every line, or one JSON object.

>>> print_plan(made, as_json=False)                                        # doctest: +SKIP
"""

import json
import sys
from collections.abc import Callable
from dataclasses import asdict

from rich.table import Table

from pipelines.planning._figures import Plan, Section
from pipelines.terminal import open_console

NARROW = 110
"""Columns below which a terminal has no room for what the figures are based on."""


def print_plan(made: Plan, *, as_json: bool) -> None:
    """The plan on standard output."""
    if as_json:
        json.dump(asdict(made), sys.stdout, indent=2, ensure_ascii=False)
        sys.stdout.write("\n")
        return
    console = open_console()
    console.print(f"\n{made.subject}\n", style="bold", markup=False)
    wide = console.width >= NARROW
    console.print(_table(made, wide=wide))
    for note in made.notes:
        console.print(f"\n{note}", markup=False, style="dim")
    if not wide:
        console.print(
            f"\nA terminal of {NARROW} columns shows what each figure is based on.", markup=False, style="dim"
        )
    console.print("\nA plan: nothing was written.", markup=False)


def _table(made: Plan, *, wide: bool) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("")
    for title in ("least", "expected", "most"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("how known", no_wrap=True)
    if wide:
        table.add_column("based on")
    for number, section in enumerate(made.sections):
        if number:
            table.add_row()
        table.add_row(f"[bold]{_escaped(section.name)}[/bold]")
        _add(table, section, wide=wide)
    return table


def _add(table: Table, section: Section, *, wide: bool) -> None:
    for one in section.figures:
        say = SAY[one.unit]
        if one.span is None:
            amounts = ("", "unknown", "")
        elif one.span.least == one.span.most:
            amounts = ("", say(one.span.expected), "")
        else:
            amounts = (say(one.span.least), say(one.span.expected), say(one.span.most))
        basis = (_escaped(one.basis),) if wide else ()
        table.add_row(f"  {_escaped(one.name)}", *amounts, one.known, *basis)


def _escaped(text: str) -> str:
    return text.replace("[", r"\[")


def number(amount: float) -> str:
    """`1,234`, `12.5` or `0.05`; beyond ten thousand million in powers of ten."""
    if amount >= 1e10:
        return f"{amount:.3g}"
    return f"{amount:,.0f}" if amount >= 100 or amount == int(amount) else f"{amount:.3g}"


def duration(seconds: float) -> str:
    """`3.2 ms`, `41 s`, `12 min`, `5.3 h` or `41 days`."""
    for limit, unit, name in ((1, 0.001, "ms"), (120, 1, "s"), (7200, 60, "min"), (48 * 3600, 3600, "h")):
        if seconds < limit:
            return f"{seconds / unit:.3g} {name}"
    return f"{number(seconds / 86400)} days"


def size(count: float) -> str:
    """`900 bytes`, `1.2 MB`, `3.4 TB`: powers of a thousand."""
    if count < 1000:
        return f"{count:.0f} bytes"
    amount, unit = count, -1
    while amount >= 999.5 and unit < 5:
        amount, unit = amount / 1000, unit + 1
    return f"{amount:.3g} {('kB', 'MB', 'GB', 'TB', 'PB', 'EB')[unit]}"


def _price(amount: float) -> str:
    return f"{amount:,.2f}"


SAY: dict[str, Callable[[float], str]] = {
    "rows": number,
    "groups": number,
    "prompts": number,
    "images": number,
    "requests": number,
    "evaluations": number,
    "times": number,
    "seconds": duration,
    "bytes": size,
    "price": _price,
}
"""How an amount of each unit is written."""
