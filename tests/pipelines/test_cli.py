"""The command line as a user meets it: an exit code, and one sentence when something is wrong. One audit and one
refusal are processes of their own; the other commands are run in this one, which has loaded torch already."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scanner.carried import read_carried
from scanner.tables import SAMPLES
from tests.pipelines.conftest import Scanner


def process(*arguments: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-c", "from pipelines.cli import main; main()", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def refused(scanner: Scanner, *arguments: object) -> str:
    """The one sentence with which the command refused; nothing else was said, and the exit code was 2."""
    code, out, said = scanner(*arguments)
    assert (code, out, len(said.splitlines())) == (2, "", 1), (code, out, said)
    return said


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
def test_every_command_shows_examples(command, scanner):
    code, out, _ = scanner(*command, "--help")
    assert code == 0
    assert f"scanner {' '.join(command)}" in out


def test_an_audit_ends_with_a_report_and_a_machine_readable_summary(photos, tmp_path, scanner):
    done = process("audit", photos, "--out", tmp_path / "run", "--model", "demo", "--json")
    assert done.returncode == 0, done.stderr
    summary = json.loads(done.stdout)
    assert summary["rows"]["read"] == 5
    assert summary["duplicates"]["rows"] == 2
    assert Path(summary["report"]).is_file()
    code, out, _ = scanner("report", tmp_path / "run")
    assert code == 0
    assert "5 = 5 read + 0" in out


def test_unusable_input_is_one_sentence_and_overwrites_nothing(photos, tmp_path, scanner):
    empty = tmp_path / "empty"
    empty.mkdir()
    run = tmp_path / "run"
    assert "does not exist" in refused(scanner, "audit", tmp_path / "nowhere", "--out", run, "--model", "demo")
    assert "holds no data set" in refused(scanner, "audit", empty, "--out", run, "--model", "demo")
    assert "threshold" in refused(scanner, "audit", photos, "--out", run, "--threshold", "1.5")
    assert not run.exists()
    assert "not a run" in refused(scanner, "audit", photos, "--out", tmp_path, "--model", "demo")
    assert "not a run directory" in refused(scanner, "attack", empty, "--target", "x")
    assert "--out" in refused(scanner, "audit", photos)
    done = process("audti")
    lines = done.stderr.splitlines()
    assert (done.returncode, done.stdout, len(lines)) == (2, "", 1), done
    assert "Unknown command" in lines[0]
    assert sorted(path.name for path in photos.iterdir()) == sorted(
        f"{i}.{e}" for i in range(5) for e in ("png", "txt")
    )


def test_a_model_without_its_weights_is_refused(photos, tmp_path, scanner):
    (tmp_path / "model").mkdir()
    assert "no weights named" in refused(
        scanner, "audit", photos, "--out", tmp_path / "run", "--model", "ViT-B-32", "--pretrained", "nothing"
    )
    assert "local-dir" in refused(
        scanner, "audit", photos, "--out", tmp_path / "run", "--model", f"local-dir:{tmp_path / 'model'}"
    )
    assert not (tmp_path / "run").exists()


def test_another_configuration_is_refused_and_named(photos, tmp_path, scanner):
    run = tmp_path / "run"
    assert scanner("audit", photos, "--out", run, "--model", "demo")[0] == 0
    before = {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}
    assert "seed" in refused(scanner, "audit", photos, "--out", run, "--model", "demo", "--seed", "1")
    Image.new("RGB", (64, 64), "red").save(photos / "0.png")
    assert "0.png has changed" in refused(scanner, "audit", photos, "--out", run, "--model", "demo")
    assert "no target" in refused(scanner, "attack", run, "--target", tmp_path / "nothing")
    (tmp_path / "empty").mkdir()
    assert "no diffusers pipeline" in refused(scanner, "attack", run, "--target", tmp_path / "empty")
    assert {path: path.read_bytes() for path in run.rglob("*") if path.is_file()} == before


def test_a_run_inside_the_folder_that_is_searched_is_refused(photos, scanner):
    assert "lies inside the data set" in refused(scanner, "audit", photos, "--out", photos / "run", "--model", "demo")
    assert not (photos / "run").exists()


def test_key_caption_and_url_are_carried_like_any_column(photos, tmp_path, scanner):
    carry = ["--carry", "key", "--carry", "caption", "--carry", "key"]
    assert scanner("audit", photos, "--out", tmp_path / "run", "--model", "demo", *carry)[0] == 0
    carried = read_carried(tmp_path / "run").join(SAMPLES.read(tmp_path / "run"), on="sample_id", suffix="_own")
    assert carried["key"].to_list() == carried["key_own"].to_list()
    assert carried["caption"].to_list() == carried["caption_own"].to_list()
