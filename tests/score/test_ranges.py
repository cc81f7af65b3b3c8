"""Few numbers of copies have a line each, many are taken together by doubling."""

import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from scanner.score._ranges import EXACT_UP_TO, ranges


@given(st.lists(st.integers(1, 3000), max_size=40))
def test_every_number_is_in_one_line_and_no_line_is_empty(copies):
    frame = pl.DataFrame({"copies": copies}, schema={"copies": pl.Int64})
    lines = [(name, frame.filter(inside)["copies"].to_list()) for name, inside in ranges(frame["copies"])]
    assert sorted(copy for _, part in lines for copy in part) == sorted(copies)
    assert all(part for _, part in lines)
    assert len({name for name, _ in lines}) == len(lines) <= max(EXACT_UP_TO, 8)


def test_many_numbers_go_into_ranges():
    assert [name for name, _ in ranges(pl.Series(range(1, 140)))] == [
        *("1", "2–3", "4–7", "8–15", "16–31", "32–63", "64–127", "128+"),
    ]
