"""Rounds: the bound against simulation, and schedules that keep it."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.attack import Rounds, miss_bound, required_images
from scanner.errors import UnusableInputError


@given(st.integers(1, 30), st.floats(0.05, 0.95), st.integers(60, 100))
def test_the_bound_falls_with_more_to_chase(images, rate, chase):
    assert miss_bound(images, rate=rate, chase=chase + 1) <= miss_bound(images, rate=rate, chase=chase)
    assert miss_bound(images, rate=rate, chase=chase) >= (1 - rate) ** images


def test_the_bound_holds_in_simulation():
    """A prompt is missed when none of 9 search images shows it, or none of those that are made after them."""
    shown = np.random.default_rng(0).random((200_000, 25)) < 0.25
    missed = (shown[:, :9].sum(axis=1) == 0) | (shown[:, 9:].sum(axis=1) == 0)
    bound = miss_bound(9, rate=0.25, chase=25)
    assert bound == pytest.approx(missed.mean(), abs=0.004)  # 9 and 16 images hardly ever miss together


def test_required_images_is_the_first_that_suffices():
    images = required_images(rate=0.25, miss=0.1, chase=64)
    assert miss_bound(images, rate=0.25, chase=64) <= 0.1 < miss_bound(images - 1, rate=0.25, chase=64)


def test_a_bound_that_no_search_can_keep_is_refused():
    with pytest.raises(UnusableInputError, match="raise --chase"):
        required_images(rate=0.25, miss=0.1, chase=4)


def test_the_schedule_ends_where_a_prompt_is_given_up():
    assert Rounds(rate=0.25, miss=0.1).schedule() == (2, 4, 8, 9)
    assert Rounds(totals=(2, 4), rate=0.01, miss=0.1, chase=1000).schedule() == (2, 4)


@pytest.mark.parametrize("wrong", [{"totals": (4, 2)}, {"totals": ()}, {"rate": 0}, {"miss": 1}])
def test_unusable_rounds_are_refused(wrong):
    with pytest.raises(UnusableInputError):
        Rounds(**wrong)
