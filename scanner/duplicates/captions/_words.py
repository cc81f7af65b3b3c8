"""The words of captions, as sets of numbers.

A word is a run of letters, marks and digits. Scripts that are written without spaces (Chinese, Japanese, Thai, ...)
give pairs of neighbouring characters in its place. What says little is left out wherever something else remains: words
of one or two Latin, Cyrillic or Greek letters (a, of, de), and symbols (emoji).

    >>> words = words_of(pl.Series(["a red fox", "fox of red", "of"]))
    >>> [[words.vocabulary[int(word)] for word in words.of(caption)] for caption in range(3)]
    [['fox', 'red'], ['fox', 'red'], ['of']]
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

READ_CHARACTERS = 2048
"""What is compared of a caption: its beginning. Text encoders read 77 (CLIP) to 512 (T5) tokens of a few letters."""
_UNSPACED = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}"
_TOKEN = rf"[{_UNSPACED}]|[[\p{{L}}\p{{M}}\p{{N}}]--[{_UNSPACED}]]+|\S"
_SAYS_LITTLE = r"^(?:[\p{Latin}\p{Cyrillic}\p{Greek}]{1,2}|[^\p{L}\p{M}\p{N}])$"
_AT_ONCE = 100_000
"""Captions whose words are text at one time: a word takes 16 bytes and more as text, 4 as a number."""


@dataclass(frozen=True, kw_only=True)
class Words:
    """The distinct words of each caption."""

    vocabulary: pl.Series
    """Distinct words in the order of their code points; a word's number is its place here."""
    numbers: NDArray[np.int32]
    """The words of all captions: caption after caption, ascending in each."""
    starts: NDArray[np.int64]
    """(captions + 1,) where each caption's words begin in `numbers`."""

    def of(self, caption: int) -> NDArray[np.int32]:
        return self.numbers[self.starts[caption] : self.starts[caption + 1]]


def words_of(captions: pl.Series) -> Words:
    """The words of normalised captions (String, no nulls); none of an empty caption."""
    parts = list(_numbered(captions))
    vocabulary = pl.concat([pl.Series(dtype=pl.String), *(known for _, _, known in parts)]).unique().sort()
    places = pl.DataFrame({"word": vocabulary, "number": np.arange(len(vocabulary), dtype=np.int32)})
    owners, numbers = [np.empty(0, np.int64)], [np.empty(0, np.int32)]
    for owner, local, known in parts:
        place = known.to_frame("word").join(places, on="word", how="left", maintain_order="left")["number"].to_numpy()
        owners.append(owner)
        numbers.append(place[local])
    return as_sets(np.concatenate(owners), np.concatenate(numbers), vocabulary, len(captions))


def as_sets(owners: NDArray[np.int64], numbers: NDArray[np.int32], vocabulary: pl.Series, captions: int) -> Words:
    """Words from (caption, word) pairs in any order, equal ones taken together."""
    pairs = np.sort(owners << 32 | numbers)
    pairs = pairs[np.append(True, pairs[1:] != pairs[:-1])[: len(pairs)]]
    starts = np.searchsorted(pairs, np.arange(captions + 1, dtype=np.int64) << 32)
    return Words(vocabulary=vocabulary, numbers=(pairs & 0xFFFFFFFF).astype(np.int32), starts=starts)


def _numbered(captions: pl.Series) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int32], pl.Series]]:
    """Part by part: the caption of each word, the word's place among the part's distinct words, and those."""
    for start in range(0, len(captions), _AT_ONCE):
        found = _said(captions.slice(start, _AT_ONCE))
        known = found["word"].unique().sort()
        places = pl.DataFrame({"word": known, "place": np.arange(len(known), dtype=np.int32)})
        found = found.join(places, on="word", how="left", maintain_order="left")
        yield found["caption"].to_numpy().astype(np.int64) + start, found["place"].to_numpy(), known


def _said(captions: pl.Series) -> pl.DataFrame:
    """One row per `caption` (its place) and `word`, without the words that say little where others are left."""
    tokens = captions.str.slice(0, READ_CHARACTERS).str.extract_all(_TOKEN)
    found = pl.DataFrame({"word": tokens}).with_row_index("caption").explode("word").drop_nulls()
    unspaced = pl.col("word").str.contains(f"^[{_UNSPACED}]$")
    found = found.with_columns(unspaced=unspaced)
    pairs = pl.col("unspaced") & pl.col("unspaced").shift(-1) & (pl.col("caption") == pl.col("caption").shift(-1))
    found = found.with_columns(pair=pairs.fill_null(False)).with_columns(
        word=pl.when("pair").then(pl.col("word") + pl.col("word").shift(-1)).otherwise("word"),
        # the last character of a run stands in the pair before it
        spent=pl.col("unspaced") & ~pl.col("pair") & (pl.col("pair").shift(1).fill_null(False)),
        little=pl.col("word").str.contains(_SAYS_LITTLE),
    )
    found = found.filter(~pl.col("spent"))
    speaking = found.filter(~pl.col("little"))
    silent = found.join(speaking.select("caption").unique(), on="caption", how="anti")
    return pl.concat([speaking, silent]).select("caption", "word")
