"""The screen's bounds lie below the true distances, in each type of number."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.verify import _screen
from scanner.verify._screen import Screen


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("first", [160, 16])
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 80),
    width=st.sampled_from([3, 300, 768]),
    slack=st.sampled_from([0.0, 0.05]),
    near=st.booleans(),
)
def test_no_row_within_the_limit_is_dismissed(kind, first, seed, count, width, slack, near):
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 0.25, (count, width)).astype(np.float32)
    step = rng.normal(0, 1e-4 if near else 0.25, (3, width))
    queries = (rows[rng.integers(0, count, 3)] + step).astype(np.float32)
    rest, asked_rest = (rng.uniform(0, 0.1, size).astype(np.float32) for size in (count, 3))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_screen, "WIDTH", first)  # with 16 some directions are left to the closer bound
        screen = Screen(lambda part: rows[part], rest, np.full(count, slack, np.float32), kind)
        close = screen.queries(queries, asked_rest)
    squares = np.square(queries[:, None].astype(np.float64) - rows).mean(axis=2)
    nearest_possible = np.sqrt(squares + np.square(asked_rest[:, None].astype(np.float64) - rest)) - slack
    products = screen.products(close, slice(0, count))
    closer = screen.closer(close, torch.arange(3), slice(0, count))
    for row in range(count):  # the limit is just this row's distance: it must stay in reach, with nothing to spare
        limits = np.maximum(nearest_possible[:, row], 0)
        assert (products[:, row] >= screen.least(close, limits)).all()
        assert (closer[:, row] >= screen.least_closer(close, limits)).all()


def test_far_rows_are_dismissed():
    rows = np.random.default_rng(0).normal(0, 0.25, (500, 64)).astype(np.float32)
    zero = np.zeros(500, np.float32)
    screen = Screen(lambda part: rows[part], zero, zero)
    close = screen.queries(rows[:1], zero[:1])
    left = screen.products(close, slice(0, 500)) >= screen.least(close, np.array([0.1]))[:, None]
    assert torch.nonzero(left[0]).flatten().tolist() == [0]


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_the_closer_bound_dismisses_what_differs_beyond_the_first_directions(kind):
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 0.25, (2000, 400)).astype(np.float32)
    zero = np.zeros(2000, np.float32)
    screen = Screen(lambda part: rows[part], zero, zero, kind)
    queries = rng.normal(0, 0.25, (5, 400)).astype(np.float32)
    close, all_rows = screen.queries(queries, zero[:5]), slice(0, 2000)
    nearest = np.sqrt(np.square(queries[:, None] - rows).mean(axis=2)).min(axis=1)
    left = (screen.products(close, all_rows) >= screen.least(close, nearest)[:, None]).sum()
    closer = (screen.closer(close, torch.arange(5), all_rows) >= screen.least_closer(close, nearest)[:, None]).sum()
    assert left > 2000
    assert 5 <= closer < 0.1 * left


def test_an_odd_row_is_cut_and_bounded_all_the_same():
    rng = np.random.default_rng(1)
    rows = rng.normal(0, 0.01, (3000, 300)).astype(np.float32)
    rows[7, 290:] = 0.9  # thousands of steps of directions in which other rows hardly differ
    zero = np.zeros(3000, np.float32)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_screen, "WIDTH", 16)
        screen = Screen(lambda part: rows[part], zero, zero, torch.float32)
        close = screen.queries(rows[7:8] + np.float32(0.001), zero[:1])
    closer = screen.closer(close, torch.arange(1), slice(0, 3000))
    kept = closer[0] >= screen.least_closer(close, np.array([0.0011]))
    assert torch.nonzero(kept).flatten().tolist() == [7]
