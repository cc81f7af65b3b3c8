"""Drop lists under names that other rows share: nothing that stays is ever dropped."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import UnusableInputError
from scanner.exports.rows import Named, as_text, drop_list

DROPPED = pl.Series([1, 2, 3, 4], dtype=pl.Int64)


def by(name: str, **columns) -> Named:
    frame = pl.DataFrame({"sample_id": range(len(next(iter(columns.values())))), **columns})
    return Named(name=name, rows=frame, sentence=f"the {name}")


def test_a_url_that_also_stands_on_a_row_that_stays_is_left_out():
    # 0 stays and has the url of 1; 2 and 3 go under one url; 4 has none; 5 is alone
    listed = drop_list(by("url", url=["a", "a", "b", "b", None, "c"]), DROPPED)
    assert listed.values["url"].to_list() == ["b"]
    assert (listed.rows, listed.shared, listed.nameless) == (2, 1, 1)
    assert listed.sentence == (
        "2 rows to drop, by the url (1 different); 1 more are not in the list, for their url also stands on a row that "
        "stays: drop them by --by key, or write --format shards; 1 more have no url."
    )


@given(st.lists(st.sampled_from(["a", "b", "c", None]), min_size=1, max_size=8), st.sets(st.integers(0, 7)))
def test_no_row_that_stays_is_dropped_and_every_row_is_counted(urls, dropped):
    ids = pl.Series(sorted(n for n in dropped if n < len(urls)), dtype=pl.Int64)
    try:
        listed = drop_list(by("url", url=pl.Series(urls, dtype=pl.String)), ids)
    except UnusableInputError:
        return
    gone = {n for n, url in enumerate(urls) if url in set(listed.values["url"])}
    assert gone <= set(ids)
    assert (len(gone), listed.rows + listed.shared + listed.nameless) == (listed.rows, len(ids))


def test_keys_are_those_of_their_shard():
    named = by("key", shard=["0", "0", "0", "1", "1"], key=["a", "b", "c", "a", "b"])
    listed = drop_list(named, DROPPED)
    assert listed.values.rows() == [("0", "b"), ("0", "c"), ("1", "a"), ("1", "b")]
    assert listed.shared == 0
    assert as_text(listed, bare_keys=False) == b"0\tb\n0\tc\n1\ta\n1\tb\n"


def test_keys_that_no_two_shards_share_need_no_shard():
    named = by("key", shard=["0", "0", "0", "1", "1"], key=["a", "b", "c", "d", "e"])
    assert as_text(drop_list(named, DROPPED), bare_keys=True) == b"b\nc\nd\ne\n"


@pytest.mark.parametrize(
    ("urls", "why"),
    [
        (["a", None, None, None, None], "no row to drop has a url"),
        (["a"] * 5, "the url of each stands on rows that stay"),
    ],
)
def test_nothing_can_be_listed(urls, why):
    with pytest.raises(
        UnusableInputError, match=rf"Nothing can be dropped by url, for {why}; list the rows with --by key"
    ):
        drop_list(by("url", url=urls), DROPPED)
