"""The search equals brute force over pixels: same distances, in both spaces, whatever the bounds leave open."""

from functools import partial

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.attack import as_unit, l2, normalise
from scanner.verify import Blocks, _directions, _screen
from scanner.verify._nearest import nearest
from scanner.verify._space import Space


def pictures_of(rng: np.random.Generator, count: int, size: int) -> np.ndarray:
    """Noise, flat pictures, copies and copies that differ by one grey level in one pixel: bounds within rounding."""
    pictures = rng.integers(0, 256, (count, size, size, 3)).astype(np.uint8)
    pictures[1::4] = rng.integers(0, 256, 3)
    pictures[2::4] = pictures[0]
    pictures[3::4] = pictures[0]
    pictures[3::4, 0, 0, 0] ^= 1
    return pictures


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
@pytest.mark.parametrize("normalised", [False, True])
@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(1, 40),
    size=st.sampled_from([32, 48, 64]),
    kept=st.sampled_from([1, 3, 100]),
    radius=st.sampled_from([0.0, 0.1, 0.4, 2.0]),
)
def test_equal_to_brute_force(kind, normalised, seed, count, size, kept, radius):
    rng = np.random.default_rng(seed)
    pictures = pictures_of(rng, count, size)
    queries = as_unit(np.concatenate([pictures[:1], pictures[-1:], pictures_of(rng, 2, size)]))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_screen, "fast_type", lambda: kind)
        patch.setattr(_directions, "TILE", 7)
        space = Space(Blocks.of(as_unit(pictures), np.arange(count)), normalised=normalised)
        asked = space.queries(queries)
        seen = normalise(as_unit(pictures)) if normalised else as_unit(pictures)
        exact = partial(distances, asked.images, seen)
        found = nearest(space, asked, exact, kept=kept, radius=radius)
    for image, mine in zip(asked.images, found, strict=True):
        brute = l2(image, seen)
        assert [d for d, _ in mine] == sorted(brute[brute <= radius])[:kept]
        assert all(brute[row] == d for d, row in mine)
        assert len({row for _, row in mine}) == len(mine)


def distances(images: np.ndarray, seen: np.ndarray, image: int, rows: np.ndarray) -> np.ndarray:
    return l2(images[image], seen[rows])
