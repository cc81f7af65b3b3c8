"""Curves of one set of scores against another: how many of each pass every threshold.

>>> auc(np.array([3.0, 2.0]), np.array([1.0, 2.0]))
0.875
"""

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]


def auc(positives: Scores, negatives: Scores) -> float | None:
    """The chance that a positive scores higher than a negative, ties counting half (Mann and Whitney's U by the number
    of pairs); None without pairs."""
    if not len(positives) or not len(negatives):
        return None
    ordered = np.sort(negatives)
    below = np.searchsorted(ordered, positives, "left")
    up_to = np.searchsorted(ordered, positives, "right")
    return float((below + up_to).mean() / 2 / len(negatives))


def passing(scores: Scores, thresholds: Scores) -> NDArray[np.int64]:
    """Of each threshold, how many scores are at it or above it."""
    return len(scores) - np.searchsorted(np.sort(scores), thresholds, "left")


def spread(along: Scores, points: int) -> NDArray[np.int64]:
    """Places of at most about `points` entries of a rising row that lie evenly along it, the first and the last among
    them; all of them where they are no more."""
    if len(along) <= points:
        return np.arange(len(along))
    wanted = np.linspace(along[0], along[-1], points)
    return np.unique(np.minimum(np.searchsorted(along, wanted, "left"), len(along) - 1))
