"""The curation of the demo's pictures, on a small package with a planted case for every rule."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw, PngImagePlugin

from pipelines.curate import curate
from pipelines.curate._looks import NEAR_BOTH, NEAR_LOOK, look, near, nearest
from pipelines.curate._rules import family, left_out_by_hand, noun, suitable
from pipelines.curate._titles import Source, caption, file_title, folded, mended, titled
from scanner.demo import demo_pictures
from scanner.errors import UnusableInputError


def drawing(seed: int, width: int = 200, height: int = 160) -> Image.Image:
    """Shapes of their own for every seed, on a transparent ground."""
    rng = np.random.default_rng(seed)
    image = Image.new("RGBA", (width, height))
    pen = ImageDraw.Draw(image)
    for _ in range(8):
        left, top = int(rng.integers(0, width - 40)), int(rng.integers(0, height - 40))
        right, bottom = left + int(rng.integers(20, 120)), top + int(rng.integers(20, 120))
        colour = (*rng.integers(0, 200, 3).tolist(), 255)
        pen.ellipse((left, top, right, bottom), fill=colour)
    return image


def file(root: Path, path: str, image: Image.Image, title: str, *, author: str = "Ann", description: str = "") -> None:
    said = PngImagePlugin.PngInfo()
    for name, text in {"Title": title, "Author": author, "Description": description}.items():
        said.add_text(name, text)
    (root / path).parent.mkdir(parents=True, exist_ok=True)
    image.save(root / path, pnginfo=said)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    root = tmp_path / "png"
    file(root, "animals/fox.png", drawing(1), "Sleeping_fox")
    file(root, "animals/bull.png", drawing(2), "Bull")
    file(root, "food/pie.png", drawing(3), "Pie", description="A pie with cherries")
    file(root, "office/one.png", drawing(4), "Paper boat", author="Ann")
    file(root, "office/two.png", drawing(5), "Paper boat", author="Bob")
    file(root, "tools/blank.png", Image.new("RGBA", (200, 200)), "Blank sheet")
    file(root, "tools/strip.png", drawing(6, 400, 60), "Long strip")
    file(root, "tools/icon.png", drawing(7, 60, 60), "Small icon")
    file(root, "computer/logos/mark.png", drawing(8), "Some mark")
    file(root, "unsorted/untitled.png", drawing(9), "untitled drawing")
    file(root, "unsorted/word.png", drawing(10), "Thing")
    (root / "recreation" / "holiday").mkdir(parents=True)
    (root / "recreation" / "holiday" / "fox.png").symlink_to(root / "animals" / "fox.png")
    return root


def test_pictures_with_a_caption_of_their_own_are_kept(package: Path, tmp_path: Path) -> None:
    pictures = pl.read_parquet(curate(package, tmp_path / "out")[0])
    assert pictures.select("picture", "source", "caption", "author").rows() == [
        (0, "animals/bull.png", "Bull, animal clip art", "Ann"),
        (1, "animals/fox.png", "Sleeping fox", "Ann"),
        (2, "food/pie.png", "A pie with cherries", "Ann"),
        (3, "office/one.png", "Paper boat by Ann", "Ann"),
        (4, "office/two.png", "Paper boat by Bob", "Bob"),
    ]
    assert pictures["family"].null_count() == 5


def test_a_second_path_is_a_natural_duplicate(package: Path, tmp_path: Path) -> None:
    links = pl.read_parquet(curate(package, tmp_path / "out")[1])
    assert links.rows() == [(1, "Sleeping fox (holiday)", "recreation/holiday/fox.png")]


def test_of_two_near_duplicates_one_is_kept(package: Path, tmp_path: Path) -> None:
    shifted = drawing(2).resize((300, 240))
    file(package, "animals/mammals/ox.png", shifted, "Ploughing ox")
    pictures = pl.read_parquet(curate(package, tmp_path / "out")[0])
    assert len(set(pictures["source"]) & {"animals/bull.png", "animals/mammals/ox.png"}) == 1
    assert len(pictures) == 5


def test_the_same_package_gives_the_same_bytes(package: Path, tmp_path: Path) -> None:
    first, second = (curate(package, tmp_path / name) for name in ("a", "b"))
    assert [path.read_bytes() for path in first] == [path.read_bytes() for path in second]


@pytest.mark.parametrize("arguments", [["nowhere", "out"], ["only-one"]])
def test_wrong_folders_end_in_one_sentence(arguments: list[str], tmp_path: Path) -> None:
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-m", "pipelines.curate", *arguments]
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 2
    assert ended.stdout == ""
    assert ended.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_pictures_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableInputError, match="holds no PNG; name the folder"):
        curate(tmp_path, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("A_house &amp; garden", "A house & garden"),
        ("CafÃ© table", "Café table"),
        ("ClipArt by Joe - redApple", "red Apple"),
        ("bw tree", "tree in black and white"),
        ("  'quoted'  ", "quoted"),
    ],
)
def test_mended_text(written: str, read: str) -> None:
    assert mended(written) == read


def test_titles_of_many_files_give_way_to_the_name() -> None:
    found = [
        Source(path=f"food/{name}_ann_lee_01.png", title="My drawings", author="Ann Lee", description="")
        for name in ("apple", "green_pear")
    ]
    assert [source.title for source in titled(found)] == ["apple", "green pear"]
    assert file_title("food/a_name_that_is_far_too_long_for_a_file.png", "Ann") == ""


def test_captions_that_do_not_read_well_are_none() -> None:
    for title in ("", "12", "http://somewhere", "a" * 80, "Ann Lee", "Ein Bild ☃", "icon collection"):
        assert caption(Source(path="food/a.png", title=title, author="Ann Lee", description="")) is None


def test_rules_of_folders_and_words() -> None:
    assert noun("animals/birds/penguin/a.png") == "bird"
    assert noun("nowhere/a.png") is None
    assert family("signs_and_symbols/flags/a.png", "Fiji") == "flag"
    assert family("food/a.png", "A pie") is None
    assert suitable("food/a.png", "A pie with cherries")
    assert not suitable("computer/logos/a.png", "A pie")
    assert not suitable("food/a.png", "Pie by Google")


def test_pictures_left_out_by_hand_are_not_in_the_demo() -> None:
    assert len(left_out_by_hand()) > 50
    assert not left_out_by_hand() & set(demo_pictures()["source"])


@given(st.text())
def test_folding_twice_is_folding_once(text: str) -> None:
    assert folded(folded(text)) == folded(text)
    assert folded(f"  {text.upper()}!") == folded(text.upper())


@settings(max_examples=30, deadline=None)
@given(seeds=st.lists(st.integers(0, 50), min_size=2, max_size=6, unique=True), query=st.integers(0, 50))
def test_near_and_nearest_equal_their_definition(seeds: list[int], query: int) -> None:
    looks = [look(drawing(seed).convert("RGB")) for seed in seeds]
    one = look(drawing(query).convert("RGB"))
    thumbnails, hashes = np.stack([other.thumbnail for other in looks]), np.stack([other.phash for other in looks])
    slow = False
    for other in looks:
        difference = float(np.mean(np.abs(other.thumbnail - one.thumbnail)))
        apart = sum(a != b for a, b in zip(other.phash, one.phash, strict=True))
        slow |= difference <= NEAR_LOOK or (difference <= NEAR_BOTH[0] and apart <= NEAR_BOTH[1])
    assert near(one, thumbnails, hashes) == slow
    assert near(one, thumbnails, hashes) or query not in seeds
    greys = np.stack([other.grey for other in looks])
    expected = [min(float(np.abs(a.grey - b.grey).mean()) for b in looks if b is not a) for a in looks]
    assert nearest(greys) == pytest.approx(expected, abs=1e-6)
