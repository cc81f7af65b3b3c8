"""Exact intervals over arrays: scipy's, one by one, and ranks that hold the quantile often enough."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from scanner.intervals import exact_interval, ranks


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), min_size=1))
def test_scipy_gives_the_same_one_by_one(pairs):
    hits = np.array([min(pair) for pair in pairs])
    tried = np.array([max(pair) for pair in pairs])
    low, high = exact_interval(hits, tried)
    slow = [
        binomtest(int(one), int(of)).proportion_ci(0.95, "exact") if of else (0, 1)
        for one, of in zip(hits, tried, strict=True)
    ]
    assert np.allclose(low, [ends[0] for ends in slow])
    assert np.allclose(high, [ends[1] for ends in slow])


def test_one_number_tried_for_all():
    low, high = exact_interval(np.array([0, 60]), 60)
    assert (low[0], high[1]) == (0, 1)
    assert high[0] == pytest.approx(0.0596, abs=1e-4)


@pytest.mark.parametrize(("hits", "tried"), [(2, 1), (-1, 5)])
def test_more_hits_than_tried_is_no_rate(hits, tried):
    with pytest.raises(ValueError, match="count again"):
        exact_interval(np.array([hits]), tried)


@pytest.mark.parametrize(("drawn", "rate"), [(200, 0.05), (1000, 0.01), (5000, 1e-3), (50, 0.01)])
def test_the_quantile_lies_between_the_ranks_at_least_as_often_as_said(drawn, rate):
    least, most = ranks(drawn, rate)
    above = np.random.default_rng(0).binomial(drawn, rate, 20_000)
    assert ((least <= above) & (above <= most)).mean() >= 0.945
