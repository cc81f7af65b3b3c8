"""The cosine from which a pair is proposed, set from the data set itself.

A cosine is another dial for every model and every set, so it is set by what it costs: `candidates_per_row` chance
candidates for a row of the set on average, that is a false-positive rate of candidates_per_row / n on pairs of unlike
pictures (at most `max_chance_rate`): 4 · 10⁻³ for 5,000 distinct pictures, 10⁻⁴ for 200,000. Since a look decides, a
loose threshold costs time, and a tight one loses copies: at 10⁻⁴ 98.3 % of the lightly edited copies of our clip art
were proposed (by cosine or hash), at 10⁻³ 99.7 %.

The rate is measured on pairs of a random sample of the distinct rows. Duplicates among them would raise the threshold
(a group of 256 alone gives 32,640 pairs), so rows that the hash or a high cosine ties together are united first, and
one of each stays.

    >>> import numpy as np
    >>> rows = np.eye(4, dtype=np.float32)
    >>> choose_threshold(rows, np.arange(4, dtype=np.uint64), DuplicatesConfig(threshold=0.9), whitened=True).note
    'cosine 0.900 as given'
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates._components import new_forest, roots, unite
from scanner.duplicates._config import DuplicatesConfig

_SAMPLE = 3000
"""Rows that the rate is measured on: 4.5 million pairs, enough to see a rate of 10⁻⁵."""
_SURELY_ALIKE, _SURELY_ALIKE_RAW = 0.8, 0.93
"""Cosines that unite two rows of the sample, whitened and not; far above what is chosen in small sets."""


@dataclass(frozen=True, kw_only=True)
class Threshold:
    """The cosine that proposes, and the evidence for it."""

    cosine: float
    """A pair of this cosine or more is proposed."""
    measured: float | None
    """The cosine at `rate` before clipping; None where the threshold was given or there are no pairs to measure."""
    rate: float | None
    """Share of unlike pairs allowed to reach it; None where the threshold was given."""
    unlike_pairs: int
    """Pairs that it was measured on."""
    left_out: int
    """Rows of the sample left out as copies of another."""
    note: str
    """All of this in words."""


def _one_of_each(
    similarity: NDArray[np.float32], hashes: NDArray[np.uint64], alike: float, bits: int
) -> NDArray[np.int64]:
    """The sample's rows without those that the hash or a cosine of `alike` ties to an earlier one."""
    parents = new_forest(len(hashes))
    for row in range(len(hashes)):
        near = np.bitwise_count(hashes[row + 1 :] ^ hashes[row]) <= bits
        tied = np.flatnonzero(near | (similarity[row, row + 1 :] >= alike)) + row + 1
        unite(parents, np.full(len(tied), row), tied)
    own = np.arange(len(hashes))
    kept: NDArray[np.int64] = own[roots(parents, own) == own]
    return kept


def choose_threshold(
    vectors: NDArray[np.float32], hashes: NDArray[np.uint64], config: DuplicatesConfig, *, whitened: bool
) -> Threshold:
    """The threshold for (n, d) unit rows and their (n,) perceptual hashes: the given one, or one measured on them."""
    if config.threshold is not None:
        note = f"cosine {config.threshold:.3f} as given"
        return Threshold(cosine=config.threshold, measured=None, rate=None, unlike_pairs=0, left_out=0, note=note)
    drawn = np.random.default_rng(config.seed).permutation(len(vectors))[:_SAMPLE]
    sample = vectors[np.sort(drawn)]
    similarity = sample @ sample.T
    alike = _SURELY_ALIKE if whitened else _SURELY_ALIKE_RAW
    kept = _one_of_each(similarity, hashes[np.sort(drawn)], alike, config.hash_distance)
    unlike = similarity[np.ix_(kept, kept)][np.triu_indices(len(kept), 1)]
    rate = min(config.max_chance_rate, config.candidates_per_row / max(len(vectors), 1))
    lower, upper = config.threshold_bounds if whitened else config.raw_threshold_bounds
    measured = float(np.quantile(unlike, 1 - rate, method="higher")) if len(unlike) else None
    cosine = lower if measured is None else round(min(max(measured, lower), upper), 4)
    found = "no pair to measure it on" if measured is None else f"{measured:.3f} is the cosine that {rate:.1e} of"
    note = f"cosine {cosine:.3f}: {found} {len(unlike):,} unlike pairs reach; clipped to {lower} to {upper}"
    if measured is None:
        note = f"cosine {cosine:.3f}, the lower bound: {found}"
    return Threshold(
        cosine=cosine,
        measured=measured,
        rate=rate,
        unlike_pairs=len(unlike),
        left_out=len(drawn) - len(kept),
        note=note,
    )
