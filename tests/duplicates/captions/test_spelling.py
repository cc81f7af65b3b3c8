import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates.captions._spelling import LONGEST, SHORTEST, spellings


def _edits(word: str, letters: str) -> set[str]:
    """All words that one edit after the first letter makes of a word."""
    made = set()
    for at in range(1, len(word) + 1):
        made |= {word[:at] + letter + word[at:] for letter in letters}
        if at < len(word):
            made |= {word[:at] + letter + word[at + 1 :] for letter in letters} | {word[:at] + word[at + 1 :]}
            made.add(word[:at] + word[at:][1:2] + word[at] + word[at + 2 :])
    return made


def _kept(words: list[str], captions: list[int]) -> list[str]:
    return [words[place] for place in spellings(pl.Series(words, dtype=pl.String), np.array(captions, np.int64))]


def test_the_most_frequent_spelling_is_kept() -> None:
    words = ["flower", "flowers", "folwer", "floweer", "flawer", "lfower"]
    assert _kept(words, [10, 3, 1, 1, 1, 1]) == ["flower"] * 5 + ["lfower"]
    assert _kept(words[:2], [3, 10]) == ["flowers"] * 2


def test_no_chain_of_edits_joins_two_words() -> None:
    assert _kept(["aaaaaa", "aaaaab", "aaaabb"], [9, 5, 1]) == ["aaaaaa", "aaaaaa", "aaaabb"]


@pytest.mark.parametrize(
    "words",
    [["house", "horse"], ["123456", "123457"], ["ab1234", "ab1235"], ["x" * (LONGEST + 1), "x" * LONGEST + "y"]],
)
def test_short_words_numbers_and_keys_have_one_spelling(words: list[str]) -> None:
    assert _kept(words, [5, 1]) == words


@pytest.mark.parametrize("words", [["фотография", "фотогрфия"], ["καλημέρα", "καλημερα"], ["מכוניתות", "מכוניותת"]])
def test_letters_of_any_script(words: list[str]) -> None:
    assert _kept(words, [5, 1]) == [words[0]] * 2


@settings(max_examples=100, deadline=None)
@given(st.lists(st.text("ab", min_size=4, max_size=9), unique=True, max_size=12), st.data())
def test_as_by_comparing_all(words: list[str], data: st.DataObject) -> None:
    """Each kept word is one edit away and no rarer; and of two words one edit apart, not both keep their own."""
    captions = data.draw(st.lists(st.integers(1, 5), min_size=len(words), max_size=len(words)))
    kept = _kept(words, captions)
    often = dict(zip(words, captions, strict=True))
    for word, to in zip(words, kept, strict=True):
        assert word == to or (word in _edits(to, "ab") and often[to] >= often[word] and len(to) >= SHORTEST)


def test_nothing() -> None:
    assert _kept([], []) == []
