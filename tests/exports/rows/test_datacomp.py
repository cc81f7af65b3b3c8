"""DataComp's subset, read as its resharder reads it: np.load, one dtype, bisection from both sides."""

import numpy as np
import polars as pl
from hypothesis import given
from hypothesis import strategies as st

from scanner.exports.rows import UID, subset

UIDS = st.text("0123456789abcdef", min_size=32, max_size=32)


@given(st.lists(UIDS, max_size=20), UIDS)
def test_the_resharder_finds_each_uid_once_and_no_other(uids, other):
    found = subset(pl.Series([*uids, *uids[:2], None], dtype=pl.String))
    assert found.dtype == np.dtype("u8,u8") == UID
    for uid in {*uids, other}:
        key = np.array([divmod(int(uid, 16), 2**64)], np.dtype("u8,u8"))[0]
        times = np.searchsorted(found, key, "right") - np.searchsorted(found, key, "left")
        assert times == (uid in uids)


def test_it_survives_its_file(tmp_path):
    wanted = subset(pl.Series(["f" * 32, "0" * 31 + "1"]))
    np.save(tmp_path / "subset.npy", wanted)
    loaded = np.load(tmp_path / "subset.npy", mmap_mode="r")
    assert loaded.tolist() == [(0, 1), (2**64 - 1, 2**64 - 1)]
    assert loaded.dtype == np.dtype("u8,u8")
