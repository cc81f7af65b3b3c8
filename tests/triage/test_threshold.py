"""A threshold lets the stated share of controls pass, and promises nothing finer than the arm supports."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.errors import UnusableInputError
from scanner.triage import control_threshold, shared_thresholds

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


two = st.integers(1, 60).flatmap(
    lambda n: st.lists(st.lists(st.integers(0, 20), min_size=n, max_size=n), min_size=1, max_size=4)
)


@given(two, st.floats(0.01, 0.5))
def test_detectors_that_share_a_rate_let_as_many_controls_pass_as_it_allows(arms, rate):
    scores = {str(i): [float(v) for v in arm] for i, arm in enumerate(arms)}
    controls = len(arms[0])
    found = shared_thresholds(scores, rate=rate)
    allowed = min(math.floor(max(rate, 1 / controls) * controls + 1e-9), controls - 1)

    def passing(rank):
        cut = {name: sorted(arm, reverse=True)[rank] for name, arm in scores.items()}
        return sum(any(scores[name][i] > cut[name] for name in scores) for i in range(controls))

    best = max(rank for rank in range(allowed + 1) if passing(rank) <= allowed)
    assert {name: one.value for name, one in found.items()} == {
        name: sorted(arm, reverse=True)[best] for name, arm in scores.items()
    }


@given(scores, st.floats(0.01, 0.5))
def test_one_detector_alone_has_its_own_threshold(values, rate):
    assert shared_thresholds({"wen": values}, rate=rate) == {"wen": control_threshold(values, rate=rate)}


def test_detectors_that_agree_do_not_pay_for_being_two():
    arm = [float(i) for i in range(100)]
    assert shared_thresholds({"a": arm, "b": arm}, rate=0.05)["a"].passing == 5
    assert shared_thresholds({"a": arm, "b": arm[::-1]}, rate=0.05)["a"].passing == 2


def test_no_detectors_or_controls_give_no_thresholds():
    with pytest.raises(UnusableInputError, match="control prompts"):
        shared_thresholds({"a": []}, rate=0.05)
