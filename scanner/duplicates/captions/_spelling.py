"""Spellings of one word: long words that differ by one letter, one left out, one added or two swapped.

A caption's typing error should not make it another caption, and neither should a plural. Words of `SHORTEST` letters
and more that begin alike count as one word when they are one edit apart (Damerau 1964,
https://doi.org/10.1145/363958.363994): among shorter ones the neighbours are words of their own (house and horse, black
and blank). Each word goes to a more frequent one that is itself kept, so that no chain of edits joins two words.

Neighbours are found without comparing words: two words with equal text once a letter is taken out at one place differ
by that letter. The texts are compared by a 64-bit hash.

    >>> kept = spellings(pl.Series(["sitting", "sittting", "sitter"]), np.array([9, 1, 5]))
    >>> kept.tolist()
    [0, 0, 2]
"""

from collections.abc import Iterator

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.duplicates.captions._leaders import lead

SHORTEST = 6
"""Letters that a word must have."""
LONGEST = 32
"""Letters above which a word is no word (an address, a key) and has no spelling."""
_BASE = np.uint64(0x9E3779B97F4A7C15)
_FINISH = np.uint64(0xBF58476D1CE4E5B9)

Hashes = NDArray[np.uint64]
Places = NDArray[np.int64]


def spellings(vocabulary: pl.Series, captions: NDArray[np.int64]) -> NDArray[np.int32]:
    """For each word the place of the word it is a spelling of: its own where it is none.

    `vocabulary` are distinct words, `captions` how many captions hold each; of equally frequent words the first leads.
    """
    order = np.lexsort((np.arange(len(captions)), -captions))
    rank = np.empty(len(order), np.int64)
    rank[order] = np.arange(len(order))
    left, right = _one_edit_apart(vocabulary, rank)
    return order[lead(len(order), rank[left], rank[right])][rank].astype(np.int32)


def _one_edit_apart(vocabulary: pl.Series, rank: Places) -> tuple[Places, Places]:
    """Pairs of places of words one edit apart: of words that share a reduced text, each with the most frequent."""
    spelled = vocabulary.str.contains(rf"^\p{{L}}[\p{{L}}\p{{M}}]{{{SHORTEST - 1},{LONGEST - 1}}}$")
    lengths = vocabulary.str.len_chars().to_numpy()
    left, right = [np.empty(0, np.int64)], [np.empty(0, np.int64)]
    whole: dict[int, tuple[Hashes, Places]] = {}
    for length in range(SHORTEST, LONGEST + 1):
        places = np.flatnonzero(spelled.to_numpy() & (lengths == length))
        if not len(places):
            continue
        letters = _letters(vocabulary, places, length)
        whole[length] = _sorted(_hash(letters), places)
        for reduced, shorter in _reduced(letters):
            one, two = _stars(reduced, places, rank) if not shorter else _owners(reduced, places, whole.get(length - 1))
            left.append(one)
            right.append(two)
    return np.concatenate(left), np.concatenate(right)


def _letters(vocabulary: pl.Series, places: Places, length: int) -> NDArray[np.uint64]:
    """(words, length) code points."""
    text = "".join(vocabulary.gather(places).to_list()).encode("utf-32-le", "surrogatepass")
    return np.frombuffer(text, "<u4").reshape(len(places), length).astype(np.uint64)


def _reduced(letters: NDArray[np.uint64]) -> Iterator[tuple[Hashes, bool]]:
    """Hashes that two words share when one edit after the first letter parts them; and whether it shortens.

    Without the letter at a place: equal among themselves, one letter differs; equal to a shorter word, one is added.
    With two neighbours in sorted order: equal among themselves, the two are swapped.
    """
    for place in range(1, letters.shape[1]):
        without = _hash(np.delete(letters, place, axis=1))
        yield without, False
        yield without, True
        if place + 1 < letters.shape[1]:
            swapped = letters.copy()
            swapped[:, place : place + 2].sort(axis=1)
            yield _hash(swapped), False


def _hash(letters: NDArray[np.uint64]) -> Hashes:
    found = np.zeros(len(letters), np.uint64)
    for column in letters.T:
        found = (found ^ column) * _BASE
        found ^= found >> np.uint64(29)
    return (found ^ (found >> np.uint64(32))) * _FINISH


def _sorted(hashes: Hashes, places: Places) -> tuple[Hashes, Places]:
    order = np.argsort(hashes)
    return hashes[order], places[order]


def _stars(hashes: Hashes, places: Places, rank: Places) -> tuple[Places, Places]:
    """Of words with equal hashes: the most frequent with each other one."""
    order = np.lexsort((rank[places], hashes))
    same = np.flatnonzero(hashes[order][1:] == hashes[order][:-1]) + 1
    starts = np.flatnonzero(np.append(True, hashes[order][1:] != hashes[order][:-1]))
    first = order[starts[np.searchsorted(starts, same, side="right") - 1]] if len(same) else same
    return places[first], places[order[same]]


def _owners(reduced: Hashes, places: Places, whole: tuple[Hashes, Places] | None) -> tuple[Places, Places]:
    """Words whose reduced text is a word one letter shorter, with it."""
    if whole is None:
        return places[:0], places[:0]
    hashes, shorter = whole
    at = np.searchsorted(hashes, reduced).clip(max=len(hashes) - 1)
    found = hashes[at] == reduced
    return shorter[at[found]], places[found]
