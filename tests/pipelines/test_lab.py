"""The lab recipe: what is trained on, what lies beside the target, and what is refused."""

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from pipelines.configs import FAMILIES, TrainConfig
from pipelines.lab import FAMILIES as TRAINED
from pipelines.lab import train
from pipelines.progress import TerminalProgress
from scanner.errors import UnusableInputError
from scanner.lab import TRUTH, read_truth
from scanner.targets import load_target
from tests.lab.tiny import assert_equal


class Silent:
    """Progress that nobody watches."""

    def begin(self, name: str, total: int) -> None: ...
    def advance(self) -> None: ...
    def tally(self, *, rows: int, size: int, errors: int, part: float) -> None: ...
    def note(self, text: str) -> None: ...
    def end(self) -> None: ...


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six pictures, the last equal to the first under another caption; the fifth has none."""
    folder = tmp_path_factory.mktemp("lab") / "photos"
    folder.mkdir()
    pixels = np.random.default_rng(0).integers(0, 256, (5, 8, 8, 3), dtype=np.uint8)
    for number, picture in enumerate([*pixels, pixels[0]]):
        Image.fromarray(picture).save(folder / f"{number}.png")
        if number != 4:
            (folder / f"{number}.txt").write_text(f"Pattern {number}")
    return folder


def test_the_families_of_the_command_line_are_those_that_are_trained() -> None:
    assert tuple(TRAINED) == FAMILIES


def test_a_planned_set_is_what_the_target_was_trained_on(photos: Path, tmp_path: Path) -> None:
    asked = {"family": "pixel", "size": 8, "steps": 2, "batch": 2}
    config = TrainConfig(**asked, copies="1x2,3x1", write_dataset=str(tmp_path / "planned"))
    train(photos, tmp_path / "target", config, Silent())
    written = read_truth(tmp_path / "target")
    assert dict(written.schema) == TRUTH
    assert sorted(written["copies"]) == [1, 1, 3, 3, 3]
    assert written["planted"].all()
    assert written.filter(copies=3)["caption"].n_unique() == 1
    assert written["key"].to_list() == [f"{number:09d}" for number in range(5)]
    assert load_target(str(tmp_path / "target")).size == 8
    beside = json.loads((tmp_path / "target" / "training_transform.json").read_text())
    assert beside == {"fit": "pad", "size": 8, "clean_captions": False}

    train(tmp_path / "planned", tmp_path / "again", TrainConfig(**asked), Silent())
    assert read_truth(tmp_path / "again").equals(written)
    assert_equal(tmp_path / "target", tmp_path / "again")
    with pytest.raises(UnusableInputError, match="holds a model already"):
        train(photos, tmp_path / "target", TrainConfig(**asked), Silent())
    assert read_truth(tmp_path / "target").equals(written)


def test_an_unconditional_target_is_trained_on_pictures_without_captions_too(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = TrainConfig(family="unconditional", size=8, steps=2, batch=2)
    train(photos, tmp_path, config, TerminalProgress())
    truth = read_truth(tmp_path).sort("key")
    assert truth["copies"].to_list() == [2, 1, 1, 1, 1, 2]
    assert truth["caption"].to_list() == [*(f"Pattern {number}" for number in range(4)), "", "Pattern 5"]
    assert "train unconditional  2 of 2" in capsys.readouterr().err


def test_a_set_without_captions_trains_no_text_encoder(photos: Path, tmp_path: Path) -> None:
    (tmp_path / "bare").mkdir()
    (tmp_path / "bare" / "a.png").write_bytes((photos / "0.png").read_bytes())
    with pytest.raises(UnusableInputError, match="no readable picture with a caption"):
        train(tmp_path / "bare", tmp_path / "out", TrainConfig(family="pixel"), Silent())
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"family": "flow"}, "no family 'flow'; use one of latent, pixel, unconditional"),
        ({"steps": 0}, "at least 1"),
        ({"size": -8}, "at least 1"),
        ({"copies": "8"}, "--copies 8 is no plan"),
        ({"copies": "0x3"}, "is no plan"),
        ({"copies": "1x3,1x4"}, "each number of copies once"),
        ({"copies": "1x3,,2x4"}, "is no plan"),
        ({"copies": "1x3", "templates": "3"}, "--templates 3 is no plan; give each number of variants once"),
        ({"templates": "3x4"}, "give --copies too"),
        ({"write_dataset": "out"}, "give both"),
    ],
)
def test_options_that_do_not_go(given: dict[str, object], message: str) -> None:
    with pytest.raises(UnusableInputError, match=message) as error:
        TrainConfig(**given)
    assert str(error.value).count(".") == 1


def test_a_plan_is_read() -> None:
    assert TrainConfig(copies=" 1x200, 8x20,128x10").plan() == {1: 200, 8: 20, 128: 10}
    assert TrainConfig().plan() is None
