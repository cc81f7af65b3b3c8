import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates import collapse


def _samples(hashes: list[str]) -> pl.DataFrame:
    schema = {"sample_id": pl.Int64, "pixel_sha256": pl.String}
    return pl.DataFrame({"sample_id": range(0, 7 * len(hashes), 7), "pixel_sha256": hashes}, schema=schema)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.sampled_from("abcdef"), max_size=40))
def test_rows_fall_onto_the_first_of_equal_pixels(hashes: list[str]) -> None:
    found = collapse(_samples(hashes))
    assert found.first.tolist() == [row for row, value in enumerate(hashes) if value not in hashes[:row]]
    assert [hashes[found.first[picture]] for picture in found.inverse] == hashes
    assert found.copies.tolist() == [hashes.count(hashes[row]) for row in found.first]


def test_nothing_and_all_equal() -> None:
    assert collapse(_samples([])).first.tolist() == []
    found = collapse(_samples(["x"] * 5))
    assert (found.first.tolist(), found.copies.tolist(), found.inverse.tolist()) == ([0], [5], [0] * 5)
