"""`--close-looks`: what the thumbnails refuse and the geometry ties, on real pictures, stopped and gone on with."""

import io
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from polars.testing import assert_frame_equal

from pipelines.audit import audit
from pipelines.configs import AuditConfig
from pipelines.engines import LocalEngine
from scanner.demo import demo_pictures
from scanner.run import Run
from scanner.tables import FEATURES, GROUPS, MEMBERS, PAIRS, SAMPLES

CONFIG = AuditConfig(model="demo", close_looks=4, threshold=0.4, control=4)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve drawings, of two of them a mirror image and a crop, and two letters of one frame, which are no copies."""
    folder = tmp_path_factory.mktemp("drawings")
    chosen = demo_pictures().filter(pl.col("family").is_null()).sort("picture")["webp"][100:112]
    for number, encoded in enumerate(chosen):
        image = Image.open(io.BytesIO(encoded)).convert("RGB")
        image.save(folder / f"{number}.png")
        if number < 2:
            width, height = image.size
            Image.fromarray(np.asarray(image)[:, ::-1]).save(folder / f"{number}-mirror.png")
            image.crop((0, 0, width * 2 // 3, height * 2 // 3)).save(folder / f"{number}-crop.png")
    return folder


@pytest.fixture(scope="module")
def run(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    return audit(folder, tmp_path_factory.mktemp("close") / "run", CONFIG, LocalEngine())


def grouped(run: Run) -> list[list[str]]:
    rows = run.read(MEMBERS).join(run.read(SAMPLES).select("sample_id", "key"), on="sample_id")
    return sorted(sorted(part) for part in rows.group_by("group_id").agg("key")["key"].to_list())


def test_mirror_images_and_crops_are_tied_and_nothing_else(run):
    assert grouped(run) == [["0", "0-crop", "0-mirror"], ["1", "1-crop", "1-mirror"]]
    close = run.read(PAIRS).filter(pl.col("look") == "geometry")
    assert close.filter("accepted").height >= 4
    assert close.filter("accepted")["inliers"].min() >= 4
    assert run.manifest()["parts"]["audit"]["looked_closely"] == close.height


def test_without_close_looks_they_are_not(folder, tmp_path):
    config = AuditConfig(model="demo", close_looks=0, threshold=0.4, control=4)
    plain = audit(folder, tmp_path / "run", config, LocalEngine())
    assert grouped(plain) == []
    assert plain.read(PAIRS)["inliers"].null_count() == plain.read(PAIRS).height


@pytest.mark.parametrize("lost", ["geometry", "features"])
def test_a_run_that_was_stopped_gives_the_same_tables(run, folder, tmp_path, lost):
    shutil.copytree(run.path, tmp_path / "run")
    for part in (tmp_path / "run" / PAIRS.path).glob("geometry-*"):
        part.unlink()
    if lost == "features":
        shutil.rmtree(tmp_path / "run" / FEATURES.path)
    again = audit(folder, tmp_path / "run", CONFIG, LocalEngine())
    for table in (PAIRS, MEMBERS, GROUPS):
        assert_frame_equal(again.read(table), run.read(table))


def test_no_pair_is_looked_at_twice_in_one_way(run):
    pairs = run.read(PAIRS)
    assert pairs.select(PAIRS.key).is_duplicated().sum() == 0
