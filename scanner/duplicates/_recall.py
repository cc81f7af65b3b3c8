"""What the search missed, measured in every run: brute force on a random sample of rows.

For each sampled row all others are compared, by cosine and by hash, without any index; the pairs that the search would
have accepted (the look's verdict, or the cosine's own) are the truth, and a pair counts as found when its ends
are in one component. Rows with at least one true neighbour are counted too, with the exact interval (Clopper and
Pearson 1934, https://doi.org/10.1093/biomet/26.4.404) of the share of them all of whose neighbours were found: rows
were drawn independently, pairs were not.

>>> measure_recall(rows, None, judge, together, cosine=0.95, config=DuplicatesConfig()).pairs      # doctest: +SKIP
812
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates._config import DuplicatesConfig
from scanner.duplicates._judge import Judge
from scanner.duplicates._propose import Proposals, Which
from scanner.duplicates.neighbours import Rows, cosines, slices
from scanner.intervals import exact_interval

_NEIGHBOURS = 100
"""Neighbours of a row that are looked at, drawn at random where there are more."""
_HELD = 1_000_000
"""Pairs held before the draw, 24 MB: where all of a million rows are alike there would be half a billion."""


@dataclass(frozen=True, kw_only=True)
class Recall:
    """What brute force found, and how much of it the search had found."""

    rows: int
    """Rows drawn."""
    pairs: int
    """True pairs of them and any other row."""
    found: int
    """Of these, in one component."""
    recall: float | None
    """found / pairs; None where there was no pair."""
    with_neighbours: int
    """Rows that have a true pair."""
    complete: int
    """Of these, with all of their pairs found."""
    low: float
    """Lower end of the exact 95 % interval of complete / with_neighbours."""
    high: float
    """Upper end."""


def measure_recall(  # noqa: PLR0913 - the parts of an open search
    rows: Rows,
    hashes: NDArray[np.uint64] | None,
    judge: Judge,
    together: Which,
    *,
    cosine: float,
    config: DuplicatesConfig,
) -> Recall:
    """Compare `recall_queries` rows with all n by brute force; `together` says which pairs the search has tied."""
    rng = np.random.default_rng([config.seed, 3])
    drawn = np.sort(rng.permutation(len(rows))[: config.recall_queries])
    number, others = _near(rows, hashes, drawn, rng, cosine=cosine, bits=config.hash_distance)
    queries = drawn[number]
    true = judge(_as_proposals(rows, queries, others)).accepted
    queries, found = queries[true], together(queries[true], others[true])
    whole = np.bincount(queries, weights=~found, minlength=len(rows))[np.unique(queries)] == 0
    low, high = exact_interval(np.array(whole.sum()), len(whole))
    return Recall(
        rows=len(drawn),
        pairs=len(found),
        found=int(found.sum()),
        recall=float(found.mean()) if len(found) else None,
        with_neighbours=len(whole),
        complete=int(whole.sum()),
        low=float(low),
        high=float(high),
    )


def _near(  # noqa: PLR0913 - the parts of an open search
    rows: Rows,
    hashes: NDArray[np.uint64] | None,
    drawn: NDArray[np.int64],
    rng: np.random.Generator,
    *,
    cosine: float,
    bits: int,
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Pairs (number among the drawn, other row) within reach of each other, by the drawn row and the other."""
    queries, found = rows[drawn], np.empty((2, 0), np.int64)
    luck = np.empty(0)
    for part in slices(len(rows)):
        close = queries @ rows[part].T >= cosine
        if hashes is not None:
            close |= np.bitwise_count(hashes[drawn, None] ^ hashes[part]) <= bits
        number, column = np.nonzero(close)
        new = np.stack([number, column + part.start])[:, drawn[number] != column + part.start]
        found, luck = np.concatenate([found, new], axis=1), np.concatenate([luck, rng.random(new.shape[1])])
        if len(luck) > _HELD:
            kept = _luckiest(found[0], luck)
            found, luck = found[:, kept], luck[kept]
    number, other = found[:, _luckiest(found[0], luck)]
    order = np.lexsort((other, number))
    return number[order], other[order]


def _luckiest(number: NDArray[np.int64], luck: NDArray[np.float64]) -> NDArray[np.intp]:
    """Places of the `_NEIGHBOURS` entries of each number with the least random key: a random draw, also of a draw."""
    order = np.lexsort((luck, number))
    rank = np.arange(len(order)) - np.searchsorted(number[order], number[order])
    kept: NDArray[np.intp] = order[rank < _NEIGHBOURS]
    return kept


def _as_proposals(rows: Rows, queries: NDArray[np.int64], others: NDArray[np.int64]) -> Proposals:
    return Proposals(
        left=np.minimum(queries, others).astype(np.uint32),
        right=np.maximum(queries, others).astype(np.uint32),
        similarity=cosines(rows, queries, others),
        hash_distance=np.zeros(len(queries), np.uint8),
    )
