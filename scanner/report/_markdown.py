"""Text of strangers in Markdown: as code, where nothing is a link, a mention, a tag or a heading.

A code span is fenced by more backticks than stand in a row in the text (CommonMark 0.31, 6.1), so that the text can't
end it. Table cells hold only our own words and numbers: in a table a bar would end the cell even inside code.

    >>> code("a `tick` and <b>")
    '``a `tick` and <b>``'
"""

import re
from collections.abc import Sequence

from scanner.report._show import cut

LENGTH = 160
"""Characters of a text."""


def code(text: str, length: int = LENGTH) -> str:
    """The text as one code span on one line, cut, invisible characters shown; `(empty)` for none."""
    shown = cut(text, length)
    line = shown.text + ("" if shown.whole is None else "…")
    if not line.strip():
        return "(empty)"
    fence = "`" * (1 + max((len(run) for run in re.findall("`+", line)), default=0))
    blank = " " if line[0] in "` " or line[-1] in "` " else ""
    return f"{fence}{blank}{line}{blank}{fence}"


def table(header: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> str:
    """A table of our own words; raises ValueError where a cell would end early."""
    lines = [header, tuple("---" for _ in header), *rows]
    if any("|" in cell or "\n" in cell for line in lines for cell in line):
        raise ValueError("A cell of a Markdown table holds no bar and no line break.")
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
