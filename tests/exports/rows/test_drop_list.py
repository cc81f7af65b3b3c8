"""Drop lists under names that other rows share: nothing that stays is ever dropped."""

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import UnusableInputError
from scanner.exports.rows import Named, Unread, as_text
from scanner.exports.rows import drop_list as list_of

DROPPED = pl.Series([1, 2, 3, 4], dtype=pl.Int64)


def unread(*keys: tuple[str, str], others: bool = False) -> Unread:
    schema = {"shard": pl.String, "key": pl.String}
    return Unread(keys=pl.DataFrame(list(keys), schema=schema, orient="row"), others=others)


def drop_list(named, dropped, left=None):
    return list_of(named, dropped, left or unread())


def by(name: str, **columns) -> Named:
    frame = pl.DataFrame({"sample_id": range(len(next(iter(columns.values())))), **columns})
    return Named(name=name, rows=frame, sentence=f"the {name}")


def test_a_url_that_also_stands_on_a_row_that_stays_is_left_out():
    # 0 stays and has the url of 1; 2 and 3 go under one url; 4 has none; 5 is alone
    listed = drop_list(by("url", url=["a", "a", "b", "b", None, "c"]), DROPPED)
    assert listed.values["url"].to_list() == ["b"]
    assert (listed.rows, listed.shared, listed.nameless) == (2, 1, 1)
    assert listed.sentence == (
        "2 rows to drop, by the url (1 different); 1 more is not in the list, for the url also stands on a row that "
        "stays: drop them by --by key, or write --format shards; 1 more has no url."
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
    assert as_text(listed) == b"0\tb\n0\tc\n1\ta\n1\tb\n"


def test_keys_that_no_two_shards_share_need_no_shard():
    named = by("key", shard=["0", "0", "0", "1", "1"], key=["a", "b", "c", "d", "e"])
    assert as_text(drop_list(named, DROPPED)) == b"b\nc\nd\ne\n"


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


def test_a_key_needs_its_shard_where_a_row_that_was_not_read_has_it_too():
    named = by("key", shard=["0", "0", "0", "1", "1"], key=["a", "b", "c", "d", "e"])
    with_shards = b"0\tb\n0\tc\n1\td\n1\te\n"
    assert as_text(drop_list(named, DROPPED, unread(("1", "f")))) == b"b\nc\nd\ne\n"
    assert as_text(drop_list(named, DROPPED, unread(("1", "b")))) == with_shards
    assert as_text(drop_list(named, DROPPED, unread(others=True))) == with_shards


@pytest.mark.parametrize(("left", "rows"), [(unread(("1", "f")), "1 row"), (unread(others=True), "some rows")])
def test_what_is_not_known_of_rows_that_were_not_read_is_said(left, rows):
    listed = drop_list(by("url", url=["a", "b"]), pl.Series([1], dtype=pl.Int64), left)
    assert listed.sentence == (
        f"1 row to drop, by the url; the run did not read {rows} of the data set, and does not know whether a url of "
        "the list also stands there."
    )
    keys = by("key", shard=["0", "0"], key=["a", "b"])
    assert drop_list(keys, pl.Series([1], dtype=pl.Int64), left).sentence == "1 row to drop, by the key."
