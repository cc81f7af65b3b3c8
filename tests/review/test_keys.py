"""Keys name pictures and nothing else."""

from hypothesis import given
from hypothesis import strategies as st

from scanner.review import group_key, pair_key

HASHES = st.text("0123456789abcdef", min_size=1, max_size=6)


@given(st.lists(HASHES, max_size=6), st.lists(HASHES, max_size=6))
def test_groups_have_one_key_exactly_when_they_show_the_same_pictures(one: list[str], other: list[str]) -> None:
    assert (group_key(one) == group_key(other)) == (set(one) == set(other))


@given(HASHES, HASHES, HASHES, HASHES)
def test_pairs_have_one_key_exactly_when_both_sides_are_equal(a: str, b: str, c: str, d: str) -> None:
    assert (pair_key(a, b) == pair_key(c, d)) == ((a, b) == (c, d))


@given(HASHES, HASHES)
def test_a_pair_is_no_group(a: str, b: str) -> None:
    assert pair_key(a, b) != group_key([a, b])
