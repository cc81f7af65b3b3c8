"""How a command speaks on standard output: in the width of the terminal, and plainly where there is none.

In a pipe or a file nothing is coloured, drawn or broken into lines, so that what is said can be searched.

>>> open_console().is_terminal                                               # doctest: +SKIP
False
"""

from rich.console import Console
from rich.table import Table

from scanner.report import visible

PLAIN_WIDTH = 200
"""Columns of a table where there is no terminal: hardly a line is broken."""
WIDE = 80
"""Columns from which there is room for notes and bars beside figures."""
BAR = 10
"""Columns of a bar of 100 %."""


def open_console() -> Console:
    """Standard output, for this command's results."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=PLAIN_WIDTH)


def say(console: Console, sentence: str, style: str = "") -> None:
    """A sentence of ours, in which a stranger's name may stand; broken into lines on a terminal only."""
    console.print(visible(sentence), style=style, markup=False, soft_wrap=not console.is_terminal)


def show(console: Console, table: Table) -> None:
    """A table; in a pipe its lines end where their text does."""
    if console.is_terminal:
        console.print(table)
        return
    with console.capture() as drawn:
        console.print(table)
    for line in drawn.get().splitlines():
        console.print(line.rstrip(), markup=False, soft_wrap=True)


def plain(text: str) -> str:
    """A text as a cell of a table: no markup, and nothing that steers a terminal."""
    return visible(text).replace("[", r"\[")


def columns(*names: str, left: tuple[str, ...] = ()) -> Table:
    """A table without lines, its first column and those of `left` to the left, the others to the right."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    for number, name in enumerate(names):
        table.add_column(name, justify="left" if not number or name in left else "right", no_wrap=name not in left)
    return table


def draws(console: Console) -> bool:
    """Whether bars can be shown."""
    return console.is_terminal and console.width >= WIDE and console.encoding.lower().startswith("utf")


def bar(share: float, style: str) -> str:
    """A share, 0 to 1, as a bar; a share above 0 is never nothing."""
    halves = max(round(share * BAR * 2), 1 if share > 0 else 0)
    drawn = "━" * (halves // 2) + "╸" * (halves % 2)
    return f"[{style}]{drawn}[/{style}]" if drawn else ""
