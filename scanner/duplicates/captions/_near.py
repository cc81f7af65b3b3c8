"""Near-duplicate captions: one caption with a suffix, a shop's name, a number, a typing error, in another order.

Captions are compared as sets of words (`_words`) with spellings taken together (`_spelling`). Two are near when the
sets are equal, when they share at least `SUBSTITUTED` of all their words (Jaccard), or when all words of one stand in
the other and are at least `SHARED` words and `CONTAINED` of it. So in a short caption every word counts, a colour and a
number too: "a red car" and "a blue car" are two captions.

Candidates come from MinHash in bands (Broder 1997, https://doi.org/10.1109/SEQUEN.1997.666900): captions that agree in
one band meet in a bucket, the bucket's first is compared with all others, and what it does not lead meets again in the
next pass. So a bucket costs its size and not its square. Pairs are dismissed by a bound that can't err (words that one
side's 64-bit sketch has and the other's has not are missing words) before the sets are compared exactly. Clusters are
built around leaders (`_leaders`), the captions of most rows, and every member is near its leader.

    >>> captions = pl.Series(["red fox in deep snow", "red fox in deep snow etsy", "a red car", "a blue car"])
    >>> near_captions(captions, np.array([1, 3, 1, 1])).tolist()
    [1, 1, 2, 3]
"""

from dataclasses import replace

import numpy as np
import polars as pl
from numpy.typing import NDArray
from scipy.sparse import csr_array

from scanner.duplicates.captions._leaders import lead
from scanner.duplicates.captions._spelling import spellings
from scanner.duplicates.captions._words import Words, as_sets, words_of

SUBSTITUTED = 0.85
"""Least Jaccard similarity where either caption has words of its own: in up to 12 words every one counts, in 13 to 25
one may be another. At 0.8, captions of 9 to 12 words of the planted set (`tests/duplicates/captions/planted.py`) that
differ in their colour or in one other word are taken for one (precision 71 %, at 0.85 100 %)."""
CONTAINED = 0.6
"""Least part of the longer caption where it holds all of the shorter one: six words and a suffix of four. At 0.7,
recall of the planted near-duplicates of 6 to 8 words falls from 93 to 88 %; at 0.5 it is the same."""
SHARED = 4
"""Least words of the shorter one in that case: "red car" and "red car garage" are two captions. With 3, recall at 3 to
5 words rises from 76 to 85 %, and a word that tells such captions apart is taken for a suffix."""
_BANDS, _ROWS = 32, 4
"""A pair at Jaccard 0.6 meets with 98.8 %, at 0.8 with more than 99.999 %; one at 0.3 with 23 %."""
_PASSES = 4
"""How often what a bucket's first caption did not lead meets again. On 3,000 captions of which each differs from others
in up to three words, four passes leave 0.2 to 0.8 % more clusters than comparing all with all, sixteen hardly fewer."""
_AT_ONCE = 200_000
"""Pairs whose sets are compared at one time."""

Nodes = NDArray[np.int64]


def near_captions(captions: pl.Series, rows: NDArray[np.int64]) -> Nodes:
    """For each caption the place of the caption that leads its cluster, its own where it is alone.

    `captions` are distinct and normalised (String, no nulls); `rows` says how many rows carry each. The caption of most
    rows leads, of equals the first.
    """
    words = _spelled(words_of(captions))
    order = np.lexsort((np.arange(len(rows)), -rows))
    hashes = _set_hashes(words)
    _, first, inverse = np.unique(hashes[order], return_index=True, return_inverse=True)
    by_rank = np.argsort(first)
    best = order[first[by_rank]]
    place = np.empty(len(first), np.int64)
    place[by_rank] = np.arange(len(first))
    leaders = _lead_sets(_chosen(words, best))
    found = np.empty(len(rows), np.int64)
    found[order] = best[leaders[place[inverse]]]
    return found


def _spelled(words: Words) -> Words:
    """The same sets with each word replaced by the one that it is a spelling of."""
    kept = spellings(words.vocabulary, np.bincount(words.numbers, minlength=len(words.vocabulary)))
    owners = np.repeat(np.arange(len(words.starts) - 1), np.diff(words.starts))
    return as_sets(owners, kept[words.numbers], words.vocabulary, len(words.starts) - 1)


def _chosen(words: Words, captions: Nodes) -> Words:
    """The sets of some captions, in the given order."""
    sizes = np.diff(words.starts)[captions]
    starts = np.concatenate([[0], np.cumsum(sizes)])
    at = np.arange(starts[-1]) + np.repeat(words.starts[captions] - starts[:-1], sizes)
    return replace(words, numbers=words.numbers[at], starts=starts)


def _mixed(numbers: NDArray[np.integer], seed: int) -> NDArray[np.uint64]:
    """64 well-mixed bits of each number (the finish of splitmix64)."""
    x = numbers.astype(np.uint64) + np.uint64((seed + 1) * 0x9E3779B97F4A7C15 % 2**64)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


def _per_set(reduce: np.ufunc, values: NDArray[np.unsignedinteger], words: Words) -> NDArray[np.unsignedinteger]:
    """`reduce` over the values of each set; 0 for an empty one."""
    filled = np.diff(words.starts) > 0
    found = np.zeros(len(filled), values.dtype)
    if filled.any():
        found[filled] = reduce.reduceat(values, words.starts[:-1][filled])
    return found


def _set_hashes(words: Words) -> NDArray[np.uint64]:
    """A 64-bit hash of each set: of a million sets, two that differ are equal in it with a chance of 1 in 3·10⁷."""
    return _mixed(_per_set(np.add, _mixed(np.arange(len(words.vocabulary)), 0)[words.numbers], words), 1)


def _bands(words: Words) -> NDArray[np.uint32]:
    """(bands, sets): sets with equal values in a band meet there."""
    keys = np.zeros((_BANDS, len(words.starts) - 1), np.uint32)
    alphabet = np.arange(len(words.vocabulary))
    for band in range(_BANDS):
        for row in range(_ROWS):
            values = (_mixed(alphabet, 2 + band * _ROWS + row) >> np.uint64(32)).astype(np.uint32)
            keys[band] = (keys[band] ^ _per_set(np.minimum, values[words.numbers], words)) * np.uint32(0x9E3779B1)
            keys[band] ^= keys[band] >> np.uint32(15)
    return keys


def _lead_sets(words: Words) -> Nodes:
    """The leader of each set, its own where it leads; the sets are distinct and in order of rank."""
    leader = np.arange(len(words.starts) - 1)
    if not len(leader):
        return leader
    keys, sets = _bands(words), _Sets(words)
    open_ = np.flatnonzero(np.diff(words.starts) > 0)
    for _ in range(_PASSES):
        if not len(open_):
            break
        left, right, met = _stars(keys, open_, sets)
        found = lead(len(leader), left, right)
        followers = np.flatnonzero(found != np.arange(len(found)))
        leader[followers] = found[followers]
        # one that is first wherever it meets others has been compared with all of them
        met[followers], met[found[followers]] = False, False
        open_ = open_[met[open_]]
    return leader


def _stars(keys: NDArray[np.uint32], open_: Nodes, sets: "_Sets") -> tuple[Nodes, Nodes, NDArray[np.bool_]]:
    """Near pairs of each bucket's first set with its others, and per set whether it met a set of better rank."""
    met = np.zeros(keys.shape[1], bool)
    candidates = [np.empty(0, np.int64)]
    for band in keys:
        key = band[open_]
        order = np.argsort(key, kind="stable")
        key = key[order]
        begins = np.append(True, key[1:] != key[:-1])
        first = open_[order[np.flatnonzero(begins)]][np.cumsum(begins) - 1][~begins]
        other = open_[order[~begins]]
        met[other] = True
        possible = sets.may_be_near(first, other)
        candidates.append(first[possible] << 32 | other[possible])
    pairs = np.sort(np.concatenate(candidates))
    pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]]
    left, right = pairs >> 32, pairs & 0xFFFFFFFF
    near = sets.near(left, right)
    return left[near], right[near], met


class _Sets:
    """Sets of words, ready to be compared."""

    def __init__(self, words: Words) -> None:
        self.sizes = np.diff(words.starts)
        shape = (len(self.sizes), len(words.vocabulary))
        self._rows = csr_array((np.ones(len(words.numbers), np.int32), words.numbers, words.starts), shape=shape)
        bits = np.uint64(1) << (_mixed(np.arange(shape[1]), 1_000) >> np.uint64(58))
        self._sketches = _per_set(np.bitwise_or, bits[words.numbers], words)

    def may_be_near(self, left: Nodes, right: Nodes) -> NDArray[np.bool_]:
        """False only where the pair is not near: the shared words are at most those whose bits both have."""
        one, two = self._sketches[left], self._sketches[right]
        missing_left, missing_right = np.bitwise_count(one & ~two), np.bitwise_count(two & ~one)
        most = np.minimum(self.sizes[left] - missing_left, self.sizes[right] - missing_right)
        return _near(most, self.sizes[left], self.sizes[right])

    def near(self, left: Nodes, right: Nodes) -> NDArray[np.bool_]:
        """Whether the two sets of each pair are near."""
        found = [np.empty(0, bool)]
        for start in range(0, len(left), _AT_ONCE):
            one, two = left[start : start + _AT_ONCE], right[start : start + _AT_ONCE]
            shared = self._rows[one].multiply(self._rows[two]).sum(axis=1)
            found.append(_near(shared, self.sizes[one], self.sizes[two]))
        return np.concatenate(found)


def _near(shared: Nodes, left: Nodes, right: Nodes) -> NDArray[np.bool_]:
    """The decision, from the number of shared words and those of either side; grows with the shared ones."""
    every = left + right - shared
    shorter = np.minimum(left, right)
    contained: NDArray[np.bool_] = (shared == shorter) & (shared >= SHARED) & (shared >= CONTAINED * every - 1e-9)
    alike: NDArray[np.bool_] = shared >= SUBSTITUTED * every - 1e-9
    return contained | alike
