"""Originals that break or change after the attack has indexed them: hits say so and keep their distances."""

import shutil
from pathlib import Path

import polars as pl
import pytest

from pipelines.attack import attack
from pipelines.engines import LocalEngine
from pipelines.report import report
from scanner.demo import target_folder
from scanner.errors import ScannerError
from scanner.images import image_places, images_of
from scanner.run import Run
from scanner.samples import StoredImages
from scanner.tables import HITS, MEMBERS
from scanner.targets import Transform
from scanner.verify import SquarePictures, stored_blocks
from tests.pipelines.conftest import ATTACK, ATTACK_FILES

KEPT = {"originals"}


@pytest.fixture
def indexed(small_run: Run, small_data: Path, tmp_path: Path) -> tuple[Run, Path]:
    """The audited run with its index of originals, and its data set in a folder of its own."""
    data, path = tmp_path / "data", tmp_path / "run"
    shutil.copytree(small_data, data)
    shutil.copytree(small_run.path, path, ignore=shutil.ignore_patterns(*set(ATTACK_FILES) - KEPT))
    configuration = path / "run.json"
    configuration.write_text(configuration.read_text().replace(str(small_data), str(data)))
    run = Run.open(path)
    audited = run.manifest()["parts"]["audit"]
    run.reopen()
    run.finish("audit", audited)
    return run, data


def places(run: Run, samples: list[int]) -> pl.DataFrame:
    return image_places(run).filter(pl.col("sample_id").is_in(samples)).select("file", "offset", "length").collect()


def overwrite(run: Run, data: Path, samples: list[int], content: bytes) -> None:
    """Put `content`, zeros after it, where some rows' images lie."""
    for file, offset, length in places(run, samples).iter_rows():
        with (data / file).open("r+b") as opened:
            opened.seek(offset)
            opened.write(content[:length].ljust(length, b"\0"))


def group_of(run: Run, sample: int) -> list[int]:
    members = run.read(MEMBERS)
    group = members.filter(pl.col("sample_id") == sample)["group_id"]
    return members.filter(pl.col("group_id").is_in(group.implode()))["sample_id"].to_list()


def test_hits_say_what_became_of_their_originals(indexed: tuple[Run, Path], small_run: Run) -> None:
    run, data = indexed
    before = small_run.read(HITS).filter(pl.col("verdict") == "matching").sort("prompt_id")
    broken, changed = (group_of(run, sample) for sample in before["sample_id"].head(2))
    smallest = image_places(run).sort("length").head(1).select("file", "offset", "length").collect().row(0)
    content = images_of(run)(*smallest)
    overwrite(run, data, broken, b"")
    overwrite(run, data, changed, content)

    attack(run, str(target_folder()), ATTACK, LocalEngine())

    hits = before.join(run.read(HITS), on="prompt_id", suffix="_after", maintain_order="left")
    assert hits["verdict_after"].to_list() == ["matching"] * len(before)
    expected = ["undecodable", "changed", *["as_audited"] * (len(before) - 2)]
    assert hits["original_state_after"].to_list() == expected
    assert (hits["normalised_l2"] - hits["normalised_l2_after"]).abs().max() < 0.05
    page = report(run).read_text(encoding="utf-8")
    assert "could not be decoded" in page
    assert "was another picture" in page


def test_an_index_is_not_made_of_a_data_set_that_has_changed(indexed: tuple[Run, Path]) -> None:
    run, data = indexed
    shutil.rmtree(run.path / "originals")
    overwrite(run, data, [int(image_places(run).select("sample_id").collect().item(0, 0))], b"")
    with pytest.raises(ScannerError, match=r"not what was audited .*audit the data set again"):
        attack(run, str(target_folder()), ATTACK, LocalEngine())


def test_a_file_that_is_gone_leaves_the_thumbnail(indexed: tuple[Run, Path]) -> None:
    run, data = indexed
    for file in data.glob("*.tar"):
        file.unlink()
    blocks = stored_blocks(run.path)
    transform = Transform(fit="pad", size=64)
    pictures = SquarePictures(StoredImages(str(data)), image_places(run).collect(), transform, blocks)
    sample = int(blocks.sample_id[3])
    assert pictures.state(sample) == "gone"
    side = transform.size // 32
    assert (pictures([sample])[0, ::side, ::side].reshape(-1) == blocks.thumbnails.rows([3])[0]).all()
