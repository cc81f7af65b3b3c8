"""All pairs at once against the pairwise distance: over sizes, types, and pictures that nearly are one picture."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.attack import as_unit, tile_distances, tile_l2
from scanner.attack._pairs import TOLERANCE

seeds = st.integers(0, 2**32 - 1)


def pairwise(images: np.ndarray) -> np.ndarray:
    return np.array([tile_l2(image, images) for image in images])


def alike(seed: int, count: int, height: int, width: int, share: float) -> np.ndarray:
    """Copies of a few very different pictures, each with a `share` of its values off by one grey level."""
    rng = np.random.default_rng(seed)
    few = np.concatenate([rng.integers(0, 2, (2, 1, 1, 3)) * 254 * np.ones((2, height, width, 1), int),
                          rng.integers(0, 255, (2, height, width, 3))])  # fmt: skip
    shown = few[rng.integers(0, len(few), count)]
    return (shown + (rng.random(shown.shape) < share)).astype(np.uint8)


@settings(max_examples=50, deadline=None)
@given(seeds, st.integers(1, 9), st.integers(4, 40), st.integers(4, 40))
def test_all_pairs_equal_the_pairwise_loop(seed, count, height, width):
    images = np.random.default_rng(seed).integers(0, 256, (count, height, width, 3)).astype(np.uint8)
    found = tile_distances(images)
    np.testing.assert_allclose(found, pairwise(as_unit(images)), atol=1e-6)
    np.testing.assert_allclose(tile_distances(as_unit(images)), found, atol=1e-6)
    assert found.dtype == np.float32
    assert (found == found.T).all()


@settings(max_examples=30, deadline=None)
@given(seeds, st.integers(2, 8), st.sampled_from([0, 1e-4, 1e-3, 1e-2, 0.5]), st.booleans())
def test_pictures_that_nearly_are_one_stay_within_the_tolerance(seed, count, share, unit):
    images = alike(seed, count, 64, 96, share)
    expected = pairwise(as_unit(images))
    found = tile_distances(as_unit(images) if unit else images)
    assert np.abs(found - expected).max() <= TOLERANCE
    assert np.abs(found - expected)[expected >= 0.05].max(initial=0) <= 5e-6
    assert (found[expected == 0] == 0).all()


def test_pictures_that_differ_in_one_value_are_not_equal():
    images = np.full((2, 16, 16, 3), 200, np.uint8)
    images[1, 3, 3, 0] = 201
    assert tile_distances(images)[0, 1] == pytest.approx(float(tile_l2(*as_unit(images))), rel=0.1)


def test_no_images_have_no_distances():
    assert tile_distances(np.empty((0, 8, 8, 3), np.float32)).shape == (0, 0)


def test_fewer_pixels_than_tiles_are_refused():
    with pytest.raises(ValueError, match="can't be cut"):
        tile_distances(np.zeros((2, 3, 10, 3), np.uint8))
