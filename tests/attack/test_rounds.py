"""Agreement on planted lists, and the binomial bound against simulation."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scanner.attack import Rounds, agreement, miss_bound, required_images
from scanner.errors import UnusableInputError


def test_two_generations_near_one_original_agree():
    found = agreement([[(7, 0.05)], [(9, 0.30)], [(7, 0.11), (9, 0.02)]], {}, threshold=0.12)
    assert (found.sample_id, found.count, found.distance) == (7, 2, 0.11)


def test_rows_of_one_group_are_one_original():
    found = agreement([[(7, 0.05)], [(8, 0.06)]], {7: 7, 8: 7}, threshold=0.12)
    assert (found.sample_id, found.count, found.distance) == (7, 2, 0.06)
    assert agreement([[(7, 0.05)], [(8, 0.06)]], {}, threshold=0.12) is None


def test_one_generation_does_not_agree_with_itself():
    assert agreement([[(7, 0.05), (8, 0.05)]], {7: 7, 8: 7}, threshold=0.12) is None


def test_an_agreement_beyond_the_threshold_tells_where_it_begins():
    found = agreement([[(7, 0.20)], [(7, 0.15)]], {}, threshold=0.12)
    assert (found.count, found.distance) == (0, 0.20)


def test_no_generations_do_not_agree():
    assert agreement([], {}, threshold=0.12) is None
    assert agreement([[], []], {}, threshold=0.12) is None


@given(st.integers(2, 60), st.floats(0.05, 0.95))
def test_the_bound_falls_with_more_images(images, rate):
    assert miss_bound(images + 1, rate=rate) <= miss_bound(images, rate=rate)


def test_the_bound_equals_simulation():
    shown = np.random.default_rng(0).random((200_000, 15)) < 0.25
    assert miss_bound(15, rate=0.25) == pytest.approx((shown.sum(axis=1) < 2).mean(), abs=0.003)


def test_required_images_is_the_first_that_suffices():
    images = required_images(rate=0.25, miss=0.1)
    assert miss_bound(images, rate=0.25) <= 0.1 < miss_bound(images - 1, rate=0.25)


def test_the_schedule_ends_where_a_prompt_is_given_up():
    assert Rounds(rate=0.25, miss=0.1).schedule() == (2, 4, 8, 15)
    assert Rounds(totals=(2, 4), rate=0.01, miss=0.1).schedule() == (2, 4)


@pytest.mark.parametrize("wrong", [{"totals": (4, 2)}, {"totals": ()}, {"rate": 0}, {"miss": 1}])
def test_unusable_rounds_are_refused(wrong):
    with pytest.raises(UnusableInputError):
        Rounds(**wrong)
