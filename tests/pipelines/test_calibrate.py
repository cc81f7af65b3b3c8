"""`scanner calibrate` on real runs, and the audit that takes its threshold."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import msgspec
import numpy as np
import polars as pl
import pytest

from pipelines.audit import audit
from pipelines.calibrate import calibrate_run
from pipelines.calibration import CalibrationRecord, read_calibration
from pipelines.cli import app, exit_code_of
from pipelines.configs import AuditConfig, CalibrateConfig
from pipelines.engines import LocalEngine
from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.tables import CALIBRATION, ERRORS, GROUPS, MEMBERS, SAMPLES
from tests.pipelines.conftest import AUDIT
from tests.samples.embedded import names, turned, unit, write_clip_retrieval

LOOSE = CalibrateConfig(rate=1e-3)
BLIND = AuditConfig(control=5)


def embedded(folder: Path, rows: int, width: int = 32, seed: int = 0) -> Path:
    """A data set of embeddings with one near copy."""
    vectors = unit(rows, width, seed)
    vectors[9] = turned(vectors[5], 0.99)
    return write_clip_retrieval(folder, [(vectors, names(rows))], 1)


@pytest.fixture(scope="module")
def laion(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return embedded(tmp_path_factory.mktemp("calibrated") / "data", 600)


@pytest.fixture(scope="module")
def blind_run(laion: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """An audit of embeddings alone, calibrated."""
    run = audit(laion, tmp_path_factory.mktemp("calibrated") / "run", BLIND, LocalEngine())
    calibrate_run(run, LOOSE)
    return run


@pytest.fixture
def picture_run(small_run: Run, tmp_path: Path) -> Run:
    """A copy of the audit of pictures that other tests look at."""
    shutil.copytree(small_run.path, tmp_path / "pictures")
    return Run.open(tmp_path / "pictures")


def command(*arguments: object) -> int:
    return exit_code_of(app, [str(argument) for argument in arguments])


def refused(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """The sentence with which the command refused."""
    capsys.readouterr()
    code = command(*arguments)
    said = capsys.readouterr()
    assert (code, said.out) == (2, "")
    lines = [line for line in said.err.splitlines() if line.startswith("scanner: ")]
    assert said.err.splitlines()[-1:] == lines
    return lines[0]


def test_the_files_agree_with_one_another(blind_run):
    record = read_calibration(blind_run.path)
    assert record == read_calibration(blind_run.path / "calibration.json")
    assert (record.own_kind, record.left_out_by, record.every_pair) == ("decides", "similarity", True)
    assert record.model_checksum == blind_run.config["model_checksum"]
    chosen = blind_run.read(CALIBRATION).filter("chosen")
    for kind in ("decides", "proposes"):
        row, one = chosen.filter(pl.col("kind") == kind).row(0, named=True), getattr(record, kind)
        assert (row["cosine"], row["reached"], row["pairs"]) == (one.threshold, one.reached, one.pairs)
        assert one.reached / one.pairs <= one.rate
        assert (row["known"], row["known_reached"]) == (1, 1)
    page = (blind_run.path / "calibration.html").read_text(encoding="utf-8")
    assert f"{record.decides.threshold:.4f}" in page


def test_the_threshold_holds_on_fresh_embeddings_of_the_same_kind(blind_run):
    fresh = unit(1500, 32, seed=8).astype(np.float32)
    cosines = (fresh @ fresh.T)[np.triu_indices(1500, 1)]
    found = read_calibration(blind_run.path).decides
    assert 0.7 * found.rate < (cosines >= found.threshold).mean() < 1.3 * found.rate


def test_an_audit_takes_the_threshold_and_goes_on_only_with_it(blind_run, laion, tmp_path, capsys):
    threshold = read_calibration(blind_run.path).decides.threshold
    out, calibration = tmp_path / "run", blind_run.path
    run = audit(laion, out, replace(BLIND, calibration=str(calibration)), LocalEngine())
    assert run.manifest()["parts"]["audit"]["cosine"] == threshold
    assert run.config["threshold"] == threshold
    assert run.config["calibration"]["kind"] == "decides"
    again = audit(laion, out, replace(BLIND, calibration=str(calibration / "calibration.json")), LocalEngine())
    assert again.read(MEMBERS).equals(run.read(MEMBERS))
    options = ("--out", out, "--control", 5)
    assert "calibration" in refused(capsys, "audit", laion, *options)
    assert "calibration" in refused(capsys, "audit", laion, *options, "--threshold", threshold)
    other = tmp_path / "other.json"
    record = msgspec.json.decode((calibration / "calibration.json").read_bytes())
    other.write_bytes(msgspec.json.encode(record | {"seed": 1}))
    said = refused(capsys, "audit", laion, *options, "--calibration", other)
    assert "calibration.file_sha256 differ" in said


def test_a_calibration_and_a_threshold_together_are_refused(blind_run, laion, tmp_path, capsys):
    both = ("--calibration", blind_run.path, "--threshold", 0.5)
    assert "give one of them" in refused(capsys, "audit", laion, "--out", tmp_path / "run", *both)
    assert not (tmp_path / "run").exists()


def test_a_calibration_of_other_embeddings_is_refused(blind_run, laion, small_data, tmp_path, capsys):
    wider = embedded(tmp_path / "wider", 60, width=64)
    out = ("--out", tmp_path / "run")
    assert "other weights or arrays" in refused(capsys, "audit", wider, *out, "--calibration", blind_run.path)
    said = refused(capsys, "audit", small_data, *out, "--model", "demo", "--calibration", blind_run.path)
    assert "of the data set's own and not of demo" in said
    record = json.loads((blind_run.path / "calibration.json").read_text())
    pictures = tmp_path / "pictures.json"
    pictures.write_text(json.dumps(record | {"model": "demo"}))
    said = refused(capsys, "audit", laion, *out, "--calibration", pictures)
    assert f"give --threshold {record['decides']['threshold']:.4f} instead" in said
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"schema_version": 1}', "\xff"])
def test_what_is_no_calibration_is_refused(content, laion, tmp_path, capsys):
    file = tmp_path / "calibration.json"
    file.write_text(content, encoding="latin-1")
    assert "no calibration of this version" in refused(
        capsys, "audit", laion, "--out", tmp_path / "run", "--calibration", file
    )
    assert "There is no calibration" in refused(
        capsys, "audit", laion, "--out", tmp_path / "run", "--calibration", tmp_path / "nowhere.json"
    )


def test_a_run_of_pictures_gives_both_and_an_audit_takes_the_one_that_proposes(picture_run, small_data, tmp_path):
    made = calibrate_run(picture_run, replace(LOOSE, propose_rate=0.02))
    assert (made.record.own_kind, made.record.left_out_by) == ("proposes", "groups")
    assert (made.record.proposes.whitened, made.record.decides.whitened) == (False, False)
    config = replace(AUDIT, calibration=str(picture_run.path))
    run = audit(small_data, tmp_path / "again", config, LocalEngine())
    assert run.config["calibration"]["kind"] == "proposes"
    assert run.config["threshold"] == made.record.proposes.threshold


def test_a_calibration_of_whitened_vectors_is_refused_where_nothing_is_whitened(picture_run, small_data, tmp_path):
    made = calibrate_run(picture_run, replace(LOOSE, propose_rate=0.02))
    record = json.loads(made.file.read_text())
    made.file.write_text(json.dumps(record | {"distinct": 5000}))
    config = replace(AUDIT, calibration=str(made.file))
    with pytest.raises(UnusableInputError, match=r"vectors whitened to 256 dimensions .* embeddings as they are"):
        audit(small_data, tmp_path / "again", config, LocalEngine())


def test_a_run_without_groups_is_calibrated_by_its_hashes(picture_run):
    for table in (GROUPS, MEMBERS):
        (picture_run.path / table.path).unlink()
    made = calibrate_run(picture_run, replace(LOOSE, propose_rate=0.02))
    assert (made.record.left_out_by, made.record.proposes.known) == ("hashes", 0)


def test_labels_give_precision_and_recall(blind_run, tmp_path, capsys):
    keys = blind_run.read(SAMPLES)["key"]
    rows = [(keys[5], keys[9], 1), *((keys[row], keys[row + 100], 0) for row in range(20, 60))]
    pl.DataFrame(rows, schema=["left", "right", "same"], orient="row").write_csv(tmp_path / "labels.csv")
    copy = tmp_path / "copy"
    shutil.copytree(blind_run.path, copy)
    arguments = ("--rate", 1e-3, "--labels", tmp_path / "labels.csv", "--precision", 0.9)
    capsys.readouterr()
    assert command("calibrate", copy, *arguments, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert said["labels"] == {"file": "labels.csv", "pairs": 41, "same": 1}
    precision = said["decides"]["precision"]
    assert (precision["same"], precision["reached"]) == (1, 1)
    assert precision["low"] == pytest.approx(0.025)
    rows = CALIBRATION.read(copy).filter(pl.col("kind") == "decides", pl.col("cosine") == 0.95)
    assert rows.select("precision", "recall").row(0) == (1.0, 1.0)
    assert "Precision" in (copy / "calibration.html").read_text(encoding="utf-8")


def test_the_summary_is_plain_where_there_is_no_terminal(blind_run, capsys):
    capsys.readouterr()
    assert command("calibrate", blind_run.path, "--rate", 1e-3) == 0
    said = capsys.readouterr()
    threshold = read_calibration(blind_run.path).decides.threshold
    assert f"A cosine of {threshold:.4f} takes for copies" in said.out
    assert "--calibration" in said.out
    assert "\x1b" not in said.out
    assert "random pairs" in said.err
    assert command("calibrate", blind_run.path, "--rate", 1e-3, "--json") == 0
    said = json.loads(capsys.readouterr().out)
    assert msgspec.convert({name: said[name] for name in said if name not in ("page",)}, CalibrationRecord)
    assert said["calibration"] == str(blind_run.path / "calibration.json")


def test_the_help_shows_examples_and_every_option(capsys):
    assert command("calibrate", "--help") == 0
    said = capsys.readouterr().out
    for text in ("scanner calibrate runs/laion", "--rate", "--propose-rate", "--pairs", "--labels", "--precision"):
        assert text in said


def test_two_calibrations_write_the_same_files(blind_run):
    files = [blind_run.path / f"calibration.{kind}" for kind in ("json", "html", "parquet")]
    before = [file.read_bytes() for file in files]
    calibrate_run(blind_run, LOOSE)
    assert [file.read_bytes() for file in files] == before


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "needs 1,000,000 random pairs, and 600 distinct pictures have 179,700; give --rate 1e-05 or more"),
        (("--rate", 0), "above 0 and below 1, not 0.0"),
        (("--rate", 1), "above 0 and below 1, not 1.0"),
        (("--rate", -0.1), "above 0 and below 1"),
        (("--rate", "nan"), "above 0 and below 1"),
        (("--rate", "often"), "--rate"),
        (("--rate", 0.001, "--propose-rate", 2), "--propose-rate is a share"),
        (("--rate", 0.001, "--pairs", 10), "needs 1,000 random pairs, and --pairs draws 10; give --pairs 1000 or more"),
        (("--rate", 0.001, "--pairs", 0), "--pairs is at least 1"),
        (("--rate", 0.9), "a threshold lies above 0; give a smaller rate"),
        (("--precision", 0.9), "give one with --labels"),
        (("--labels", "nowhere.csv"), "There is no file of labels"),
    ],
)
def test_what_can_not_be_done_is_said_and_nothing_is_written(blind_run, options, said, capsys):
    before = {path: path.read_bytes() for path in blind_run.path.rglob("*") if path.is_file()}
    assert said in refused(capsys, "calibrate", blind_run.path, *options)
    assert {path: path.read_bytes() for path in blind_run.path.rglob("*") if path.is_file()} == before


def test_bad_labels_are_one_sentence(blind_run, tmp_path, capsys):
    file = tmp_path / "labels.csv"
    for text, said in (
        ("left,right\n0,1\n", "no column 'same'"),
        ("left,right,same\n0,1,0\n0,nobody,1\n", "Row 2 of"),
        ("left,right,same\n0,1,perhaps\n", "Row 1 of"),
    ):
        file.write_text(text)
        assert said in refused(capsys, "calibrate", blind_run.path, "--rate", 1e-3, "--labels", file)


def test_what_is_no_run_or_is_not_read_yet_is_refused(picture_run, tmp_path, capsys):
    assert "not a run directory" in refused(capsys, "calibrate", tmp_path)
    (picture_run.path / ERRORS.path).unlink()
    assert "not all read yet" in refused(capsys, "calibrate", picture_run.path)


@pytest.mark.parametrize(("rows", "said"), [(1, "1 distinct picture in 1 rows"), (40, "1 distinct picture in 40 rows")])
def test_one_row_and_equal_rows_are_refused(rows, said, tmp_path, capsys):
    vectors = np.tile(unit(1, 32), (rows, 1))
    data = write_clip_retrieval(tmp_path / "data", [(vectors, names(rows))], 1)
    run = audit(data, tmp_path / "run", BLIND, LocalEngine())
    assert said in refused(capsys, "calibrate", run.path)
    assert not (run.path / "calibration.json").exists()
