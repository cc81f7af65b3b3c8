"""Rows of a truth are found in a run by shard and key, wherever the audited folder began."""

import polars as pl
import pytest

from scanner.errors import UnusableInputError
from scanner.score import read_truth
from scanner.score._join import join_rows
from scanner.score._truth import with_caption_ids

NAMES = ("truth.parquet", "RUN")
NOTHING = {"caption": None, "planted": None, "picture": None, "twin_of": None, "template": None}


def truth(*rows: tuple[str | None, str, str | None]) -> pl.DataFrame:
    frame = pl.DataFrame(rows, schema={"shard": pl.String, "key": pl.String, "caption": pl.String}, orient="row")
    return with_caption_ids(frame)


def samples(*rows: tuple[str, str, str | None]) -> pl.DataFrame:
    schema = {"shard": pl.String, "key": pl.String, "caption": pl.String}
    return pl.DataFrame(rows, schema=schema, orient="row").with_row_index("sample_id").cast({"sample_id": pl.Int64})


def joined(ours: pl.DataFrame, theirs: pl.DataFrame) -> list[int | None]:
    found = join_rows(ours, theirs, NAMES)
    assert found.height == ours.height
    assert found["key"].to_list() == ours["key"].to_list()
    return found["sample_id"].to_list()


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        ("00000", "00000"),
        ("canaries-00000", "planted/canaries/canaries-00000"),
        ("planted/canaries-00000", "canaries-00000"),
        ("canaries", "canaries:3"),
        (None, "anything"),
    ],
)
def test_a_shard_is_one_where_its_names_end_alike(ours, theirs):
    assert joined(truth((ours, "a", None), (ours, "b", None)), samples((theirs, "a", "A"), (theirs, "c", "C"))) == [
        0,
        None,
    ]


def test_another_shard_of_the_same_ending_letters_is_not_meant():
    with pytest.raises(UnusableInputError, match="No row of truth"):
        joined(truth(("0", "a", None)), samples(("10", "a", None)))


def test_the_very_shard_goes_before_one_that_ends_alike():
    assert joined(truth(("x", "a", None)), samples(("y/x", "a", None), ("x", "a", None))) == [1]


def test_a_row_of_another_caption_is_another_row():
    ours = truth(("x", "a", "A fox!"), ("x", "b", "a hen"))
    assert joined(ours, samples(("x", "a", "a fox"), ("x", "b", "a cow"))) == [0, None]


def test_a_row_that_went_to_another_shard_is_found_by_key_and_caption():
    assert joined(truth(("x", "a", "a fox")), samples(("merged", "a", "a fox"), ("merged", "b", "a fox"))) == [0]


def test_a_row_that_stands_in_two_places_is_refused():
    theirs = samples(("one/x", "a", "a fox"), ("two/x", "a", "a fox"))
    with pytest.raises(UnusableInputError, match=r"Key a of shard x .* stands in several shards"):
        joined(truth(("x", "a", "a fox")), theirs)


def test_the_demos_truth_is_read_by_its_own_names(tmp_path):
    path = tmp_path / "truth.parquet"
    pl.DataFrame({"shard": ["0"], "key": ["a"], "picture": [7], "group_copies": [3], "kind": ["exact"]}).write_parquet(
        path
    )
    assert read_truth(path).rows(named=True) == [
        {"shard": "0", "key": "a", "copies": 3, **NOTHING, "planted": True, "picture": "7", "caption_id": None}
    ]


def test_a_csv_keeps_its_keys_as_text(tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text("shard,key,caption,copies\n00000,000000001,a fox,0\n")
    assert read_truth(path).select("shard", "key", "copies", "planted").rows() == [("00000", "000000001", 0, False)]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ("shard,caption\n0,a\n", "has no column key and no copies .found shard caption"),
        ("key,copies\na,many\n", "can't be read as a truth table"),
        ("key,copies\na,\n", "rows without key or copies"),
        ("key,copies\n", "or no rows"),
        ("", "can't be read as a table"),
    ],
)
def test_what_is_no_truth_table_is_refused(content, said, tmp_path):
    path = tmp_path / "truth.csv"
    path.write_text(content)
    with pytest.raises(UnusableInputError, match=said):
        read_truth(path)


def test_a_file_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(UnusableInputError, match="is no file"):
        read_truth(tmp_path / "nothing.parquet")
