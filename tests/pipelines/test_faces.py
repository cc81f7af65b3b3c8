"""`--faces`: a photograph of a person and drawings without, in groups and alone; looked at once, and in the report."""

import io
import json
from pathlib import Path

import cv2
import matplotlib
import polars as pl
import pytest
from PIL import Image

from pipelines.audit import audit
from pipelines.configs import AuditConfig, AuditExtras
from pipelines.engines import LocalEngine
from pipelines.faces import look_for_faces
from scanner.demo import demo_pictures
from scanner.errors import UnusableInputError
from scanner.report import gather
from scanner.run import Run
from scanner.signals import FACES_SOURCE
from scanner.tables import GROUPS, HITS, SAMPLES, SIGNALS

CONFIG = AuditConfig(model="demo", threshold=0.4, control=4)
FACES = AuditExtras(faces=True)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The photograph twice, a drawing twice, and both kinds alone."""
    folder = tmp_path_factory.mktemp("photos")
    photo = Image.open(Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg").convert("RGB")
    drawings = demo_pictures().filter(pl.col("family").is_null()).sort("picture")["webp"]
    for name in ("a", "b"):
        photo.save(folder / f"photo-{name}.png")
        Image.open(io.BytesIO(drawings[100])).convert("RGB").save(folder / f"drawing-{name}.png")
    Image.open(io.BytesIO(drawings[104])).convert("RGB").save(folder / "single.png")
    return folder


@pytest.fixture
def run(folder: Path, tmp_path: Path) -> Run:
    return audit(folder, tmp_path / "run", CONFIG, LocalEngine(), extras=FACES)


def looked(run: Run) -> dict[str, str]:
    rows = run.read(SIGNALS).filter(pl.col("source") == FACES_SOURCE)
    return dict(rows.join(run.read(SAMPLES), on="sample_id").select("key", "value").iter_rows())


def test_one_picture_of_each_group_is_looked_at(run):
    assert {key.split("-")[0]: value for key, value in looked(run).items()} == {"photo": "1", "drawing": "0"}
    (detail,) = run.read(SIGNALS).filter(pl.col("value") == "1")["detail"]
    ((left, top, right, bottom),) = json.loads(detail)
    assert 0.25 < left < 0.5 < right < 0.75  # the head, in the upper half of the portrait
    assert 0 < top < bottom < 0.6
    assert run.manifest()["parts"]["audit"]["faces_looked_for_in"] == 2


def test_the_report_says_where_it_comes_from(run):
    found = gather(run)
    said = [(one.value, one.source, one.rows) for group in found.groups for one in group.signals if one.kind == "faces"]
    assert sorted(said) == [("0", FACES_SOURCE, 1), ("1", FACES_SOURCE, 1)]
    assert found.signals.recorded


def test_nothing_is_looked_at_twice_and_a_resumed_audit_need_not_be_told(run, folder):
    files = {part: part.stat().st_mtime_ns for part in SIGNALS.parts(run.path)}
    audit(folder, run.path, CONFIG, LocalEngine())
    assert {part: part.stat().st_mtime_ns for part in SIGNALS.parts(run.path)} == files
    assert run.manifest()["parts"]["audit"]["faces_looked_for_in"] == 2


def test_an_original_that_came_back_and_stands_once_is_looked_at(run):
    single = run.read(SAMPLES).filter(pl.col("key") == "single")["sample_id"][0]
    hit = dict.fromkeys(HITS.columns) | {"prompt_id": "0", "verdict": "matching", "sample_id": single}
    HITS.write(run.path, HITS.frame([hit]))
    assert look_for_faces(run, LocalEngine()) == 3
    assert looked(run)["single"] == "0"


def test_without_the_option_no_picture_is_looked_at(folder, tmp_path):
    plain = audit(folder, tmp_path / "run", CONFIG, LocalEngine())
    assert looked(plain) == {}
    assert "faces_looked_for_in" not in plain.manifest()["parts"]["audit"]


def test_a_picture_that_is_gone_is_a_fault(folder, tmp_path):
    plain = audit(folder, tmp_path / "run", CONFIG, LocalEngine())
    config = json.loads((plain.path / "run.json").read_text().replace(str(folder), str(tmp_path / "gone")))
    (plain.path / "run.json").write_text(json.dumps(config))
    moved = Run.open(plain.path)
    assert look_for_faces(moved, LocalEngine()) == moved.read(GROUPS).height == 2
    faults = moved.read(SIGNALS).filter(pl.col("kind") == "fault")
    assert faults.height == 2
    assert faults["value"].str.contains("can't be read any more").all()


def test_an_opencv_without_cascades_is_refused_before_anything_is_written(folder, tmp_path, monkeypatch):
    monkeypatch.setattr(cv2.data, "haarcascades", str(tmp_path / "nothing"))
    with pytest.raises(UnusableInputError, match="needs the Haar cascades"):
        audit(folder, tmp_path / "run", CONFIG, LocalEngine(), extras=FACES)
    assert not (tmp_path / "run").exists()
