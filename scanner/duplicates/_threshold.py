"""The cosine from which a pair is proposed, set from the data set itself.

A cosine is another dial for every model and every set, so it is set by what it costs: `candidates_per_row` chance
candidates for a row of the set on average, that is a false-positive rate of candidates_per_row / n on pairs of unlike
pictures (at most `max_chance_rate`): 4 · 10⁻³ for 5,000 distinct pictures, 10⁻⁴ for 200,000. Since a look decides, a
loose threshold costs time, and a tight one loses copies: at 10⁻⁴ 98.3 % of the lightly edited copies of our clip art
were proposed (by cosine or hash), at 10⁻³ 99.7 %.

The rate is measured on pairs of a random sample of the distinct rows. Duplicates among them would raise the threshold
(a group of 256 alone gives 32,640 pairs), so a row that the hash, or a cosine of the upper bound, ties to an earlier
one of the sample is left out.

>>> import numpy as np
    >>> rows = np.eye(4, dtype=np.float32)
    >>> choose_threshold(rows, np.arange(4, dtype=np.uint64), DuplicatesConfig(threshold=0.9), whitened=True).note
    'cosine 0.900 as given'
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scanner.duplicates._config import DuplicatesConfig
from scanner.duplicates.neighbours import PARALLEL

_SAMPLE = 3000
"""Rows that the rate is measured on: 4.5 million pairs, enough to see a rate of 10⁻⁵."""


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

    @property
    def least(self) -> float:
        """What a computed cosine is compared with: at a threshold of 1 rounding must not part parallel vectors."""
        return min(self.cosine, PARALLEL)


def _one_of_each(
    similarity: NDArray[np.float32], hashes: NDArray[np.uint64], alike: float, bits: int
) -> NDArray[np.int64]:
    """The sample's rows without those that the hash or a cosine of `alike` ties to an earlier one that is kept."""
    free = np.ones(len(hashes), bool)
    for row in range(len(hashes)):
        if free[row]:
            tied = (np.bitwise_count(hashes ^ hashes[row]) <= bits) | (similarity[row] >= alike)
            free[row + 1 :] &= ~tied[row + 1 :]
    return np.flatnonzero(free)


def deciding_threshold(config: DuplicatesConfig) -> Threshold:
    """The threshold where there are no pictures to look at: the given one, or the configuration's."""
    cosine = config.deciding_threshold if config.threshold is None else config.threshold
    given = "the default" if config.threshold is None else "as given"
    note = f"cosine {cosine:.3f}, {given}, of the embeddings as they are; it decides, since there are no pictures"
    return Threshold(cosine=cosine, measured=None, rate=None, unlike_pairs=0, left_out=0, note=note)


def choose_threshold(
    vectors: NDArray[np.floating], hashes: NDArray[np.uint64], config: DuplicatesConfig, *, whitened: bool
) -> Threshold:
    """The threshold for (n, d) unit rows and their (n,) perceptual hashes: the given one, or one measured on them."""
    if config.threshold is not None:
        note = f"cosine {config.threshold:.3f} as given"
        return Threshold(cosine=config.threshold, measured=None, rate=None, unlike_pairs=0, left_out=0, note=note)
    lower, upper = config.threshold_bounds if whitened else config.raw_threshold_bounds
    drawn = np.sort(np.random.default_rng(config.seed).permutation(len(vectors))[:_SAMPLE])
    sample = vectors[drawn].astype(np.float32)
    similarity = sample @ sample.T
    kept = _one_of_each(similarity, hashes[drawn], upper, config.hash_distance)  # so no pair reaches `upper`
    unlike = similarity[np.ix_(kept, kept)][np.triu_indices(len(kept), 1)]
    rate = min(config.max_chance_rate, config.candidates_per_row / max(len(vectors), 1))
    measured = float(np.quantile(unlike, 1 - rate, method="higher")) if len(unlike) else None
    cosine = lower if measured is None else round(max(measured, lower), 4)
    found = (
        f"{rate:.1e} of {len(unlike):,} unlike pairs reach {measured:.3f}"
        if measured is not None
        else "no pairs to measure"
    )
    return Threshold(
        cosine=cosine,
        measured=measured,
        rate=rate,
        unlike_pairs=len(unlike),
        left_out=len(drawn) - len(kept),
        note=f"cosine {cosine:.3f}, of {lower} to {upper}: {found}",
    )
