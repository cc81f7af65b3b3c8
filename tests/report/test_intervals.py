"""Exact intervals against R's documentation, closed forms, and the definition by binomial tails."""

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.report import clopper_pearson, rate

PUBLISHED = [
    # R's help page of binom.test: Conover 1971, p. 97 f.
    (682, 925, 0.7076683, 0.7654066),
    # textbook values (Fleiss; Brown, Cai and DasGupta 2001 for the extremes), four decimals
    (0, 10, 0.0, 0.3085),
    (10, 10, 0.6915, 1.0),
    (5, 10, 0.1871, 0.8129),
    (1, 20, 0.0013, 0.2487),
    (10, 100, 0.0490, 0.1762),
]


@pytest.mark.parametrize(("hits", "tried", "low", "high"), PUBLISHED)
def test_published_values(hits: int, tried: int, low: float, high: float) -> None:
    digits = 5e-8 if tried == 925 else 5e-5
    assert clopper_pearson(hits, tried) == pytest.approx((low, high), abs=digits)


@pytest.mark.parametrize("tried", [1, 7, 60, 100, 5000])
def test_none_and_all_have_closed_forms(tried: int) -> None:
    bound = 1 - 0.025 ** (1 / tried)
    assert clopper_pearson(0, tried) == pytest.approx((0, bound))
    assert clopper_pearson(tried, tried) == pytest.approx((1 - bound, 1))


def test_nothing_tried_says_nothing() -> None:
    assert clopper_pearson(0, 0) == (0, 1)
    assert rate(0, 0).share is None


@pytest.mark.parametrize(("hits", "tried"), [(-1, 5), (6, 5), (1, 0)])
def test_impossible_counts_are_refused(hits: int, tried: int) -> None:
    with pytest.raises(ValueError, match="is no rate"):
        clopper_pearson(hits, tried)


def tail(hits: int, tried: int, share: float) -> float:
    """Chance of `hits` or more of `tried`, term by term."""
    return math.fsum(math.comb(tried, k) * share**k * (1 - share) ** (tried - k) for k in range(hits, tried + 1))


@settings(max_examples=60, deadline=None)
@given(st.integers(1, 60).flatmap(lambda tried: st.tuples(st.integers(0, tried), st.just(tried))))
def test_ends_leave_2_5_per_cent_in_each_tail(counts: tuple[int, int]) -> None:
    hits, tried = counts
    low, high = clopper_pearson(hits, tried)
    assert low <= hits / tried <= high
    if hits > 0:
        assert tail(hits, tried, low) == pytest.approx(0.025, abs=1e-9)
    if hits < tried:
        assert 1 - tail(hits + 1, tried, high) == pytest.approx(0.025, abs=1e-9)
