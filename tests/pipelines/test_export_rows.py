"""Repairs from the command line, on a small set of real images, read back by those who would read them."""

import gc
import json
import shutil
import tarfile

import numpy as np
import polars as pl
import pytest
import webdataset
from datasets import Dataset

from pipelines.audit import audit
from pipelines.cli import app, exit_code_of
from pipelines.configs import AuditConfig, AuditExtras
from pipelines.engines import LocalEngine
from scanner.run import Run
from scanner.tables import ERRORS, GROUPS, MITIGATIONS, PROMPTS, SAMPLES
from scanner.tables import SHARDS as SHARD_COUNTS
from tests.exports.rows.planted import DROPPED, FOX, KEPT, SHARDS, write_dataset

pytestmark = [  # webdataset leaves it to the garbage collector to close its files
    pytest.mark.filterwarnings("ignore:unclosed file:ResourceWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]

CONFIG = AuditConfig(model="demo", control=3, carry=("uid",))
ROWS = [row for rows in SHARDS.values() for row in rows]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("repair") / "data")


@pytest.fixture(scope="module")
def run(data, tmp_path_factory):
    return audit(data, tmp_path_factory.mktemp("repair") / "run", CONFIG, LocalEngine())


def export(run, out, *arguments):
    return exit_code_of(app, ["export", str(run.path), "--out", str(out), "--format", *arguments])


def sentence(capsys) -> str:
    return " ".join(capsys.readouterr().err.split()).removeprefix("scanner: ")


def keys_of(run, ids) -> set[str]:
    return set(run.read(SAMPLES).filter(pl.col("sample_id").is_in(list(ids)))["key"])


def test_the_audit_writes_what_stays_and_what_goes(run):
    table = run.read(MITIGATIONS)
    by = {name: keys_of(run, table.filter(mitigation=name)["sample_id"]) for name in ("keep", "drop", "recaption")}
    assert by == {"keep": KEPT, "drop": DROPPED, "recaption": {"000000001", "000010001", "000010003"}}
    fox = table.filter(mitigation="keep")["captions"].to_list()[0]
    assert fox == [FOX, "winter animal"]
    assert run.manifest()["parts"]["audit"]["repair"]["keep"] == "largest"


def test_a_finished_audit_given_again_with_another_policy_only_repairs_anew(data, run, tmp_path):
    copy = shutil.copytree(run.path, tmp_path / "run")
    again = audit(data, copy, CONFIG, LocalEngine(), extras=AuditExtras(keep="first"))
    kept = keys_of(again, again.read(MITIGATIONS).filter(mitigation="keep")["sample_id"])
    assert kept == {"000000001", "000010000"}
    assert audit(data, copy, CONFIG, LocalEngine()).manifest()["parts"]["audit"]["repair"]["keep"] == "first"


def test_drop_lists(run, tmp_path, capsys):
    assert export(run, tmp_path / "keys.parquet", "drop-list") == 0
    found = pl.read_parquet(tmp_path / "keys.parquet")
    assert found.columns == ["shard", "key"]
    assert set(found["key"]) == DROPPED
    loaded = Dataset.from_parquet(str(tmp_path / "keys.parquet"), cache_dir=str(tmp_path / "cache"))
    assert loaded.to_list() == found.to_dicts()
    assert export(run, tmp_path / "keys.txt", "drop-list") == 0
    assert set((tmp_path / "keys.txt").read_text().split()) == DROPPED
    assert export(run, tmp_path / "uids.txt", "drop-list", "--by", "uid") == 0
    assert set((tmp_path / "uids.txt").read_text().split()) == {row.uid for row in ROWS if row.key in DROPPED}
    capsys.readouterr()
    # the url of the first fox also stands on the green field
    assert export(run, tmp_path / "urls.txt", "drop-list", "--by", "url") == 0
    assert set((tmp_path / "urls.txt").read_text().split()) == {
        row.url for row in ROWS if row.key in DROPPED and row.url != "https://e.org/fox"
    }
    assert "3 rows to drop, by url as the data set gives it; 1 more is not in the list" in capsys.readouterr().out
    # of equal files one stays, so that no hash can drop the other: the seas; the two small foxes and the third go
    assert export(run, tmp_path / "hashes.txt", "drop-list", "--by", "sha256") == 0
    stored = run.read(SAMPLES).filter(pl.col("file_sha256").is_in((tmp_path / "hashes.txt").read_text().split()))
    assert set(stored["key"]) == {"000000001", "000000005", "000010003"}


def test_another_policy_for_an_export_leaves_the_run_alone(run, tmp_path):
    assert export(run, tmp_path / "keys.txt", "drop-list", "--keep", "first") == 0
    assert set((tmp_path / "keys.txt").read_text().split()) == {"000000002", "000000005", "000010001", "000010003"}
    assert run.manifest()["parts"]["audit"]["repair"]["keep"] == "largest"


def test_only_the_groups_of_some_prompts(run, tmp_path):
    assert export(run, tmp_path / "keys.txt", "drop-list", "--ranks", "1") == 0
    assert set((tmp_path / "keys.txt").read_text().split()) in (
        {"000000001", "000000005", "000010003"},
        {"000010001"},
    )


def test_the_subset_of_datacomp_holds_what_stays(run, tmp_path, capsys):
    assert export(run, tmp_path / "keep.npy", "datacomp") == 0
    subset = np.load(tmp_path / "keep.npy", mmap_mode="r")
    assert subset.dtype == np.dtype("u8,u8")
    lost = {"000000000", "000000004"}
    for row in ROWS:
        key = np.array([divmod(int(row.uid, 16), 2**64)], np.dtype("u8,u8"))[0]
        times = np.searchsorted(subset, key, "right") - np.searchsorted(subset, key, "left")
        assert times == (row.key not in DROPPED | lost)
    assert "2 rows not read are not among them" in capsys.readouterr().out


@pytest.mark.parametrize("unread", [False, True])
def test_the_boolean_array_has_a_value_for_each_row_of_the_data_set(run, tmp_path, unread):
    assert export(run, tmp_path / "a.npy", "bool-array", *(["--drop-failed"] if unread else [])) == 0
    # as read: the rows of each tar, then those that only the parquet knows
    order = [row for rows in SHARDS.values() for row in sorted(rows, key=lambda row: row.picture is None)]
    expected = [row.key in DROPPED or (unread and (row.broken or row.picture is None)) for row in order]
    found = np.load(tmp_path / "a.npy")
    assert (found.dtype, found.tolist()) == (np.bool_, expected)


def test_rows_to_re_caption(run, tmp_path):
    assert export(run, tmp_path / "again.jsonl", "recaption") == 0
    rows = [json.loads(line) for line in (tmp_path / "again.jsonl").read_text().splitlines()]
    assert [row["key"] for row in rows] == ["000000001", "000010003", "000010001"]
    assert rows[0]["group_captions"] == [FOX, "winter animal"]
    assert keys_of(run, [rows[0]["keeps_caption"]]) == {"000000002"}
    assert export(run, tmp_path / "again.parquet", "recaption") == 0
    assert pl.read_parquet(tmp_path / "again.parquet")["caption"].to_list() == [row["caption"] for row in rows]


def samples_of(folder, shards=("00000", "00001")):
    """What webdataset gives: key → bytes of each member."""
    urls = [str(folder / f"{shard}.tar") for shard in shards]
    dataset = webdataset.WebDataset(urls, shardshuffle=False, empty_check=False)
    found = {one["__key__"]: {k: v for k, v in one.items() if not k.startswith("__")} for one in dataset}
    gc.collect()
    return found


@pytest.fixture(scope="module")
def repaired(run, tmp_path_factory):
    out = tmp_path_factory.mktemp("repair") / "new"
    assert export(run, out, "shards") == 0
    return out


def test_webdataset_reads_exactly_the_kept_rows_from_the_new_shards(data, repaired):
    before, after = samples_of(data), samples_of(repaired)
    assert list(after) == [key for key in before if key not in DROPPED]
    assert after == {key: before[key] for key in after}


def test_the_files_beside_the_new_shards_agree_with_them(repaired):
    records = pl.read_parquet(repaired / "00000.parquet")
    assert records["key"].to_list() == ["000000000", "000000002", "000000003", "000000004"]
    stats = json.loads((repaired / "00000_stats.json").read_text())
    assert stats == {"count": 4, "successes": 3, "failed_to_download": 1, "failed_to_resize": 0}
    assert json.loads((repaired / "repair.json").read_text())["dropped"] == 4


@pytest.fixture(scope="module")
def again(repaired, tmp_path_factory):
    """The new shards, audited."""
    return audit(repaired, tmp_path_factory.mktemp("repair") / "again", CONFIG, LocalEngine())


def test_an_audit_of_the_new_shards_finds_no_copies(again):
    assert again.read(GROUPS).is_empty()
    assert again.read(SAMPLES)["pixel_sha256"].is_unique().all()
    assert again.read(ERRORS).filter(pl.col("reason") == "row_count").is_empty()
    assert again.read(MITIGATIONS).is_empty()


def test_rows_that_could_not_be_read_may_go_too(run, tmp_path):
    assert export(run, tmp_path / "new", "shards", "--drop-failed") == 0
    assert list(samples_of(tmp_path / "new", ["00000"])) == ["000000002", "000000003"]
    stats = json.loads((tmp_path / "new/00000_stats.json").read_text())
    assert stats == {"count": 2, "successes": 2, "failed_to_download": 0, "failed_to_resize": 0}


def test_an_export_that_was_stopped_goes_on_and_finished_shards_are_left(run, repaired, tmp_path, capsys):
    copy = shutil.copytree(repaired, tmp_path / "new")
    (copy / "00001.tar").unlink()
    inode = (copy / "00000.tar").stat().st_ino
    assert export(run, copy, "shards") == 0
    assert (copy / "00000.tar").stat().st_ino == inode
    assert samples_of(copy) == samples_of(repaired)
    capsys.readouterr()
    assert export(run, copy, "shards", "--keep", "first") == 2
    assert "holds shards without other rows" in sentence(capsys)
    assert export(run, copy, "shards", "--keep", "first", "--overwrite") == 0
    assert "000000001" in samples_of(copy)


def test_the_originals_are_untouched(data, repaired, tmp_path):
    fresh = write_dataset(tmp_path / "data")
    for file in sorted(fresh.iterdir()):
        if file.suffix != ".parquet":
            assert (data / file.name).read_bytes() == file.read_bytes()
    assert {file.name for file in data.iterdir()} == {file.name for file in fresh.iterdir()}
    assert repaired.parent != data


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("drop-list", "A drop-list is written to .parquet or .txt; name --out so."),
        ("drop-list --by md5", "Rows can't be listed by 'md5'; give --by one of key, url, uid"),
        ("drop-list --keep best", "There is no keep-one policy 'best'"),
        (
            "drop-list --drop-failed",
            "--drop-failed is for shards, datacomp and bool-array, and --format drop-list does not",
        ),
        ("drop-list --risk high", "has no duplicate group that these filters leave"),
        ("drop-list --risk huge", "There is no class of risk 'huge'"),
        ("drop-list --ranks 5000-", "No prompt is left by these filters"),
        ("drop-list --arm control", "which only the risk arm has; leave --arm out"),
        ("drop-list --arm all", "which only the risk arm has; leave --arm out"),
        ("drop-list --skip-unwritable", "--skip-unwritable is for prompts, and --format drop-list does not read it"),
        ("recaption --by url", "--by is for drop-list, and --format recaption does not read it; leave it out"),
    ],
)
def test_what_can_not_be_written_is_said(run, tmp_path, capsys, arguments, said):
    out = tmp_path / ("list.csv" if arguments == "drop-list" else "list.txt")
    assert export(run, out, *arguments.split()) == 2
    assert said in sentence(capsys)
    assert not out.exists()


def test_a_place_that_can_not_be_written(run, tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert export(run, tmp_path / "file" / "keys.txt", "drop-list") == 2
    assert "can't be written" in sentence(capsys)


def test_shards_are_not_written_into_the_data_set(data, run, capsys):
    assert export(run, data / "new", "shards") == 2
    assert "lies inside the data set" in sentence(capsys)
    assert not (data / "new").exists()


def test_a_folder_that_holds_something_else_is_left_alone(run, tmp_path, capsys):
    (tmp_path / "new").mkdir()
    (tmp_path / "new/mine.txt").write_text("mine")
    assert export(run, tmp_path / "new", "shards", "--overwrite") == 2
    assert "holds other files; name a new or an empty folder" in sentence(capsys)
    assert (tmp_path / "new/mine.txt").read_text() == "mine"


@pytest.fixture
def elsewhere(run, tmp_path):
    """The run, as if its data set had been another one."""

    def made(**config) -> Run:
        copy = shutil.copytree(run.path, tmp_path / f"run-{len(list(tmp_path.iterdir()))}")
        header = json.loads((copy / "run.json").read_text())
        header["config"] |= config
        (copy / "run.json").write_text(json.dumps(header))
        return Run.open(copy)

    return made


def test_a_data_set_that_is_gone_or_changed(data, elsewhere, tmp_path, capsys):
    assert export(elsewhere(dataset=str(tmp_path / "gone")), tmp_path / "new", "shards") == 2
    assert "can't be read any more" in sentence(capsys)
    changed = shutil.copytree(data, tmp_path / "changed")
    with tarfile.open(changed / "00001.tar", "w"):
        pass
    assert export(elsewhere(dataset=str(changed)), tmp_path / "a.npy", "bool-array") == 2
    assert "has changed since" in sentence(capsys)
    assert not (tmp_path / "new").exists()


def test_what_a_run_does_not_know(elsewhere, tmp_path, capsys):
    assert export(elsewhere(layout="parquet"), tmp_path / "new", "shards") == 2
    assert "this data set's layout is parquet; write --format drop-list" in sentence(capsys)
    assert export(elsewhere(carry=[]), tmp_path / "u.txt", "drop-list", "--by", "uid") == 2
    assert "The run does not know the rows' uids" in sentence(capsys)
    assert export(elsewhere(carry=[], key_column="uid"), tmp_path / "u.npy", "datacomp") == 2
    assert "'000000001' is no uid of DataComp" in sentence(capsys)
    for out, form in (("b.npy", "bool-array"), ("u.npy", "datacomp"), ("new", "shards")):
        assert export(elsewhere(limit=3), tmp_path / out, form) == 2
        assert "A run with --limit does not know all rows" in sentence(capsys)
    assert export(elsewhere(layout="urls"), tmp_path / "b.npy", "bool-array") == 2
    assert "--by url instead" in sentence(capsys)


def test_rows_without_urls(elsewhere, tmp_path, capsys):
    without = elsewhere()
    for part in sorted((without.path / SAMPLES.path).glob("*.parquet")):
        pl.read_parquet(part).with_columns(url=pl.lit(None, pl.String)).write_parquet(part)
    assert export(without, tmp_path / "u.txt", "drop-list", "--by", "url") == 2
    assert "no row to drop has a url; list the rows with --by key" in sentence(capsys)


def test_keys_of_rows_that_were_not_read_may_be_equal(data, tmp_path, capsys):
    part = audit(data, tmp_path / "part", AuditConfig(model="demo", control=3, limit=4), LocalEngine())
    assert part.read(MITIGATIONS).filter(mitigation="drop").height
    assert export(part, tmp_path / "d.txt", "drop-list") == 0
    assert all("\t" in line for line in (tmp_path / "d.txt").read_text().splitlines())
    assert export(part, tmp_path / "shards", "shards") == 2
    assert "A run with --limit does not know all rows of its data set" in sentence(capsys)


def test_a_run_from_before_repairs(elsewhere, tmp_path, capsys):
    old = elsewhere()
    (old.path / MITIGATIONS.path).unlink()
    assert export(old, tmp_path / "d.txt", "drop-list") == 2
    assert "it was made before audits did; audit the data set into another directory" in sentence(capsys)
    assert export(old, tmp_path / "d.txt", "drop-list", "--keep", "largest") == 0


def test_a_set_without_copies(again, tmp_path, capsys):
    assert export(again, tmp_path / "d.txt", "drop-list") == 2
    assert "has no duplicate group, so there is nothing to drop" in sentence(capsys)


def test_a_limited_run_lists_keys_with_their_shards(elsewhere, tmp_path, capsys):
    limited = elsewhere(limit=10)
    assert export(limited, tmp_path / "keys.txt", "drop-list") == 0
    pairs = {tuple(line.split("\t")) for line in (tmp_path / "keys.txt").read_text().splitlines()}
    assert pairs == {(shard, row.key) for shard, rows in SHARDS.items() for row in rows if row.key in DROPPED}
    capsys.readouterr()
    assert export(limited, tmp_path / "urls.txt", "drop-list", "--by", "url") == 0
    assert "the run did not read some rows of the data set" in capsys.readouterr().out


def lose(run: Run, shard: str) -> None:
    """As an audit leaves a shard that could not be opened."""
    (run.path / SHARD_COUNTS.path / f"{int(shard):05d}.parquet").unlink()
    lost = {"shard": shard, "key": "", "stage": "read", "reason": "OSError", "message": "gone"}
    ERRORS.write(run.path, pl.concat([run.read(ERRORS), ERRORS.frame([lost])]))


@pytest.mark.parametrize(("out", "form"), [("b.npy", "bool-array"), ("u.npy", "datacomp"), ("new", "shards")])
def test_no_shard_is_left_out_in_silence(elsewhere, tmp_path, capsys, out, form):
    without = elsewhere()
    lose(without, "00001")
    assert export(without, tmp_path / out, form) == 2
    assert "Shard 00001 could not be read, so that its rows are not known" in sentence(capsys)
    assert not (tmp_path / out).exists()


def test_a_tar_that_is_damaged_from_its_beginning_is_a_lost_shard(data, tmp_path, capsys):
    damaged = shutil.copytree(data, tmp_path / "data")
    (damaged / "00001.parquet").unlink(missing_ok=True)
    (damaged / "00001.tar").write_bytes(b"no tar " * 300)
    found = audit(damaged, tmp_path / "run", CONFIG, LocalEngine())
    assert export(found, tmp_path / "u.npy", "datacomp") == 2
    assert "Shard 00001 could not be read" in sentence(capsys)


def test_risk_is_asked_of_groups_whether_or_not_they_have_a_listed_prompt(elsewhere, tmp_path):
    unlisted = elsewhere()
    PROMPTS.write(unlisted.path, unlisted.read(PROMPTS).clear())
    groups = unlisted.read(MITIGATIONS).filter(mitigation="drop")
    most = groups["risk_before"].max()
    riskiest = keys_of(unlisted, groups.filter(pl.col("risk_before") == most)["sample_id"])
    assert riskiest == {"000000001", "000000005", "000010003"}
    assert export(unlisted, tmp_path / "most.txt", "drop-list", "--min-risk", str(most)) == 0
    assert set((tmp_path / "most.txt").read_text().split()) == riskiest
    of_class = groups["class_before"][0]
    assert export(unlisted, tmp_path / "class.txt", "drop-list", "--risk", of_class) == 0
    expected = keys_of(unlisted, groups.filter(class_before=of_class)["sample_id"])
    assert set((tmp_path / "class.txt").read_text().split()) == expected


@pytest.mark.parametrize("filters", [["--risk", "low"], ["--min-risk", "0.01"]])
@pytest.mark.parametrize("form", ["drop-list", "text"])
def test_the_risks_of_an_older_formula_are_not_classed(elsewhere, tmp_path, capsys, filters, form):
    old, out = elsewhere(), "list.txt"
    file = old.path / PROMPTS.path
    pl.read_parquet(file).drop("risk_class").write_parquet(file)
    assert export(old, tmp_path / out, form, *filters) == 2
    assert "were made by an older formula than the classes; audit the data set again" in sentence(capsys)
    assert not (tmp_path / out).exists()
    assert export(old, tmp_path / out, form) == 0


def test_one_shard_is_said_as_one(data, tmp_path, capsys):
    one = tmp_path / "data"
    one.mkdir()
    for name in ("00000.tar", "00000.parquet"):
        shutil.copy(data / name, one)
    found = audit(one, tmp_path / "run", CONFIG, LocalEngine())
    capsys.readouterr()
    assert export(found, tmp_path / "new", "shards") == 0
    assert capsys.readouterr().out.startswith("1 shard without 2 rows; of each group")
