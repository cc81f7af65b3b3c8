"""Text lists carry what a line can carry, unchanged, and refuse the rest with the reason."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import UnusableInputError
from scanner.exports.rows import lines
from scanner.formulas import is_formula


@given(st.lists(st.text(), max_size=5))
def test_a_list_reads_back_as_it_was_or_is_refused(values):
    try:
        content = lines(pl.DataFrame({"key": pl.Series(values, dtype=pl.String)}))
    except UnusableInputError:
        assert any(
            value != value.strip()
            or not value
            or len(value.splitlines()) > 1
            or not value.isprintable()
            or is_formula(value)
            for value in values
        )
        return
    assert content.decode("utf-8").splitlines() == values


@pytest.mark.parametrize(
    ("value", "why"),
    [
        ("a\nb", "line break or another control"),
        ("a\x00b", "line break or another control"),
        ("a\x85b", "line break or another control"),
        ("a\u2028b", "line break or another control"),
        ("a\tb", "line break or another control"),
        ("", "is empty"),
        (" a", "white space"),
        ("=cmd|' /C calc'!A0", "formula"),
        ("@x", "formula"),
        ("＝1+1", "formula"),
        ("＋1", "formula"),
        ("－1", "formula"),
        ("＠x", "formula"),
        ("\u200b=1+1", "formula"),
        ("\ufeff\u200b＠x", "formula"),
    ],
)
def test_what_a_line_can_not_carry(value, why):
    with pytest.raises(UnusableInputError, match=rf"1 of the values.*{why}.*name a \.parquet file"):
        lines(pl.DataFrame({"url": ["https://example.org/a", value]}))


def test_columns_are_set_apart_by_tabs():
    assert lines(pl.DataFrame({"shard": ["00000"], "key": ["a/1"]})) == b"00000\ta/1\n"
