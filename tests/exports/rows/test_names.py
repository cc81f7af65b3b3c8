"""Which hash a drop list is by: the data set's own where the run carries it, else that of the stored file."""

import polars as pl
import pytest

from scanner.carried import write_carried
from scanner.errors import UnusableInputError
from scanner.exports.rows import named
from scanner.run import Run
from scanner.tables import SAMPLES

DOWNLOADED, STORED = "AB" * 32, "cd" * 32


def run_that_carries(path, *columns, **values) -> Run:
    run = Run.claim(path, {"layout": "webdataset", "carry": list(columns)})
    row = {"sample_id": 0, "shard": "0", "key": "a", "file_sha256": STORED}
    SAMPLES.write(run.path, SAMPLES.frame([row]), "00000")
    write_carried(run.path, "00000", pl.DataFrame({"sample_id": [0], **values}))
    return run


def test_the_hash_of_the_stored_file(tmp_path):
    found = named(run_that_carries(tmp_path / "run"), "sha256")
    assert found.rows.rows() == [(0, STORED)]
    assert found.sentence == "sha-256 of the image file as it is stored"


def test_the_data_set_s_own_hash_where_it_is_carried(tmp_path):
    found = named(run_that_carries(tmp_path / "run", "sha256", sha256=[DOWNLOADED]), "sha256")
    assert found.rows.rows() == [(0, DOWNLOADED.lower())]
    assert found.sentence == "the data set's own sha256 column, as carried"


def test_a_column_that_holds_something_else(tmp_path):
    with pytest.raises(UnusableInputError, match=r"'md5' is no sha-256 \(64 hex digits\)"):
        named(run_that_carries(tmp_path / "a", "sha256", sha256=["md5"]), "sha256")
    with pytest.raises(UnusableInputError, match=r"12 is no uid|'12' is no uid of DataComp"):
        named(run_that_carries(tmp_path / "b", "uid", uid=[12]), "uid")
