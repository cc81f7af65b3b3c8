"""Exact binomial intervals over whole arrays of counts: of a rate, and of the rank at which a quantile lies.

The interval of a rate is Clopper and Pearson's (1934, https://doi.org/10.1093/biomet/26.4.404): every share under which
a count as small and a count as large as the one seen each have a chance of at least 2.5 %. It never covers less than
95 %, also for 0 of n, where the textbook interval has no width. The interval of a quantile needs no distribution
either: of n independent draws the number at or above the true 1 − p quantile is binomial (n, p), so the quantile lies
between two order statistics.

    >>> low, high = exact_interval(np.array([0, 60]), 60)
    >>> high.round(4).tolist()
    [0.0596, 1.0]
    >>> ranks(1000, 0.01)
    (4, 17)
"""

import numpy as np
from numpy.typing import NDArray
from scipy.stats import beta, binom

CONFIDENCE = 0.95
"""Of every interval here."""


def exact_interval(hits: NDArray[np.int64], tried: NDArray[np.int64] | int) -> tuple[NDArray[np.float64], ...]:
    """Lower and upper ends of the exact intervals of hits / tried, 0 to 1; (0, 1) where nothing was tried."""
    tail = (1 - CONFIDENCE) / 2
    hits, tried = np.broadcast_arrays(np.asarray(hits, np.int64), np.asarray(tried, np.int64))
    if (hits < 0).any() or (hits > tried).any():
        raise ValueError("More hits than were tried, or fewer than none, is no rate; count again.")
    low, high = np.zeros(hits.shape), np.ones(hits.shape)
    some, missed = hits > 0, hits < tried
    low[some] = beta.ppf(tail, hits[some], (tried - hits)[some] + 1)
    high[missed] = beta.ppf(1 - tail, hits[missed] + 1, (tried - hits)[missed])
    return low, high


def ranks(drawn: int, rate: float) -> tuple[int, int]:
    """The least and the most of `drawn` that lie at or above the quantile that a share `rate` reaches."""
    tail = (1 - CONFIDENCE) / 2
    least, most = binom.ppf([tail, 1 - tail], drawn, rate)
    return int(least), int(most)
