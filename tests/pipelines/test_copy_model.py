"""`--copy-model`: what the thumbnails refuse and a network ties, from the command line, stopped and gone on with."""

import hashlib
import io
import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from polars.testing import assert_frame_equal

from pipelines.cli import app, exit_code_of
from scanner.demo import demo_pictures
from scanner.run import Run
from scanner.tables import COPY_EMBEDDINGS, GROUPS, MEMBERS, PAIRS, SAMPLES
from tests.fingerprints.copy_networks import WIDTH, Fails, Tiny, save_onnx, save_torchscript


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Eight drawings, of three of them a mirror image, of one of these another size of it."""
    folder = tmp_path_factory.mktemp("drawings")
    chosen = demo_pictures().filter(pl.col("family").is_null()).sort("picture")["webp"][100:108]
    for number, encoded in enumerate(chosen):
        image = Image.open(io.BytesIO(encoded)).convert("RGB")
        image.save(folder / f"{number}.png")
        if number < 3:
            mirrored = Image.fromarray(np.asarray(image)[:, ::-1])
            mirrored.save(folder / f"{number}-mirror.png")
            if number == 0:
                mirrored.resize((100, 100)).save(folder / f"{number}-small.png")
    return folder


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_torchscript(Tiny(), tmp_path_factory.mktemp("network") / "tiny.torchscript.pt")


def audited(folder: Path, out: Path, *options: str) -> Run:
    common = ["audit", str(folder), "--out", str(out), "--model", "demo", "--threshold", "0.3", "--control", "4"]
    assert exit_code_of(app, [*common, *options]) == 0
    return Run.open(out)


def with_network(folder: Path, out: Path, network: Path, *options: str) -> Run:
    looks = [] if "--close-looks" in options else ["--close-looks", "0"]
    return audited(folder, out, "--copy-model", str(network), "--copy-threshold", "0.995", *looks, *options)


@pytest.fixture(scope="module")
def run(folder, network, tmp_path_factory) -> Run:
    return with_network(folder, tmp_path_factory.mktemp("runs") / "run", network)


def grouped(run: Run) -> list[list[str]]:
    rows = run.read(MEMBERS).join(run.read(SAMPLES).select("sample_id", "key"), on="sample_id")
    return sorted(sorted(part) for part in rows.group_by("group_id").agg("key")["key"].to_list())


MIRRORED = [["0", "0-mirror", "0-small"], ["1", "1-mirror"], ["2", "2-mirror"]]


def test_the_thumbnails_alone_refuse_mirror_images(folder, tmp_path):
    plain = audited(folder, tmp_path / "run", "--close-looks", "0")
    assert grouped(plain) == [["0-mirror", "0-small"]]
    assert plain.read(PAIRS)["copy_similarity"].null_count() == plain.read(PAIRS).height
    assert not {"copy_model", "copy_threshold", "copy_preprocessing"} & plain.config.keys()


def test_the_network_ties_them_and_its_score_is_stored(run):
    assert grouped(run) == MIRRORED
    looks = run.read(PAIRS).filter(pl.col("look") == "copy-model")
    assert looks.filter(pl.col("accepted") != (pl.col("copy_similarity") >= 0.995)).is_empty()
    assert looks.filter("accepted").height >= 3
    assert looks.filter(~pl.col("accepted")).height > 10
    assert run.read(PAIRS).select(PAIRS.key).is_duplicated().sum() == 0


def test_the_run_says_which_file_it_was(run, network):
    summary = run.manifest()["parts"]["audit"]
    assert summary["looked_by_copy_model"] == run.read(PAIRS).filter(pl.col("look") == "copy-model").height
    recorded = {name: value for name, value in run.config.items() if name.startswith("copy_")}
    assert recorded == {
        "copy_model": network.name,
        "copy_model_sha256": hashlib.sha256(network.read_bytes()).hexdigest(),
        "copy_model_width": WIDTH,
        "copy_preprocessing": "skew-320",
        "copy_threshold": 0.995,
    }
    method = json.loads((run.path / "report" / "report.json").read_text())["method"]
    lines = {line["name"]: line for line in method["scan"]}
    assert "cosine" in lines["copy_threshold"]["meaning"]
    assert any("Self-Supervised Descriptor" in text for text, _ in method["sources"])
    assert "Self-Supervised Descriptor" in (run.path / "report" / "index.html").read_text()


def states(run: Run) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in (run.path / COPY_EMBEDDINGS.path).iterdir()}


@pytest.mark.parametrize("lost", ["looks", "embeddings"])
def test_a_run_that_was_stopped_gives_the_same_tables(run, folder, network, tmp_path, lost):
    shutil.copytree(run.path, tmp_path / "run")
    for part in (tmp_path / "run" / PAIRS.path).glob("copy-*"):
        part.unlink()
    if lost == "embeddings":
        shutil.rmtree(tmp_path / "run" / COPY_EMBEDDINGS.path)
    before = states(Run.open(tmp_path / "run")) if lost == "looks" else {}
    again = with_network(folder, tmp_path / "run", network)
    for table in (PAIRS, MEMBERS, GROUPS, COPY_EMBEDDINGS):
        assert_frame_equal(again.read(table), run.read(table))
    if lost == "looks":
        assert states(again) == before  # the looks were made again from what was stored


def test_only_the_pictures_that_are_missing_are_embedded(run, folder, network, tmp_path):
    shutil.copytree(run.path, tmp_path / "run")
    for part in (tmp_path / "run" / PAIRS.path).glob("copy-*"):
        part.unlink()
    stored = run.read(COPY_EMBEDDINGS)
    kept = stored.head(2).with_columns(embedding=pl.lit(np.eye(1, WIDTH, dtype="<f2").tobytes()))
    COPY_EMBEDDINGS.write(tmp_path / "run", kept, "00000")
    again = with_network(folder, tmp_path / "run", network).read(COPY_EMBEDDINGS)
    assert_frame_equal(again, pl.concat([kept, stored[2:]]))


def test_another_file_is_refused_and_a_moved_one_is_not(run, folder, network, tmp_path, capsys):
    shutil.copytree(run.path, tmp_path / "run")
    moved = shutil.copy(network, tmp_path / network.name)
    with_network(folder, tmp_path / "run", moved)
    save_torchscript(Tiny(seed=1), Path(moved))
    options = ["--model", "demo", "--threshold", "0.3", "--control", "4", "--copy-threshold", "0.995"]
    options += ["--close-looks", "0"]
    command = ["audit", str(folder), "--out", str(tmp_path / "run"), *options, "--copy-model", str(moved)]
    assert exit_code_of(app, command) == 2
    assert "(copy_model_sha256 differ)" in capsys.readouterr().err


def test_onnx_does_it_too(folder, tmp_path):
    run = with_network(folder, tmp_path / "run", save_onnx(tmp_path / "tiny.onnx"))
    assert set(map(tuple, MIRRORED)) <= set(map(tuple, grouped(run)))


def test_it_is_asked_after_the_geometry(folder, network, tmp_path):
    run = with_network(folder, tmp_path / "run", network, "--close-looks", "4")
    assert grouped(run) == MIRRORED
    pairs = run.read(PAIRS).filter("accepted")
    assert pairs["look"].value_counts().filter(pl.col("look") == "geometry")["count"].to_list() >= [3]
    assert "copy-model" not in pairs["look"].to_list()
    assert run.manifest()["parts"]["audit"]["looked_by_copy_model"] > 0


@pytest.mark.parametrize(
    ("what", "said"),
    [("missing", (2, "There is no file")), ("a map", (2, "gives shape (1, 3, 320, 320)")), ("nan", (1, "not finite"))],
)
def test_a_file_that_is_no_use_stops_before_anything_is_written(folder, tmp_path, capsys, what, said):
    file = tmp_path / "network.pt"
    if what != "missing":
        save_torchscript(Fails(what), file)
    command = ["audit", str(folder), "--out", str(tmp_path / "run"), "--model", "demo", "--copy-model", str(file)]
    assert exit_code_of(app, command) == said[0]
    error = capsys.readouterr().err
    assert said[1] in error
    assert error.count("\n") == 1
    assert not (tmp_path / "run").exists()
