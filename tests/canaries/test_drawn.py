"""Canaries: which pictures and captions are drawn, and that no two are alike."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.attack import as_unit, normalised_l2
from scanner.canaries import LEAST_DISTANCE, draw_canaries, parse_plan
from scanner.canaries._captions import draw_captions, names_in
from scanner.canaries._pictures import distinct_seeds, draw
from scanner.duplicates.captions import normalise_caption
from scanner.errors import ScannerError, UnusableInputError
from tests.samples.pictures import photo_like


def test_no_two_canaries_are_alike_nor_like_a_photograph():
    canaries = draw_canaries((8,) * 12, seed=3, known=())
    pictures = as_unit(np.stack([one.picture(64, 64) for one in canaries]))
    apart = normalised_l2(pictures[:, None], pictures[None])
    assert len(canaries) == 24
    assert apart[np.triu_indices(24, 1)].min() >= LEAST_DISTANCE - 1e-6
    photographs = as_unit(np.stack([photo_like(seed, 64, 64) for seed in range(8)]))
    assert normalised_l2(pictures[:, None], photographs[None]).min() > 0.15


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 2**32), st.integers(24, 90), st.integers(24, 90))
def test_a_seed_is_one_picture_at_every_size(seed, width, height):
    small, same = (draw(np.random.default_rng(seed), width, height) for _ in range(2))
    assert small.shape == (height, width, 3)
    assert small.dtype == np.uint8
    assert (small == same).all()
    large = draw(np.random.default_rng(seed), 4 * width, 4 * height)
    reduced = large.reshape(height, 4, width, 4, 3).mean((1, 3))
    assert normalised_l2(reduced / 255, as_unit(small)) < 0.1  # edges and fine patterns differ


def test_without_room_for_another_picture_that_is_said():
    with pytest.raises(ScannerError, match="No more than 1 canaries are unlike one another"):
        distinct_seeds(2, seed=0, least=0.6)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32))
def test_a_twin_has_a_caption_of_the_same_form_and_length(seed):
    known: set[str] = set()
    for _ in range(3):
        canary, twin = draw_captions(np.random.default_rng(seed), known)
        assert [len(word) for word in canary.split()] == [len(word) for word in twin.split()]
        both = names_in(canary) | names_in(twin)
        assert len(both) >= 6
        assert not both & known
        known |= both
        assert len(normalise_caption(canary).split()) >= 8


def test_every_name_is_new_where_the_first_choice_is_taken():
    first, _ = draw_captions(np.random.default_rng(0), set())
    again, _ = draw_captions(np.random.default_rng(0), names_in(first))
    assert not names_in(first) & names_in(again)


@pytest.mark.parametrize(("plan", "copies"), [("8x2,32x1", (8, 8, 32)), (" 1x1 , 2 x 2 ", (1, 2, 2)), ("3×1", (3,))])
def test_a_plan_is_read(plan, copies):
    assert parse_plan(plan) == copies


@pytest.mark.parametrize("plan", ["", "8", "8x", "x5", "8x0", "0x8", "8x5,", "8x5;32x5", "-8x5", "1.5x2"])
def test_a_plan_that_is_none_is_refused(plan):
    with pytest.raises(UnusableInputError, match="COPIESxCANARIES"):
        parse_plan(plan)


def test_a_plan_of_millions_of_rows_is_a_slip():
    with pytest.raises(UnusableInputError, match="more than 1,000,000 rows"):
        parse_plan("9999999x9999999")
