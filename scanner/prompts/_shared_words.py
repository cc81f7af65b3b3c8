"""How far the rows of a group speak as one of its captions does, word by word.

Of each word of the caption the share of the group's rows whose caption holds it; the mean over the words, each weighted
by its inverse document frequency, log(1 + captions / captions that hold it) (Spärck Jones 1972,
https://doi.org/10.1108/eb026526), so that captions are not alike for their "a photo of the". It needs the words of each
caption once, and no comparison of captions with one another.

    >>> shares = shared_words(units, texts, rows, sizes, words_of(normal))       # doctest: +SKIP
"""

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates.captions import Words

_AT_ONCE = 4_000_000
"""Words (of captions of units) that are counted at one time: 100 to 200 MB."""

Counts = NDArray[np.int64]


def shared_words(units: Counts, texts: Counts, rows: Counts, sizes: Counts, words: Words) -> NDArray[np.float64]:
    """(n,) 0 to 1, for n captions of units: number of the unit (ascending), of the caption, its rows, the unit's rows.

    `words` are those of the captions. Rows of the unit without a caption speak as none.
    """
    lengths = np.diff(words.starts)[texts]
    weights = _inverse_document_frequency(words)
    shares = np.empty(len(units))
    for part in _parts(units, lengths):
        shares[part] = _shares(units[part], texts[part], rows[part], sizes[part], words, weights)
    return shares


def _inverse_document_frequency(words: Words) -> NDArray[np.float64]:
    """(words,) of the captions; each caption holds a word once."""
    holding = np.bincount(words.numbers, minlength=len(words.vocabulary))
    return np.log1p((len(words.starts) - 1) / np.maximum(holding, 1))


def _parts(units: Counts, lengths: Counts) -> list[slice]:
    """Slices at the bounds of units, each of about so many words."""
    if not len(units):
        return []
    starts = np.flatnonzero(np.append(True, units[1:] != units[:-1]))
    before = np.append(0, np.cumsum(lengths))[starts]
    cuts = starts[np.flatnonzero(np.diff(before // _AT_ONCE, prepend=-1))]
    return [slice(start, stop) for start, stop in zip(cuts, [*cuts[1:], len(units)], strict=True)]


def _shares(  # noqa: PLR0913, PLR0917 - parallel columns
    units: Counts, texts: Counts, rows: Counts, sizes: Counts, words: Words, weights: NDArray[np.float64]
) -> NDArray[np.float64]:
    lengths = np.diff(words.starts)[texts]
    owner = np.repeat(np.arange(len(units)), lengths)
    ends = np.cumsum(lengths)
    inside = np.arange(len(owner)) - np.repeat(ends - lengths, lengths)
    said = words.numbers[np.repeat(words.starts[texts], lengths) + inside].astype(np.int64)
    _, place = np.unique(units[owner] * len(words.vocabulary) + said, return_inverse=True)
    holding = np.bincount(place, weights=rows[owner].astype(np.float64))
    weight = weights[said]
    totals = np.bincount(owner, weights=holding[place] * weight, minlength=len(units))
    shares: NDArray[np.float64] = totals / (np.bincount(owner, weights=weight, minlength=len(units)) * sizes)
    return np.minimum(shares, 1.0)  # of equal sums in another order one may be a bit larger
