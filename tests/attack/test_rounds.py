"""Rounds: the bound against simulation, and schedules that keep it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.attack import Rounds, miss_bound, required_images
from scanner.errors import UnusableInputError


@given(st.integers(1, 60), st.floats(0.05, 0.95), st.integers(2, 30))
def test_the_bound_falls_with_more_images(images, rate, evidence):
    assert miss_bound(images + 1, rate=rate, evidence=evidence) <= miss_bound(images, rate=rate, evidence=evidence)
    assert miss_bound(images, rate=rate, evidence=evidence + 1) <= miss_bound(images, rate=rate, evidence=evidence)


def test_the_bound_holds_in_simulation():
    """A prompt is missed when no search image shows it, or none of the full-step images after the first."""
    shown = np.random.default_rng(0).random((200_000, 9 + 15)) < 0.25
    missed = (shown[:, :9].sum(axis=1) == 0) | (shown[:, 9:].sum(axis=1) == 0)
    bound = miss_bound(9, rate=0.25, evidence=16)
    assert missed.mean() <= bound == pytest.approx(missed.mean(), abs=0.003)


def test_required_images_is_the_first_that_suffices():
    images = required_images(rate=0.25, miss=0.1, evidence=16)
    assert miss_bound(images, rate=0.25, evidence=16) <= 0.1 < miss_bound(images - 1, rate=0.25, evidence=16)


def test_a_bound_that_no_search_can_keep_is_refused():
    with pytest.raises(UnusableInputError, match="raise --evidence or --miss"):
        required_images(rate=0.25, miss=0.1, evidence=2)


def test_the_schedule_ends_where_a_prompt_is_given_up():
    assert Rounds(rate=0.25, miss=0.1).schedule() == (2, 4, 8, 9)
    assert Rounds(totals=(2, 4), rate=0.01, miss=0.1, evidence=300).schedule() == (2, 4)


@pytest.mark.parametrize("wrong", [{"totals": (4, 2)}, {"totals": ()}, {"rate": 0}, {"miss": 1}])
def test_unusable_rounds_are_refused(wrong):
    with pytest.raises(UnusableInputError):
        Rounds(**wrong)
