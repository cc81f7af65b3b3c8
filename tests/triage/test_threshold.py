"""A threshold lets the stated share of controls pass, and promises nothing finer than the arm supports."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import UnusableInputError
from scanner.triage import control_threshold

scores = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300)


@given(scores, st.floats(0.001, 0.5))
def test_no_more_controls_pass_than_the_rate_allows(values, rate):
    threshold = control_threshold(values, rate=rate)
    assert threshold.passing == sum(value > threshold.value for value in values)
    assert threshold.passing <= threshold.rate * len(values) + 1e-9
    assert threshold.rate == max(rate, 1 / len(values))


def test_one_of_a_hundred_distinct_controls_passes_at_one_percent():
    threshold = control_threshold([float(i) for i in range(100)], rate=0.01)
    assert (threshold.value, threshold.passing) == (98.0, 1)


def test_a_finer_rate_than_the_arm_supports_is_named_as_coarser():
    assert control_threshold([1.0] * 60, rate=0.01).rate == pytest.approx(1 / 60)


def test_no_controls_and_impossible_rates_are_refused():
    with pytest.raises(UnusableInputError, match="control prompts"):
        control_threshold([], rate=0.01)
    with pytest.raises(UnusableInputError, match="between 0 and 1"):
        control_threshold([1.0], rate=1.0)
