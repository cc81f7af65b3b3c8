"""Evidence bundles of a real run: complete, checksummed, and made again pixel by pixel by the script inside."""

import hashlib
import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from pipelines.configs import ExportOptions
from pipelines.export import export
from scanner.demo import target_folder
from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.tables import HITS, PROMPTS, SAMPLES

OPTIONS = ExportOptions(format="evidence", arm="all")


@pytest.fixture(scope="module")
def bundle(small_run: Run, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("evidence") / "bundle"
    assert export(small_run, out, OPTIONS).entries == len(verified(small_run))
    return out


def verified(run: Run) -> pl.DataFrame:
    return run.read(HITS).filter(pl.col("verdict") != "none")


def hit_of(bundle: Path, prompt: str) -> dict:
    return json.loads((bundle / "hits" / prompt / "hit.json").read_text())


def regenerate(bundle: Path, *options: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, bundle / "regenerate.py", *options], capture_output=True, text=True, check=False
    )


def test_every_hit_has_its_original_and_all_its_full_step_images(small_run: Run, bundle: Path) -> None:
    samples = {row["sample_id"]: row for row in small_run.read(SAMPLES).iter_rows(named=True)}
    captions = dict(small_run.read(PROMPTS).select("prompt_id", "caption").iter_rows())
    for row in verified(small_run).iter_rows(named=True):
        hit, folder = hit_of(bundle, row["prompt_id"]), bundle / "hits" / row["prompt_id"]
        assert hit["caption"] == captions[row["prompt_id"]]
        assert hit["original"]["state"] == "as_audited"
        file = folder / hit["original"]["file"]
        assert hashlib.sha256(file.read_bytes()).hexdigest() == samples[row["sample_id"]]["file_sha256"]
        assert np.asarray(Image.open(folder / hit["original"]["compared"])).shape == (64, 64, 3)
        assert len(hit["generations"]) == row["evidence"]
        assert sum(one["shows_original"] for one in hit["generations"]) == row["agreeing"]
        assert all((folder / one["file"]).exists() for one in hit["generations"])


def test_the_sums_cover_every_file(bundle: Path) -> None:
    lines = [line.split("  ") for line in (bundle / "SHA256SUMS").read_text().splitlines()]
    assert {name for _, name in lines} == {
        path.relative_to(bundle).as_posix()
        for path in bundle.rglob("*")
        if path.is_file() and path.name != "SHA256SUMS"
    }
    assert all(hashlib.sha256((bundle / name).read_bytes()).hexdigest() == digest for digest, name in lines)


def test_the_images_are_made_again_pixel_by_pixel(bundle: Path) -> None:
    done = regenerate(bundle)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "differs" not in done.stdout
    assert done.stdout.count(": equal") == len(list(bundle.glob("hits/*/generation-*.png")))


def test_a_changed_image_and_another_model_are_noticed(bundle: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(bundle, copy)
    first = next(iter(copy.glob("hits/*/generation-*.png")))
    pixels = np.asarray(Image.open(first).convert("RGB")).copy()
    pixels[0, 0] ^= 1
    Image.fromarray(pixels).save(first)
    done = regenerate(copy)
    assert (done.returncode, "differs by up to 1 of 255" in done.stdout) == (1, True)

    facts = json.loads((copy / "bundle.json").read_text())
    (copy / "bundle.json").write_text(json.dumps(facts | {"target_checksum": "0" * 64}))
    done = regenerate(copy, "--target", str(target_folder()))
    assert (done.returncode, "another model" in done.stdout) == (2, True)
    done = regenerate(copy, "--target", str(tmp_path / "gone"))
    assert (done.returncode, done.stderr) == (2, "")


@pytest.mark.parametrize("state", ["gone", "changed", "undecodable"])
def test_an_original_that_is_no_more_says_so(small_run: Run, small_data: Path, tmp_path: Path, state: str) -> None:
    data, run = tmp_path / "data", tmp_path / "run"
    shutil.copytree(small_data, data)
    shutil.copytree(small_run.path, run)
    header = json.loads((run / "run.json").read_text())
    header["config"]["dataset"] = str(data)
    (run / "run.json").write_text(json.dumps(header))
    row = verified(small_run).row(0, named=True)
    where = small_run.read(SAMPLES).filter(pl.col("sample_id") == row["sample_id"]).row(0, named=True)
    tar = data / where["file"]
    if state == "gone":
        tar.unlink()
    else:
        content = bytearray(tar.read_bytes())
        content[where["offset"] : where["offset"] + where["length"]] = b"\0" * where["length"]
        tar.write_bytes(content)
    if state == "undecodable":  # as if the audit had read these very bytes: a decoder that came to refuse them
        part = next(
            path
            for path in (run / "samples").glob("*.parquet")
            if row["sample_id"] in pl.read_parquet(path)["sample_id"]
        )
        table = pl.read_parquet(part)
        mine = pl.col("sample_id") == row["sample_id"]
        digest = hashlib.sha256(b"\0" * where["length"]).hexdigest()
        table.with_columns(file_sha256=pl.when(mine).then(pl.lit(digest)).otherwise("file_sha256")).write_parquet(part)
    export(Run.open(run), tmp_path / "out", OPTIONS)
    original = hit_of(tmp_path / "out", row["prompt_id"])["original"]
    assert (original["state"], original["compared"]) == (state, None)
    assert original["pixel_sha256"] == where["pixel_sha256"]
    assert hit_of(tmp_path / "out", row["prompt_id"])["normalised_l2"] == row["normalised_l2"]


def test_nothing_is_replaced_but_a_bundle(small_run: Run, bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="--overwrite"):
        export(small_run, bundle, OPTIONS)
    other = tmp_path / "photos"
    other.mkdir()
    (other / "mine.jpg").write_bytes(b"mine")
    with pytest.raises(UnusableInputError, match="no evidence bundle"):
        export(small_run, other, replace(OPTIONS, overwrite=True))
    assert (other / "mine.jpg").read_bytes() == b"mine"
    again = tmp_path / "again"
    export(small_run, again, OPTIONS)
    assert export(small_run, again, replace(OPTIONS, overwrite=True)).entries == len(verified(small_run))


def test_a_run_without_hits_or_attack_is_refused(small_run: Run, tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="no verified hit"):
        export(small_run, tmp_path / "out", replace(OPTIONS, arm="control"))
    run = tmp_path / "run"
    shutil.copytree(small_run.path, run, ignore=shutil.ignore_patterns("hits.parquet"))
    with pytest.raises(UnusableInputError, match="attack it first"):
        export(Run.open(run), tmp_path / "out", OPTIONS)
    assert not (tmp_path / "out").exists()
