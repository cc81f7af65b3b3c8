"""What a spreadsheet may run when it opens a list: asked by every format that one may open.

A text whose first visible character is = + - or @ (also in full width), or that begins with a tab or line break:
OWASP's list, https://owasp.org/www-community/attacks/CSV_Injection (differs: leading blanks, control and format
characters, which some programs drop, don't hide the sign).

>>> is_formula("\\u200b＝1+1"), is_formula("1-1")
(True, False)
"""

import unicodedata

import polars as pl

_SIGNS = frozenset("=+-@＝＋－＠")


def is_formula(text: str) -> bool:
    """Whether a spreadsheet may run what begins like this."""
    if text[:1] in ("\t", "\r", "\n"):
        return True
    visible = (sign for sign in text if not sign.isspace() and unicodedata.category(sign)[0] != "C")
    return next(visible, "") in _SIGNS


def escape_formulas(rows: pl.DataFrame) -> pl.DataFrame:
    """An apostrophe before each cell that a spreadsheet would run, and the column `escaped` that says where: the names
    of its columns, separated by blanks."""
    texts = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    runs = {
        name: pl.Series([is_formula(cell) for cell in rows[name].fill_null("")], dtype=pl.Boolean) for name in texts
    }
    return rows.with_columns(
        *[pl.when(runs[name]).then("'" + pl.col(name)).otherwise(pl.col(name)).alias(name) for name in texts],
        pl.concat_str(
            [pl.when(runs[name]).then(pl.lit(name)) for name in texts], separator=" ", ignore_nulls=True
        ).alias("escaped"),
    )
