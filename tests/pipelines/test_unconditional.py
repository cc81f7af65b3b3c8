"""The attack on a model that takes no prompt, end to end on a real pipeline that has learnt two pictures by heart."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image
from polars.testing import assert_frame_equal

from pipelines.attack import attack
from pipelines.audit import audit
from pipelines.configs import AttackOptions, AuditConfig
from pipelines.engines import LocalEngine
from pipelines.summary import print_summary
from scanner.errors import UnusableInputError
from scanner.report import gather, write_report
from scanner.run import Run
from scanner.tables import MEMORISED, SAMPLES, UNCONDITIONAL, UNCONDITIONAL_CONTROLS
from tests.targets.tiny_ddpm import train_ddpm

COPIES = (12, 5)
SINGLES = 60
OPTIONS = AttackOptions(images=300, steps=4)


@pytest.fixture(scope="module")
def pictures() -> np.ndarray:
    """2 × 2 blocks of colour; the first two are the ones that are copied and learnt."""
    return np.random.default_rng(0).integers(0, 256, (len(COPIES) + SINGLES, 2, 2, 3), dtype=np.uint8)


@pytest.fixture(scope="module")
def audited(pictures: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("unconditional") / "data"
    folder.mkdir()
    for number, picture in enumerate(pictures):
        for copy in range(COPIES[number] if number < len(COPIES) else 1):
            large = Image.fromarray(picture).resize((64, 64), Image.Resampling.NEAREST)
            large.save(folder / f"{number:03d}-{copy:03d}.png")
    return audit(str(folder), folder.parent / "run", AuditConfig(model="demo", control=5), LocalEngine())


@pytest.fixture(scope="module")
def model(pictures: np.ndarray, tmp_path_factory: pytest.TempPathFactory) -> Path:
    learnt = pictures[: len(COPIES)].repeat(4, axis=1).repeat(4, axis=2)
    return train_ddpm(tmp_path_factory.mktemp("model") / "ddim", learnt)


@pytest.fixture(scope="module")
def attacked(audited: Run, model: Path) -> Run:
    attack(audited, str(model), OPTIONS, LocalEngine())
    return audited


def keys(run: Run) -> dict[int, str]:
    return dict(SAMPLES.read(run.path).select("sample_id", pl.col("key").str.slice(0, 3)).iter_rows())


def test_the_pictures_learnt_by_heart_are_found_and_no_other(attacked: Run) -> None:
    found = MEMORISED.read(attacked.path)
    memorised = found.filter("memorised")
    assert {keys(attacked)[sample] for sample in memorised["sample_id"]} == {"000", "001"}
    assert sorted(memorised["copies"], reverse=True) == list(COPIES)
    images = UNCONDITIONAL.read(attacked.path)
    assert images.height == 300
    assert int(images["evaluations"].sum()) == 300 * OPTIONS.steps
    assert int(memorised["generations"].sum()) > 200
    kept = images["png"].is_not_null()
    assert (kept == (images["adaptive_l2"] < 1).fill_null(False)).all()


def test_the_controls_are_the_pictures_that_stand_once(attacked: Run) -> None:
    controls = UNCONDITIONAL_CONTROLS.read(attacked.path)
    assert controls.height == SINGLES
    assert (controls["nearest"] != controls["sample_id"]).all()
    threshold = attacked.manifest()["parts"]["attack"]["adaptive_threshold"]
    assert threshold["controls"] == SINGLES
    assert threshold["passing"] <= 1


def test_the_report_and_the_summary_say_it(attacked: Run, capsys: pytest.CaptureFixture[str]) -> None:
    found = gather(attacked)
    assert found.headline == "The model gave back 2 training pictures in 300 images, without a prompt."
    by_copies = {point.label: (point.memorised.hits, point.memorised.tried) for point in found.unconditional.by_copies}
    assert by_copies == {"1": (0, SINGLES), "4–7": (1, 1), "8–15": (1, 1)}
    page = write_report(attacked).read_text(encoding="utf-8")
    assert 'id="memorised"' in page
    assert page.count("Image of the model, seed") >= 2
    told = json.loads((attacked.path / "report" / "report.json").read_text(encoding="utf-8"))
    assert told["unconditional"]["memorised"] == 2
    print_summary(attacked, attacked.path / "report" / "index.html")
    assert "2 pictures; by the paper's rule" in capsys.readouterr().out


def test_a_resumed_attack_makes_the_missing_images_and_the_same_tables(
    attacked: Run, model: Path, tmp_path: Path
) -> None:
    copy = tmp_path / "run"
    shutil.copytree(attacked.path, copy)
    (copy / "unconditional" / "000000256.parquet").unlink()
    (copy / "memorised.parquet").unlink()
    attack(Run.open(copy), str(model), OPTIONS, LocalEngine())
    for table in (UNCONDITIONAL, MEMORISED):
        assert_frame_equal(table.read(copy), table.read(attacked.path))


def test_another_configuration_is_refused(attacked: Run, model: Path) -> None:
    with pytest.raises(UnusableInputError, match="images differ"):
        attack(attacked, str(model), AttackOptions(images=301, steps=4), LocalEngine())
