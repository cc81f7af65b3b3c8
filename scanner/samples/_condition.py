"""The user's condition on a row: polars' SQL, true or false for each row by itself, unknown as in SQL.

https://docs.pola.rs/api/python/stable/reference/sql. A condition that looks at several rows (MAX, COUNT, OVER) is
refused: rows are seen some at a time, and what it would give depends on how many.

    >>> condition = parse_condition("punsafe < 0.1 AND LICENSE = 'CC0'")
    >>> columns_of(condition)
    ['punsafe', 'LICENSE']
    >>> holds(condition, [pl.Series("punsafe", [0.05, 0.2]), pl.Series("LICENSE", ["CC0", "CC0"])], 2).to_list()
    [True, False]
"""

import json
from collections.abc import Sequence
from typing import Any

import polars as pl

from scanner.errors import UnusableInputError

_HELD = "\0held"  # no column of a data set has that name
_SEVERAL_ROWS = {"Agg", "Over", "Window", "Len"}
"""Parts of a polars expression that see more than the row itself."""


def parse_condition(text: str) -> pl.Expr:
    """The condition. Raises UnusableInputError where it is no SQL, or not a matter of each row by itself."""
    try:
        condition = pl.sql_expr(text)
    except Exception as error:  # polars raises several types for SQL that it can't parse
        said = str(error).splitlines()[0]
        raise UnusableInputError(f"--where is not a condition in SQL: {text} ({said}).") from error
    if _sees_several(json.loads(condition.meta.serialize(format="json"))):
        raise UnusableInputError(f"--where must hold or not for each row by itself, which {text} does not.")
    return condition


def _sees_several(node: Any, name: str = "") -> bool:
    if isinstance(node, dict):
        return any(key in _SEVERAL_ROWS or _sees_several(value, key) for key, value in node.items())
    if isinstance(node, list):
        return any(_sees_several(part, name) for part in node)
    return node == "Len" and name not in ("Column", "String")


def columns_of(condition: pl.Expr) -> list[str]:
    """The columns that it asks for, each once."""
    return list(dict.fromkeys(condition.meta.root_names()))


def holds(condition: pl.Expr, columns: Sequence[pl.Series], rows: int) -> pl.Series:
    """Whether it holds for each of `rows` rows (Boolean, no nulls); `columns` are those it asks for.

    A column that is null throughout may be text or number: it is taken for what the condition can be evaluated with.
    Raises UnusableInputError where it can't be evaluated, or gives neither true nor false.
    """
    failed: Exception | None = None
    for kind in (pl.String(), pl.Float64(), pl.Boolean()):
        typed = [column.cast(kind) if column.dtype == pl.Null else column for column in columns]
        try:
            frame = pl.DataFrame([pl.Series(_HELD, [None] * rows, pl.Boolean), *typed])
            held = frame.with_columns(condition.alias(_HELD))[_HELD]
        except pl.exceptions.PolarsError as error:
            failed = failed or error
            continue
        if held.dtype not in (pl.Boolean, pl.Null):
            raise UnusableInputError(f"--where gives a {held.dtype}, not true or false.")
        return held.cast(pl.Boolean).fill_null(False)
    assert failed is not None
    raise UnusableInputError(f"--where can't be evaluated: {str(failed).splitlines()[0]}.") from failed
