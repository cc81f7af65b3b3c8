"""The screen's bounds lie below the true distances, in each type of number."""

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.verify._screen import Screen


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 80),
    width=st.sampled_from([3, 300, 768]),
    slack=st.sampled_from([0.0, 0.05]),
    near=st.booleans(),
)
def test_no_row_within_the_limit_is_dismissed(kind, seed, count, width, slack, near):
    rng = np.random.default_rng(seed)
    rows = rng.normal(0, 0.25, (count, width)).astype(np.float32)
    step = rng.normal(0, 1e-4 if near else 0.25, (3, width))
    queries = (rows[rng.integers(0, count, 3)] + step).astype(np.float32)
    rest, asked_rest = (rng.uniform(0, 0.1, size).astype(np.float32) for size in (count, 3))
    screen = Screen(lambda part: rows[part], rest, np.full(count, slack, np.float32), kind)
    close = screen.queries(queries, asked_rest)
    squares = np.square(queries[:, None].astype(np.float64) - rows).mean(axis=2)
    nearest_possible = np.sqrt(squares + np.square(asked_rest[:, None].astype(np.float64) - rest)) - slack
    products = screen.products(close, slice(0, count))
    for row in range(count):  # the limit is just this row's distance: it must stay in reach, with nothing to spare
        limits = np.maximum(nearest_possible[:, row], 0)
        assert (products[:, row] >= screen.least(close, limits)).all()


def test_far_rows_are_dismissed():
    rows = np.random.default_rng(0).normal(0, 0.25, (500, 64)).astype(np.float32)
    zero = np.zeros(500, np.float32)
    screen = Screen(lambda part: rows[part], zero, zero)
    close = screen.queries(rows[:1], zero[:1])
    left = screen.products(close, slice(0, 500)) >= screen.least(close, np.array([0.1]))[:, None]
    assert torch.nonzero(left[0]).flatten().tolist() == [0]
