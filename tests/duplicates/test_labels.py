"""Labelled samples as people write them, and every way in which one can be wrong: a sentence that names the row."""

import polars as pl
import pytest

from scanner.duplicates import read_labels
from scanner.errors import UnusableInputError

SAMPLES = pl.DataFrame(
    {
        "sample_id": pl.Series([0, 1, 2, 2**32, 2**32 + 1], dtype=pl.Int64),
        "shard": ["a/00", "a/00", "a/00", "b", "b"],
        "key": ["0001", "x", "7", "0001", "y/z"],
    }
)


def labels(tmp_path, text: str):
    file = tmp_path / "labels.csv"
    file.write_text(text)
    return read_labels(file, SAMPLES)


def test_rows_are_named_in_three_ways(tmp_path):
    found = labels(
        tmp_path,
        "left,right,same,who\na/00/0001,x,1,me\n7,b/0001,0,me\n4294967296, 4294967297 ,TRUE,me\ny/z,2,False,me\n",
    )
    assert found.left.tolist() == [0, 2, 3, 4]
    assert found.right.tolist() == [1, 3, 4, 2]
    assert found.same.tolist() == [True, False, True, False]
    assert len(found) == 4


@pytest.mark.parametrize("same", [[True, False], [1, 0], ["true", "0"]])
def test_parquet_with_ids(tmp_path, same):
    pl.DataFrame({"left": [0, 1], "right": [2**32, 2], "same": same}).write_parquet(tmp_path / "labels.parquet")
    found = read_labels(tmp_path / "labels.parquet", SAMPLES)
    assert (found.left.tolist(), found.right.tolist(), found.same.tolist()) == ([0, 1], [3, 2], [True, False])


def test_a_column_of_integers_holds_ids_and_no_keys(tmp_path):
    pl.DataFrame({"left": [7], "right": [1], "same": [1]}).write_parquet(tmp_path / "labels.parquet")
    with pytest.raises(UnusableInputError, match=r"Row 1 of .* names 7, which is no row"):
        read_labels(tmp_path / "labels.parquet", SAMPLES)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("left,right\nx,7\n", "no column 'same'"),
        ("left,right,same\n", "no labelled pair"),
        ("", "can't be read as csv"),
        ("left,right,same\nx,7,1\nx,2,yes\n", "Row 2 of .* says 'yes' where 0, 1, true or false"),
        ("left,right,same\nx,7,1\nx,2,\n", "Row 2 of .* says None where"),
        ("left,right,same\nx,7,1\nx,nobody,0\n", "Row 2 of .* names 'nobody', which is no row of this run; give"),
        ("left,right,same\n,7,1\n", "Row 1 of .* names None, which is no row"),
        ("left,right,same\n0001,7,1\n", "Row 1 of .* names '0001', which 2 rows of this run bear; write shard/key"),
        ("left,right,same\nx,1,1\n", "Row 1 of .* pairs 'x' with itself"),
        ("left,right,same\nx,7,1\n7,x,0\n", "Row 2 of .* names the pair of row 1 again"),
        ("left,right,same\nx,7,1,4,5\n", "can't be read as csv"),
    ],
)
def test_what_can_not_be_used_is_said_in_one_sentence(tmp_path, text, said):
    with pytest.raises(UnusableInputError, match=said) as raised:
        labels(tmp_path, text)
    assert "\n" not in str(raised.value)


def test_a_name_that_is_the_key_of_one_row_and_the_id_of_another_is_ambiguous(tmp_path):
    samples = SAMPLES.with_columns(key=pl.Series(["1", "x", "7", "0001", "y/z"]))
    (tmp_path / "labels.csv").write_text("left,right,same\n1,7,1\n")
    with pytest.raises(UnusableInputError, match="which 2 rows of this run bear"):
        read_labels(tmp_path / "labels.csv", samples)


def test_files_that_are_none(tmp_path):
    with pytest.raises(UnusableInputError, match="There is no file of labels"):
        read_labels(tmp_path / "nowhere.csv", SAMPLES)
    with pytest.raises(UnusableInputError, match=r"no file of labels; give a \.csv or .parquet"):
        read_labels(tmp_path / "labels.txt", SAMPLES)
    (tmp_path / "labels.parquet").write_text("no parquet")
    with pytest.raises(UnusableInputError, match="can't be read as parquet"):
        read_labels(tmp_path / "labels.parquet", SAMPLES)
    (tmp_path / "labels.csv").write_bytes(b"left,right,same\n\xff\xfe\xfa,7,1\n")
    with pytest.raises(UnusableInputError, match=r"labels\.csv"):
        read_labels(tmp_path / "labels.csv", SAMPLES)
