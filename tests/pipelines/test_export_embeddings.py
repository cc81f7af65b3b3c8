"""Repairs of data sets of embeddings: no image and no size is known, and the row order is that of the metadata."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from upath import UPath

from pipelines.audit import audit
from pipelines.cli import app, exit_code_of
from pipelines.configs import AuditConfig
from pipelines.engines import LocalEngine
from pipelines.repair import mitigations_of
from scanner.tables import SAMPLES
from tests.exports.rows.planted import DROPPED, write_dataset
from tests.samples.embedded import names, unit, write_clip_retrieval, write_datacomp

UIDS = [f"{7 * row + 1:032x}" for row in range(40)]


def vectors():
    """40 rows: three of one vector, two of another, and one that can't be used."""
    found = unit(40, 32)
    found[10] = found[30] = found[0]
    found[39] = found[1]
    found[20] = np.nan
    return found


def test_the_boolean_array_cuts_the_metadata_as_snip_dedup_does(tmp_path):
    rows = names(40)
    parts = [(vectors()[at : at + 20], {name: values[at : at + 20] for name, values in rows.items()}) for at in (0, 20)]
    data = write_clip_retrieval(tmp_path / "data", parts, 2)
    run = audit(data, tmp_path / "run", AuditConfig(control=3), LocalEngine())
    made = run.manifest()["parts"]["audit"]["repair"]
    assert (made["keep"], made["order"]) == ("largest", "first")
    assert "the size of no image is known" in made["kept"]
    arguments = ["export", str(run.path), "--format", "bool-array", "--out", str(tmp_path / "is_dup.npy")]
    assert exit_code_of(app, arguments) == 0
    is_dup, at, left = np.load(tmp_path / "is_dup.npy").ravel(), 0, []
    for file in sorted((data / "metadata").glob("*.parquet")):
        metadata = pd.read_parquet(file)
        left += metadata[np.logical_not(is_dup[at : at + len(metadata)])]["key"].to_list()
        at += len(metadata)
    assert at == len(is_dup) == 40
    assert left == [key for row, key in enumerate(rows["key"]) if row not in (10, 30, 39)]


def test_datacomp_s_metadata_gives_a_subset_by_its_keys(tmp_path, capsys):
    rows = {"uid": UIDS, "url": [None] * 40, "text": [f"text {row}" for row in range(40)]}
    rows |= {"original_width": [100 + row for row in range(40)], "original_height": [100] * 40}
    data = write_datacomp(tmp_path / "data", "00", {"l14_img": vectors()}, rows)
    config = AuditConfig(control=3, carry=("original_width", "original_height"))
    run = audit(data, tmp_path / "run", config, LocalEngine())
    table, made = mitigations_of(run, None)
    assert made.order == "original_pixels"
    kept = run.read(SAMPLES).filter(pl.col("sample_id").is_in(table.filter(mitigation="keep")["sample_id"].implode()))
    assert kept["key"].to_list() == [UIDS[30], UIDS[39]]
    out = tmp_path / "keep.npy"
    assert exit_code_of(app, ["export", str(run.path), "--format", "datacomp", "--out", str(out)]) == 0
    # row 20 could not be read, is no duplicate of anything, and stays
    wanted = sorted(divmod(int(uid, 16), 2**64) for row, uid in enumerate(UIDS) if row not in (0, 10, 1))
    assert np.load(out).tolist() == wanted
    assert (
        exit_code_of(
            app, ["export", str(run.path), "--format", "datacomp", "--drop-failed", "--overwrite", "--out", str(out)]
        )
        == 0
    )
    assert len(np.load(out)) == 36
    assert "36 uids to keep, for DataComp's resharder." in capsys.readouterr().out


@pytest.fixture
def remote(tmp_path):
    where = UPath("memory://repair-data")
    for file in write_dataset(tmp_path / "data").iterdir():
        (where / file.name).write_bytes(file.read_bytes())
    yield str(where)
    where.fs.rm(where.path, recursive=True)


def test_shards_of_a_remote_data_set(remote, tmp_path):
    run = audit(remote, tmp_path / "run", AuditConfig(model="demo", control=3), LocalEngine())
    out = tmp_path / "new"
    assert exit_code_of(app, ["export", str(run.path), "--format", "shards", "--out", str(out)]) == 0
    keys = [key for shard in ("00000", "00001") for key in pl.read_parquet(out / f"{shard}.parquet")["key"]]
    assert len(keys) == 6
    assert not DROPPED & set(keys)
