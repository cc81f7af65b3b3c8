"""Thresholds of the verdict: never looser than the ceiling, tighter where the control arm asks for it."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from scanner.verify import agreement_threshold, edge_threshold

distances = st.lists(st.one_of(st.none(), st.floats(0.01, 0.5)), min_size=1, max_size=200)


@given(distances, st.floats(0.005, 0.2))
def test_no_more_controls_agree_than_the_rate_allows(values, rate):
    threshold = agreement_threshold(values, ceiling=0.12, rate=rate)
    passing = sum(value is not None and value <= threshold.value for value in values)
    assert threshold.passing == passing <= threshold.rate * len(values) + 1e-9
    assert threshold.value <= 0.12


def test_a_quiet_arm_leaves_the_ceiling():
    assert agreement_threshold([None] * 99 + [0.11], ceiling=0.12, rate=0.01).value == 0.12


def test_a_loud_arm_lowers_it_below_the_second_control():
    threshold = agreement_threshold([None] * 98 + [0.05, 0.11], ceiling=0.12, rate=0.01)
    assert 0.10 < threshold.value < 0.11
    assert threshold.passing == 1


def test_edges_follow_the_controls_up_to_the_ceiling():
    def matrix(value: float) -> np.ndarray:
        return np.full((5, 5), value) * (1 - np.eye(5))

    assert edge_threshold([matrix(0.4)], ceiling=0.15, rate=0.01) == 0.15
    assert edge_threshold([matrix(0.4), matrix(0.08)], ceiling=0.15, rate=0.01) == 0.08
    assert edge_threshold([], ceiling=0.15, rate=0.01) == 0.15
