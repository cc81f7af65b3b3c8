"""Counts of cosines against counting one by one, and thresholds against sorting."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import beta

from scanner.duplicates import CosineCounts, threshold_at
from scanner.duplicates._cosines import GRID
from scanner.errors import UnusableInputError

COSINES = arrays(np.float32, st.integers(1, 60), elements=st.floats(-1, 1, width=32))


@given(COSINES, st.integers(-10_000, 10_000))
def test_counts_are_those_of_the_search(cosines, point):
    """The search proposes `similarity >= threshold` in float32; counted is that, or a hair (10⁻⁷) more."""
    cosine = point / 10_000
    reached = CosineCounts.of(cosines).reached(cosine)
    assert (cosines >= np.float32(cosine)).sum() <= reached <= (cosines.astype(float) >= cosine - 1.1e-7).sum()


@given(COSINES, COSINES)
def test_parts_add_up(one, other):
    both = CosineCounts.of(np.concatenate([one, other]))
    assert np.array_equal((CosineCounts.of(one) + CosineCounts.of(other)).counts, both.counts)
    assert np.array_equal(CosineCounts.of(one, other).counts, both.counts)
    assert both.total == len(one) + len(other)


def test_cosines_a_little_above_one_count_as_one():
    counts = CosineCounts.of(np.array([1.0000001, 0.99999994, -1.0000001], np.float32))
    assert (counts.reached(1.0), counts.reached(0.9999), counts.total) == (2, 2, 3)


@settings(max_examples=50, deadline=None)
@given(
    arrays(np.float64, st.integers(2, 80), elements=st.floats(0.01, 0.99)),
    st.floats(0.02, 0.98),
)
def test_the_threshold_is_the_smallest_of_four_decimals_that_few_enough_reach(cosines, rate):
    cosines = np.round(cosines, 5)
    counts = CosineCounts.of(cosines)
    if rate * len(cosines) < 1:
        with pytest.raises(UnusableInputError, match="needs"):
            threshold_at(counts, rate)
        return
    allowed = rate * len(cosines)
    slow = GRID[(cosines[None] >= GRID[:, None] - 1e-7).sum(axis=1) <= allowed][0]
    found = threshold_at(counts, rate)
    assert found.cosine == pytest.approx(slow)
    assert found.reached <= allowed
    assert found.rate_low <= found.reached / found.pairs <= found.rate_high
    assert found.cosine_low <= found.cosine <= found.cosine_high


def test_the_interval_holds_the_true_quantile_as_often_as_it_says():
    """Cosines of independent directions in 16 dimensions: (1 + cosine) / 2 is beta(7.5, 7.5)."""
    truth, rng = 2 * beta.ppf(1 - 1e-2, 7.5, 7.5) - 1, np.random.default_rng(0)
    held = []
    for _ in range(400):
        found = threshold_at(CosineCounts.of(2 * rng.beta(7.5, 7.5, 2000) - 1), 1e-2)
        held.append(found.cosine_low <= truth <= found.cosine_high)
    assert np.mean(held) >= 0.93


def test_too_few_pairs_leave_the_threshold_open_above():
    found = threshold_at(CosineCounts.of(np.linspace(0.1, 0.5, 100)), 0.01)
    assert (found.reached, found.cosine_high) == (1, 1.0)


@pytest.mark.parametrize(
    ("cosines", "rate", "said"),
    [
        (np.ones(1000), 0.01, "do not tell the pictures apart"),
        (np.full(1000, -0.3), 0.01, "above 0; give a smaller rate"),
        (np.linspace(-1, 0.5, 1000), 0.9, "above 0; give a smaller rate"),
        (np.linspace(-1, 0.5, 1000), 1e-4, "needs 10,000 random pairs, and 1,000 are left"),
        (np.empty(0), 0.5, "needs 2 random pairs, and 0 are left"),
    ],
)
def test_where_there_is_no_threshold_it_says_so(cosines, rate, said):
    with pytest.raises(UnusableInputError, match=said):
        threshold_at(CosineCounts.of(cosines), rate)
