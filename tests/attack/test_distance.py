"""Distances against slow, obvious versions, and the two facts that the search and the attack lean on."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.attack import as_unit, block_means, l2, normalise, normalised_l2, tile_l2

seeds = st.integers(0, 2**32 - 1)


def pictures(seed: int, count: int = 2, side: int = 16) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return as_unit(rng.integers(0, 256, (count, side, side, 3)).astype(np.uint8))


def slow_tile_l2(a: np.ndarray, b: np.ndarray, tiles: int = 4) -> float:
    squares = (a.astype(float) - b.astype(float)) ** 2
    rows = [part for band in np.array_split(squares, tiles, axis=0) for part in np.array_split(band, tiles, axis=1)]
    return max(float(np.sqrt(part.mean())) for part in rows)


@settings(max_examples=50, deadline=None)
@given(seeds, st.integers(4, 33))
def test_tile_l2_is_the_largest_of_sixteen_tiles(seed, side):
    a, b = pictures(seed, side=side)
    assert float(tile_l2(a, b)) == pytest.approx(slow_tile_l2(a, b), abs=1e-6)


@given(seeds)
def test_block_means_bound_the_distance_from_below(seed):
    for images in (pictures(seed, side=32), normalise(pictures(seed, side=32))):
        bound = np.sqrt(np.mean((block_means(images[0], 8) - block_means(images[1], 8)).astype(float) ** 2))
        assert bound <= float(l2(*images)) + 1e-6


@given(seeds, st.floats(0.2, 1.0), st.floats(-0.2, 0.2))
def test_normalised_l2_ignores_brightness_and_contrast(seed, gain, offset):
    a, b = pictures(seed)
    assert float(normalised_l2(a * gain + offset, b)) == pytest.approx(float(normalised_l2(a, b)), abs=1e-4)


def test_a_flat_picture_is_not_blown_up_to_noise():
    flat = np.full((16, 16, 3), 0.5, np.float32)
    noisy = flat + np.random.default_rng(0).normal(0, 0.001, flat.shape).astype(np.float32)
    assert float(normalised_l2(flat, noisy)) < 0.03


def test_black_and_white_are_one_apart():
    assert float(l2(np.zeros((8, 8, 3)), np.ones((8, 8, 3)))) == 1.0
    assert float(tile_l2(np.zeros((8, 8, 3)), np.ones((8, 8, 3)))) == 1.0


def test_fewer_pixels_than_tiles_are_refused():
    with pytest.raises(ValueError, match="can't be cut"):
        tile_l2(np.zeros((3, 10, 3)), np.zeros((3, 10, 3)))


def test_blocks_of_unequal_size_would_be_no_bound_and_are_refused():
    with pytest.raises(ValueError, match="can't be cut"):
        block_means(np.zeros((30, 32, 3)), 16)
