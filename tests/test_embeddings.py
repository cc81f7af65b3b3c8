"""Stored embeddings by sample_id: the rows asked for, in the order asked, and which there are none of."""

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.embeddings import pick_embeddings, stored_embeddings
from scanner.errors import ScannerError
from scanner.tables import SAMPLES

COUNTS = {0: 7, 2: 3, 100_000: 1}


def store(run, counts):
    """Samples and embeddings files of shards with so many rows each, six numbers wide."""
    rng = np.random.default_rng(0)
    (run / "embeddings").mkdir()
    for number, count in counts.items():
        ids = pl.DataFrame({"sample_id": [(number << 32) + row for row in range(count)]}, {"sample_id": pl.Int64})
        empty = SAMPLES.empty().drop("sample_id").clear(count)
        SAMPLES.write(run, pl.concat([ids, empty], how="horizontal"), f"{number:05d}")
        np.save(run / "embeddings" / f"{number:05d}.npy", rng.normal(size=(count, 6)).astype(np.float16))
    return run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return store(tmp_path_factory.mktemp("stored"), COUNTS)


IDS = st.builds(lambda number, row: (number << 32) + row, st.sampled_from([0, 1, 2, 100_000]), st.integers(0, 8))


@settings(max_examples=40, deadline=None)
@given(st.lists(IDS, max_size=20))
def test_the_rows_that_are_asked_for_in_the_order_asked(run, ids):
    stored = dict(zip(*(rows.tolist() for rows in stored_embeddings(run)), strict=True))
    found, rows = pick_embeddings(run, np.array(ids, np.int64))
    assert found.tolist() == [one in stored for one in ids]
    assert rows.tolist() == [stored[one] for one in ids if one in stored]
    assert rows.dtype == np.float16


def test_embeddings_that_cannot_be_read_are_an_error(tmp_path):
    run = store(tmp_path, {0: 2})
    (run / "embeddings" / "00000.npy").write_bytes(b"")
    with pytest.raises(ScannerError, match=r"00000\.npy can't be read"):
        pick_embeddings(run, np.array([1]))
