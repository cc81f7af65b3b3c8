import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates.captions import near_captions, normalise_caption
from scanner.duplicates.captions._near import CONTAINED, SHARED, SUBSTITUTED
from tests.duplicates.captions.planted import NEAR, OTHER, Edit, plain


def _leaders(captions: list[str], rows: list[int] | None = None) -> list[str]:
    counts = np.array([1] * len(captions) if rows is None else rows, np.int64)
    return [captions[place] for place in near_captions(pl.Series(captions, dtype=pl.String), counts)]


def _one(*captions: str) -> bool:
    return len(set(_leaders([normalise_caption(caption) for caption in captions]))) == 1


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("A red fox in deep snow", "Red fox in deep snow | Etsy"),
        ("A red fox in deep snow", "deep snow, a red fox in it"),
        ("red fox sitting in snow", "red fox sittting in snow"),
        ("Vintage travel poster of Lisbon", "Vintage travel poster of Lisbon, 8x10, no. 4711"),
        ("a red car", "red car, a"),
        ("Image may contain: person, outdoor", "outdoor person, may contain image"),
        ("a fox 🎨✨", "a fox"),
        ("雪の中に座っている赤い狐の写真", "雪の中に座っている赤い狐の写真 4711"),
        ("שועל אדום יושב בשלג עמוק", "שועל אדום יושב בשלג עמוק בחורף"),
        ("start " + "word " * 20_000 + "end", "start " + "word " * 20_000 + "ends otherwise"),
    ],
)
def test_near(one: str, other: str) -> None:
    assert _one(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a red car", "a blue car"),
        ("a red car", "a red car in the garage"),
        ("number 3", "number 4"),
        ("a man riding a wave on top of a surfboard", "a woman riding a wave on top of a surfboard"),
        ("Nike running shoes black size 10", "Nike running shoes black size 11"),
        ("a house on a hill", "a horse on a hill"),
        ("Image may contain: person, outdoor", "Image may contain: dog, indoor"),
        ("🎨", "✨"),
        ("赤い車", "青い車"),
        ("שועל אדום", "שועל לבן"),
        ("x" * 100_000, "y" * 100_000),
    ],
)
def test_not_near(one: str, other: str) -> None:
    assert not _one(one, other)


def _joined(words: tuple[int, int], edit: Edit) -> float:
    """Share of 300 planted captions that lie in one cluster with their edited selves, all searched together."""
    rng = np.random.default_rng(7)
    base = plain(300, words, rng)
    pairs = [(" ".join(caption), " ".join(edit(caption, rng))) for caption in base]
    distinct = list(dict.fromkeys(text for pair in pairs for text in pair))
    leader = dict(zip(distinct, _leaders(distinct), strict=True))
    return float(np.mean([leader[one] == leader[other] for one, other in pairs]))


@pytest.mark.parametrize("name", NEAR)
def test_recall_of_planted_near_duplicates(name: str) -> None:
    """All, but for typing errors in words of fewer than six letters, and suffixes to fewer than four words."""
    least = 0.55 if name == "typing error" else 1.0
    assert _joined((6, 12), NEAR[name]) >= least
    assert _joined((14, 20), NEAR[name]) == 1.0
    assert _joined((3, 5), NEAR[name]) >= 0.45


@pytest.mark.parametrize("name", OTHER)
def test_no_planted_other_caption_is_taken_for_one(name: str) -> None:
    assert _joined((3, 12), OTHER[name]) == 0.0


def test_in_a_long_caption_one_word_may_be_another() -> None:
    assert _joined((14, 20), OTHER["another colour"]) == 1.0
    assert _joined((14, 20), OTHER["another half"]) == 0.0


def test_the_caption_of_most_rows_leads_and_of_equals_the_first() -> None:
    captions = ["red fox in deep snow etsy", "red fox in deep snow", "deep snow red fox in", "owl"]
    assert _leaders(captions, [1, 5, 5, 9]) == [captions[1]] * 3 + ["owl"]
    assert _leaders(captions, [1, 5, 6, 9]) == [captions[2]] * 3 + ["owl"]


def test_a_chain_of_suffixes_is_no_cluster() -> None:
    words = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
    chain = [" ".join(words[:length]) for length in range(4, 13)]
    leaders = _leaders(chain)
    assert leaders[0] == leaders[2] == chain[0]
    assert leaders[-1] != chain[0]


def _near_slowly(one: set[str], other: set[str]) -> bool:
    shared, every = len(one & other), len(one | other)
    inside = (one <= other or other <= one) and shared >= SHARED and shared / every >= CONTAINED
    return one == other or inside or shared / every >= SUBSTITUTED


def _words(caption: str) -> set[str]:
    return set(caption.split())


WORDS = [a + b + "x" for a in "pqr" for b in "stuv"]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), min_size=1, max_size=9).map(" ".join), unique=True, max_size=25))
def test_every_caption_is_near_the_one_that_leads_it(captions: list[str]) -> None:
    leaders = dict(zip(captions, _leaders(captions), strict=True))
    for caption, leader in leaders.items():
        assert _near_slowly(_words(caption), _words(leader))
        assert leaders[leader] == leader
        assert captions.index(leader) <= captions.index(caption)


def test_as_many_clusters_as_by_comparing_all() -> None:
    """Within 1 %: candidates come from random bands, and two far leaders are not compared again."""
    rng = np.random.default_rng(3)
    vocabulary = [f"w{a}{b}" for a in "abcdefgh" for b in "abcdefgh"]
    base = [list(rng.choice(vocabulary, rng.integers(4, 16), replace=False)) for _ in range(100)]
    edited = [[*base[int(rng.integers(100))], *rng.choice(vocabulary, rng.integers(0, 4))] for _ in range(900)]
    captions = list(dict.fromkeys(" ".join(words) for words in base + edited))
    slow: list[set[str]] = []
    for caption in captions:
        if not any(_near_slowly(_words(caption), leader) for leader in slow):
            slow.append(_words(caption))
    assert len(set(_leaders(captions))) == pytest.approx(len(slow), rel=0.01)


@pytest.mark.parametrize("captions", [[], ["fox"], ["", "fox"]])
def test_nothing_to_compare(captions: list[str]) -> None:
    assert _leaders(captions) == captions


def test_one_template_thousands_of_times() -> None:
    series = [f"image may contain one person standing outdoor near water {n}" for n in range(3000)]
    plainly = "image may contain one person standing outdoor near water"
    assert set(_leaders([plainly, *series], [2, *[1] * 3000])) == {plainly}
    assert len(set(_leaders(series))) == 3000
