"""Values one a line, for tools that read a plain list: nothing in a value may end a line or mean anything else.

Keys and addresses are written by strangers. A text list has no escape that its readers know, so that a value which it
can't carry is refused, and parquet, which carries everything, is named instead: one with a line break or another
control character (a reader would see two rows, or end at it), with white space at an end (readers strip it), an empty
one, and one that a spreadsheet would take for a formula, as in CSV files of prompts.

>>> lines(pl.DataFrame({"key": ["000000001", "000000002"]}))
b'000000001\\n000000002\\n'
"""

import polars as pl

from scanner.errors import UnusableInputError
from scanner.formulas import is_formula

_PLAIN = r"^[0-9A-Za-z]"
"""How nearly all names begin, and no formula does."""
_BREAKS = r"[\x00-\x1f\x7f\u{85}\u{2028}\u{2029}]"
_WHY = {
    "is empty": r"^$",
    "holds a line break or another control character": _BREAKS,
    "begins or ends with white space": r"^\s|\s$",
}
_FORMULA = "begins as what spreadsheets take for a formula"


def lines(frame: pl.DataFrame) -> bytes:
    """The rows of a frame of texts, a line each, columns set apart by tabs. Raises UnusableInputError for a value that
    a line can't carry, with the reason."""
    for name in frame.columns:
        for why, pattern in _WHY.items():
            _refuse(frame[name].filter(frame[name].str.contains(pattern)), why)
        _refuse(_formulas(frame[name]), _FORMULA)
    if frame.is_empty():
        return b""
    joined = frame.select(pl.concat_str(frame.columns, separator="\t").alias("line"))["line"]
    return ("\n".join(joined) + "\n").encode("utf-8")


def _formulas(values: pl.Series) -> pl.Series:
    others = values.filter(~values.str.contains(_PLAIN))
    return others.filter(pl.Series([is_formula(value) for value in others], dtype=pl.Boolean))


def _refuse(found: pl.Series, why: str) -> None:
    if len(found):
        raise UnusableInputError(
            f"{len(found):,} of the values can't stand in a text list, the first the {found.name} {found[0]!r:.120}, "
            f"which {why}; name a .parquet file instead."
        )
