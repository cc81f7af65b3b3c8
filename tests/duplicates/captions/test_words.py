import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates.captions import _words
from scanner.duplicates.captions._words import READ_CHARACTERS, words_of


def _said(*captions: str) -> list[set[str]]:
    words = words_of(pl.Series(captions, dtype=pl.String))
    return [{words.vocabulary[int(word)] for word in words.of(caption)} for caption in range(len(captions))]


@pytest.mark.parametrize(
    ("caption", "words"),
    [
        ("a red fox of red", {"red", "fox"}),
        ("to be or", {"to", "be", "or"}),
        ("a 5", {"5"}),
        ("fox🎨✨ print", {"fox", "print"}),
        ("🎨✨", {"🎨", "✨"}),
        ("赤い車", {"赤い", "い車"}),
        ("車", {"車"}),
        ("車 red", {"車", "red"}),
        ("赤 い 車", {"赤い", "い車"}),
        ("ภาษา", {"ภา", "าษ", "ษา"}),
        ("שלום עולם", {"שלום", "עולם"}),
        ("स्वागत की", {"स्वागत", "की"}),
        ("빨간 자동차", {"빨간", "자동차"}),
        ("", set()),
    ],
)
def test_what_a_caption_says(caption: str, words: set[str]) -> None:
    assert _said(caption) == [words]


def test_only_the_beginning_of_a_long_caption_is_read() -> None:
    assert _said("fox " * 25_000 + "owl", "x" * 100_000) == [{"fox"}, {"x" * READ_CHARACTERS}]


def test_captions_do_not_run_into_one_another() -> None:
    assert _said("赤", "い", "車だ", "") == [{"赤"}, {"い"}, {"車だ"}, set()]


@settings(max_examples=30, deadline=None)
@given(st.lists(st.text("ab 赤い🎨1", max_size=8), max_size=9))
def test_read_in_parts_it_is_the_same(captions: list[str]) -> None:
    whole = _said(*captions)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_words, "_AT_ONCE", 2)
        assert _said(*captions) == whole == [_said(caption)[0] for caption in captions]
