"""The command line as a user meets it: a process, its exit code, and one sentence when something is wrong."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scanner.carried import read_carried
from scanner.tables import SAMPLES


def scanner(*arguments: object, timeout: float = 120) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from pipelines.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=timeout, check=False)


def refused(*arguments: object) -> str:
    """The one sentence with which the command refused; nothing else was said, and the exit code was 2."""
    done = scanner(*arguments)
    lines = done.stderr.strip().splitlines()
    assert (done.returncode, done.stdout, len(lines)) == (2, "", 1), done
    assert lines[0].startswith("scanner: ")
    return lines[0]


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Five pictures, two of them equal, with captions."""
    folder = tmp_path / "photos"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (4, 8, 8, 3)).astype(np.uint8)
    for number, picture in enumerate([*pixels, pixels[0]]):
        Image.fromarray(picture).resize((64, 64)).save(folder / f"{number}.png")
        (folder / f"{number}.txt").write_text(f"a picture of pattern {number % 4}")
    return folder


def test_help_needs_no_torch_and_names_every_command():
    code = "import sys; from pipelines.cli import app; app(['--help'])\nassert 'torch' not in sys.modules"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for command in ("audit", "attack", "plan", "report", "compare", "demo", "lab"):
        assert command in done.stdout


@pytest.mark.parametrize(
    "command", [["audit"], ["attack"], ["plan"], ["report"], ["compare"], ["demo"], ["lab", "train"]]
)
def test_every_command_shows_examples(command):
    done = scanner(*command, "--help")
    assert done.returncode == 0
    assert f"scanner {' '.join(command)}" in done.stdout.replace("\n", " ")


def test_an_audit_ends_with_a_report_and_a_machine_readable_summary(photos, tmp_path):
    done = scanner("audit", photos, "--out", tmp_path / "run", "--model", "demo", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["rows"]["read"] == 5
    assert summary["duplicates"]["rows"] == 2
    assert Path(summary["report"]).is_file()
    again = scanner("report", tmp_path / "run")
    assert again.returncode == 0
    assert "5 = 5 read + 0" in again.stdout


def test_unusable_input_is_one_sentence_and_overwrites_nothing(photos, tmp_path):
    empty = tmp_path / "empty"
    empty.mkdir()
    run = tmp_path / "run"
    assert "does not exist" in refused("audit", tmp_path / "nowhere", "--out", run, "--model", "demo")
    assert "holds no data set" in refused("audit", empty, "--out", run, "--model", "demo")
    assert "threshold" in refused("audit", photos, "--out", run, "--threshold", "1.5")
    assert not run.exists()
    assert "not a run" in refused("audit", photos, "--out", tmp_path, "--model", "demo")
    assert "not a run directory" in refused("attack", empty, "--target", "x")
    assert "--out" in refused("audit", photos)
    assert "Unknown command" in refused("audti")
    assert sorted(path.name for path in photos.iterdir()) == sorted(
        f"{i}.{e}" for i in range(5) for e in ("png", "txt")
    )


def test_a_model_without_its_weights_is_refused(photos, tmp_path):
    (tmp_path / "model").mkdir()
    assert "no weights named" in refused(
        "audit", photos, "--out", tmp_path / "run", "--model", "ViT-B-32", "--pretrained", "nothing"
    )
    assert "local-dir" in refused(
        "audit", photos, "--out", tmp_path / "run", "--model", f"local-dir:{tmp_path / 'model'}"
    )
    assert not (tmp_path / "run").exists()


def test_another_configuration_is_refused_and_named(photos, tmp_path):
    run = tmp_path / "run"
    assert scanner("audit", photos, "--out", run, "--model", "demo").returncode == 0
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert "seed" in refused("audit", photos, "--out", run, "--model", "demo", "--seed", "1")
    Image.new("RGB", (64, 64), "red").save(photos / "0.png")
    assert "0.png has changed" in refused("audit", photos, "--out", run, "--model", "demo")
    assert "no target" in refused("attack", run, "--target", tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    assert "no diffusers pipeline" in refused("attack", run, "--target", tmp_path / "empty")
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_run_inside_the_folder_that_is_searched_is_refused(photos):
    assert "lies inside the data set" in refused("audit", photos, "--out", photos / "run", "--model", "demo")
    assert not (photos / "run").exists()


def test_key_caption_and_url_are_carried_like_any_column(photos, tmp_path):
    carry = ["--carry", "key", "--carry", "caption", "--carry", "key"]
    assert scanner("audit", photos, "--out", tmp_path / "run", "--model", "demo", *carry).returncode == 0
    carried = read_carried(tmp_path / "run").join(SAMPLES.read(tmp_path / "run"), on="sample_id", suffix="_own")
    assert carried["key"].to_list() == carried["key_own"].to_list()
    assert carried["caption"].to_list() == carried["caption_own"].to_list()
