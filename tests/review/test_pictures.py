"""An original is shown as what was audited only when it is."""

from pathlib import Path

import numpy as np
import polars as pl
import pytest
from PIL import Image

from scanner.review import MadeImages, Pictures, difference, list_items
from scanner.run import Run
from scanner.tables import SAMPLES
from tests.report.planted import noisy, picture, png
from tests.review.planted import Planned, make_reviewed_run


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return make_reviewed_run(tmp_path)


def pictures_of(run: Run) -> Pictures:
    return Pictures(run, MadeImages(run))


def test_an_original_that_is_there(run: Run) -> None:
    found = pictures_of(run).original(0)
    assert (found.state, found.sentence) == ("as_audited", "")
    assert np.array_equal(found.pixels, picture(0))
    assert found.thumbnail.shape == (32, 32, 3)


def test_one_that_is_gone_leaves_its_thumbnail(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data" / "0.png").unlink()
    found = pictures_of(run).original(0)
    assert (found.state, found.pixels) == ("gone", None)
    assert found.sentence.startswith("The original is gone: 0.png can't be read")
    small = Image.fromarray(picture(0)).resize((32, 32), Image.Resampling.BOX)
    assert np.array_equal(found.thumbnail, np.asarray(small))


def test_another_picture_in_its_place_is_not_shown(run: Run, tmp_path: Path) -> None:
    (tmp_path / "data" / "0.png").write_bytes(png(picture(99)))
    found = pictures_of(run).original(0)
    assert (found.state, found.pixels) == ("changed", None)


def test_the_same_pixels_in_another_file_are_the_same_picture(run: Run, tmp_path: Path) -> None:
    Image.fromarray(picture(0)).save(tmp_path / "data" / "0.png", "PNG", compress_level=0)
    assert pictures_of(run).original(0).state == "as_audited"


def test_one_that_can_not_be_decoded(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "data" / "0.png"
    path.write_bytes(path.read_bytes()[:200])
    found = pictures_of(run).original(0)
    assert (found.state, found.pixels) == ("undecodable", None)
    assert "ends before its picture does" in found.sentence


def test_a_row_that_never_had_a_picture(run: Run) -> None:
    nothing = [pl.lit(None, dtype=SAMPLES.schema[name]).alias(name) for name in ("file", "thumbnail", "pixel_sha256")]
    SAMPLES.write(run.path, SAMPLES.read(run.path).with_columns(nothing), part="00000")
    found = pictures_of(run).original(0)
    assert (found.state, found.pixels, found.thumbnail) == ("none", None, None)


def test_generations_come_by_prompt_and_index(run: Run) -> None:
    row = list_items(run).row(0, named=True)
    found = pictures_of(run).generation(row["prompt_id"], row["image_index"])
    assert np.array_equal(found, noisy(picture(0), 0.03, 1))
    assert pictures_of(run).generation(row["prompt_id"], 5) is None


def test_an_original_is_laid_on_a_generation_by_the_targets_transform(tmp_path: Path) -> None:
    pictures = pictures_of(make_reviewed_run(tmp_path, Planned(size=48)))
    wide = np.zeros((48, 96, 3), np.uint8)
    wide[:, 24:72] = 200
    assert np.array_equal(pictures.as_compared(wide), np.full((48, 48, 3), 200, np.uint8))


def test_a_difference_is_three_times_as_bright_and_never_wraps() -> None:
    one, other = np.zeros((2, 2, 3), np.uint8), np.zeros((2, 2, 3), np.uint8)
    one[0, 0], other[0, 1], other[1, 1] = (10, 0, 250), (20, 90, 1), (0, 0, 0)
    assert difference(one, other).tolist() == [[[30, 0, 255], [60, 255, 3]], [[0, 0, 0], [0, 0, 0]]]
    assert difference(one, np.zeros((3, 2, 3), np.uint8)) is None
