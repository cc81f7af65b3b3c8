"""Carried columns keep their names and values, whatever types the shards give them."""

import datetime
from decimal import Decimal

import polars as pl

from scanner.carried import carried_frame, read_carried, write_carried


def test_shards_with_other_types_are_read_together(tmp_path):
    names = ("punsafe", "LICENSE", "hash", "faces")
    first = [{"punsafe": 1, "hash": 2**62 + 1, "faces": [[0, 1]]}, {"punsafe": 0, "LICENSE": None}]
    second = [{"punsafe": 0.25, "LICENSE": "CC0", "hash": 7}]
    write_carried(tmp_path, "00001", carried_frame([2**32], second, names))
    write_carried(tmp_path, "00000", carried_frame([0, 1], first, names))
    assert read_carried(tmp_path).rows(named=True) == [
        {"sample_id": 0, "punsafe": 1.0, "LICENSE": None, "hash": 2**62 + 1, "faces": "[[0, 1]]"},
        {"sample_id": 1, "punsafe": 0.0, "LICENSE": None, "hash": None, "faces": None},
        {"sample_id": 2**32, "punsafe": 0.25, "LICENSE": "CC0", "hash": 7, "faces": None},
    ]


def test_a_column_of_mixed_types_keeps_every_value():
    frame = carried_frame([0, 1, 2, 3], [{"x": 1}, {"x": "a"}, {"x": 2.5}, {"x": None}], ("x",))
    assert frame["x"].to_list() == ["1", "a", "2.5", None]


def test_nothing_is_written_where_nothing_is_carried(tmp_path):
    write_carried(tmp_path, "00000", carried_frame([0], [{"a": 1}], ()))
    assert list(tmp_path.iterdir()) == []
    assert read_carried(tmp_path).equals(pl.DataFrame(schema={"sample_id": pl.Int64}))


def test_dates_and_decimals_are_written_as_they_read():
    values = [{"when": datetime.date(2020, 1, 2), "price": Decimal("0.05")}]
    assert carried_frame([0], values, ("when", "price")).row(0) == (0, "2020-01-02", "0.05")
