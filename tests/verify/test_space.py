"""Bounds from thumbnails lie below the distances of the pictures, plain and at equal mean and contrast."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.attack import l2, normalise
from scanner.verify import Blocks
from scanner.verify._space import Space


@pytest.mark.parametrize("normalised", [False, True])
@settings(max_examples=30, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    size=st.sampled_from([32, 48, 64]),
    contrast=st.sampled_from([0.0, 0.001, 0.02, 1.0]),
)
def test_bounds_lie_below_the_distances(normalised, seed, size, contrast):
    rng = np.random.default_rng(seed)
    images = (0.5 + contrast * (rng.random((5, size, size, 3)) - 0.5)).astype(np.float32)
    queries = np.concatenate([images[:1], rng.random((1, size, size, 3)).astype(np.float32)])
    space = Space(Blocks.of(images, np.arange(5)), normalised=normalised)
    asked = space.queries(queries)
    seen = normalise(images) if normalised else images
    for number, query in enumerate(asked.images):
        assert (space.bounds(asked, number, np.arange(5)) <= l2(query, seen) + 1e-4).all()


def test_a_side_that_thumbnails_do_not_give_is_refused():
    blocks = Blocks.of(np.zeros((1, 48, 48, 3), np.float32), np.arange(1))
    with pytest.raises(ValueError, match="16 × 16 blocks give no 32 × 32"):
        Space(blocks, normalised=True, side=32)
