"""Images that were generated elsewhere, in every layout that is read: order, seeds, what is there once."""

import io
import json
import tarfile
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from scanner.attack import EVIDENCE_FIRST, Generator, Near, PromptImages, Sampling, from_png
from scanner.errors import UnusableInputError
from scanner.prompts import prompt_id
from scanner.targets import StoredTarget, open_stored
from tests.samples.pictures import encode, photo_like


def png(number: int, height: int = 40, width: int = 40) -> bytes:
    return encode(photo_like(number, height, width))


def with_table(folder: Path, rows: list[dict[str, object]], **pictures: bytes) -> Path:
    folder.mkdir(exist_ok=True)
    for name, encoded in pictures.items():
        (folder / f"{name}.png").write_bytes(encoded)
    pl.DataFrame(rows).write_csv(folder / "metadata.csv")
    return folder


def shown(target: StoredTarget, caption: str, numbers: list[int]) -> list[int | None]:
    """Which of the pictures 0 to 9 each image is; None where there is none."""
    pictures = np.stack([target.transform(photo_like(i, 40, 40)) for i in range(10)]).astype(float)
    drawn = target.generate([caption] * len(numbers), numbers, steps=9, guidance=9)
    found = [None if one.image is None else np.abs(pictures - one.image * 255).mean(axis=(1, 2, 3)) for one in drawn]
    assert all(distances is None or distances.min() < 0.01 for distances in found)
    return [None if distances is None else int(distances.argmin()) for distances in found]


def test_images_of_a_prompt_come_by_seed_then_by_key(tmp_path: Path) -> None:
    rows = [
        {"file_name": "a.png", "prompt": "A red fox", "text": "described by a machine", "seed": 7},
        {"file_name": "b.png", "prompt": "a red  FOX", "text": "described by a machine", "seed": 3},
        {"file_name": "c.png", "prompt": "a red fox", "text": "described by a machine", "seed": None},
        {"file_name": "d.png", "prompt": "a cat", "text": "a red fox", "seed": -1},
        {"file_name": "e.png", "prompt": "a red fox", "text": "x", "seed": None},
    ]
    folder = with_table(tmp_path / "set", rows, a=png(0), b=png(1), c=png(2), d=png(3), e=png(4))
    target = open_stored(folder)
    assert target.count(prompt_id("a red fox")) == 4
    assert shown(target, "a red fox", [0, 1, 2, 3, 4]) == [1, 0, 2, 4, None]
    assert [one.seed for one in target.generate(["a red fox"] * 4, range(4), steps=1, guidance=0)] == [3, 7, None, None]
    assert [one.note for one in target.generate(["a cat"], [0], steps=1, guidance=0)] == ["d"]
    assert target.generate(["a cat"], [0], steps=1, guidance=0)[0].seed is None  # -1 means a random one
    assert (target.denoiser, target.has_autoencoder, target.evaluations) == (None, False, 0)


def test_an_identical_file_counts_once_unless_its_seed_differs(tmp_path: Path) -> None:
    seeds = [1, 1, 2, None]
    rows = [
        {"file_name": f"{name}.png", "prompt": "fox", "seed": seed} for name, seed in zip("abcd", seeds, strict=True)
    ]
    target = open_stored(with_table(tmp_path / "set", rows, a=png(0), b=png(0), c=png(0), d=png(0)))
    assert (target.count(prompt_id("fox")), target.found.repeated) == (2, 2)


def test_captions_beside_the_images_are_their_prompts(tmp_path: Path) -> None:
    for number, (name, seed) in enumerate([("x/1", 5), ("x/2", 4)]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / f"{name}.png").write_bytes(png(number))
        (tmp_path / f"{name}.json").write_text(json.dumps({"Prompt": "a fox", "Seed": str(seed), "model": "m"}))
    (tmp_path / "3.jpg").write_bytes(encode(photo_like(2, 40, 40), "JPEG", quality=100, subsampling=0))
    (tmp_path / "3.txt").write_text("a cat\n")
    (tmp_path / "4.png").write_bytes(png(3))
    target = open_stored(tmp_path)
    assert shown(target, "a fox", [0, 1]) == [1, 0]
    assert (target.count(prompt_id("a cat")), target.found.without_prompt) == (1, 1)


def test_a_webdataset_is_read_whether_named_as_folder_or_tar(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "00000.tar", "w") as tar:
        for number in range(2):
            said = json.dumps({"prompt": "a fox", "seed": 9 - number}).encode()
            for ending, content in (("png", png(number)), ("json", said)):
                member = tarfile.TarInfo(f"{number:04d}.{ending}")
                member.size = len(content)
                tar.addfile(member, io.BytesIO(content))
    for where in (tmp_path, tmp_path / "00000.tar"):
        assert shown(open_stored(where), "a fox", [0, 1, 2]) == [1, 0, None]


def test_parquet_with_the_images_in_it_is_read(tmp_path: Path) -> None:
    images = [{"bytes": png(number), "path": None} for number in range(3)]
    pl.DataFrame({"image": images, "prompt": ["a fox"] * 3, "seed": [2, 0, 1]}).write_parquet(tmp_path / "part.parquet")
    assert shown(open_stored(tmp_path), "a fox", [0, 1, 2]) == [1, 2, 0]


def test_images_are_squared_to_the_side_of_the_first_or_the_one_given(tmp_path: Path) -> None:
    folder = with_table(tmp_path / "set", [{"file_name": "a.png", "prompt": "fox"}], a=png(1, 50, 70))
    assert open_stored(folder).transform.size == 48  # a multiple of 16
    wide = open_stored(folder, fit="pad", size=32).generate(["fox"], [0], steps=1, guidance=0)[0].image
    assert wide is not None
    assert wide.shape == (32, 32, 3)
    assert wide[0].min() == 1.0  # white above


def test_a_broken_image_is_a_defect_of_its_own(tmp_path: Path) -> None:
    rows = [{"file_name": f"{name}.png", "prompt": "fox"} for name in "ab"]
    target = open_stored(with_table(tmp_path / "set", rows, a=png(1), b=png(2)[:900]))
    drawn = target.generate(["fox"] * 3, [0, 1, 2], steps=1, guidance=0)
    assert [one.defect for one in drawn] == [None, "truncated_image", "no_image"]
    (tmp_path / "set" / "a.png").unlink()
    assert target.generate(["fox"], [0], steps=1, guidance=0)[0].defect == "image_gone"


def test_the_checksum_tells_sets_apart_by_content_and_not_by_time(tmp_path: Path) -> None:
    rows = [{"file_name": "a.png", "prompt": "fox", "seed": 1}]
    first = open_stored(with_table(tmp_path / "one", rows, a=png(1))).checksum
    assert open_stored(with_table(tmp_path / "two", rows, a=png(1))).checksum == first
    assert open_stored(with_table(tmp_path / "three", rows, a=png(2))).checksum != first
    assert open_stored(with_table(tmp_path / "four", [rows[0] | {"seed": 2}], a=png(1))).checksum != first


@pytest.mark.parametrize("layout", ["empty", "no prompts", "text alone"])
def test_a_folder_without_images_of_prompts_is_refused(tmp_path: Path, layout: str) -> None:
    if layout == "no prompts":
        (tmp_path / "a.png").write_bytes(png(1))
    if layout == "text alone":
        (tmp_path / "a.txt").write_text("a fox")
    with pytest.raises(UnusableInputError, match=r"no diffusers pipeline .*(no data set|no image with the prompt)"):
        open_stored(tmp_path)


def lookup(images: np.ndarray) -> list[Near]:
    return [Near(near=(), l2_sample_id=0, l2=float(image.mean())) for image in images]


def test_the_generating_stage_serves_them_by_number_and_the_evidence_again(tmp_path: Path) -> None:
    rows = [{"file_name": f"{name}.png", "prompt": "fox", "seed": seed} for name, seed in (("a", 5), ("b", None))]
    target = open_stored(with_table(tmp_path / "set", rows, a=png(0), b=png(1)))
    stage = Generator(target, lookup, Sampling(run_seed=0, steps=50, guidance=7.5))
    prompt = prompt_id("fox")
    parts = [(prompt, "Fox", 0, 3), (prompt, "Fox", EVIDENCE_FIRST, 2), ("0" * 16, "cat", 0, 1)]
    made = stage(
        [PromptImages(prompt_id=p, caption=c, indices=tuple(range(first, first + n))) for p, c, first, n in parts]
    )
    made = made.filter(pl.col("prompt_id") == prompt)
    assert made["seed"].to_list() == [5, None, None, 5, None]
    assert made["defect"].to_list() == [None, None, "no_image", None, None]
    assert made["note"].to_list() == ["a", "b", None, "a", "b"]
    assert (made["steps"].null_count(), made["evaluations"].sum()) == (5, 0)
    np.testing.assert_array_equal(from_png(made["png"][0]), from_png(made["png"][3]))
