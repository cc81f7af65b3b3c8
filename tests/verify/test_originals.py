"""The search among originals against brute force: no original within reach is ever dismissed."""

from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.attack import as_unit, l2, normalised_l2
from scanner.verify import Blocks, Originals

SIZE = 32


def drawings(rng: np.random.Generator, count: int) -> np.ndarray:
    """Simple pictures on white, many of them close to each other, some nearly flat: what fools plain l2."""
    canvas = np.full((count, SIZE, SIZE, 3), 255, np.uint8)
    for picture in canvas:
        y, x, h, w = rng.integers(0, SIZE // 2, 4)
        picture[y : y + h + 1, x : x + w + 1] = rng.integers(0, 256, 3)
    noise = rng.integers(-3, 4, canvas.shape)
    return (canvas.astype(int) + noise).clip(0, 255).astype(np.uint8)


class Held:
    """Pictures in memory, the first of them under the id `first`."""

    def __init__(self, pictures: np.ndarray, first: int = 0) -> None:
        self.held, self.first = pictures, first

    def __call__(self, sample_ids: Sequence[int]) -> np.ndarray:
        return self.held[np.asarray(sample_ids, np.int64) - self.first]

    def state(self, _sample: int) -> str:
        return "as_audited"


def index(pictures: np.ndarray, group_of: dict[int, int] | None = None, reconstruct=None) -> Originals:
    images = as_unit(pictures)
    blocks = Blocks.of(images, np.arange(len(pictures), dtype=np.int64) + 100)

    return Originals(blocks, Held(pictures, 100), group_of or {}, reconstruct)


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 300))
def test_the_nearest_original_equals_brute_force(seed, count):
    rng = np.random.default_rng(seed)
    pictures = drawings(rng, count)
    near_one = (pictures[: min(2, count)].astype(int) + rng.integers(-20, 21, (min(2, count), SIZE, SIZE, 3))).clip(
        0, 255
    )
    queries = as_unit(np.concatenate([near_one.astype(np.uint8), drawings(rng, 3)]))
    for query, found in zip(queries, index(pictures)(queries), strict=True):
        plain = l2(query, as_unit(pictures))
        assert found.l2 == pytest.approx(plain.min(), abs=1e-6)
        assert plain[found.l2_sample_id - 100] == pytest.approx(plain.min(), abs=1e-6)
        brute = {i + 100: float(d) for i, d in enumerate(normalised_l2(query, as_unit(pictures))) if d <= 0.25}
        expected = sorted(brute.items(), key=lambda pair: pair[1])[:8]
        assert [d for _, d in found.near] == pytest.approx([d for _, d in expected], abs=1e-6)
        assert {sample for sample, _ in found.near} <= set(brute)


def test_a_group_is_represented_by_its_nearest_row():
    pictures = drawings(np.random.default_rng(0), 4)
    pictures[1] = pictures[0]
    (found,) = index(pictures, {100: 100, 101: 100})(as_unit(pictures[:1]))
    assert [sample for sample, _ in found.near if sample in (100, 101)] == [100]


def test_a_reconstruction_nearer_than_its_original_counts():
    pictures = drawings(np.random.default_rng(1), 3)

    def blurred(originals: np.ndarray) -> np.ndarray:
        return ((originals.astype(int) + np.roll(originals, 1, axis=2).astype(int)) // 2).astype(np.uint8)

    query = as_unit(blurred(pictures[:1]))
    (plain,) = index(pictures)(query)
    (restored,) = index(pictures, reconstruct=blurred)(query)
    assert restored.near[0][0] == plain.near[0][0] == 100
    assert restored.near[0][1] < 1e-6 < plain.near[0][1]


def test_an_original_is_reconstructed_alone_whatever_else_is_near():
    rng = np.random.default_rng(4)
    vivid = rng.integers(0, 256, (8, 8, 3)).repeat(4, axis=0).repeat(4, axis=1)
    alike = vivid + rng.integers(-12, 13, (6, SIZE, SIZE, 3))  # all within reach of each other
    pictures = alike.clip(0, 255).astype(np.uint8)

    def depends_on_the_batch(originals: np.ndarray) -> np.ndarray:
        return ((originals.astype(int) + np.roll(originals, len(originals), axis=1)) // 2).astype(np.uint8)

    alone = np.concatenate([depends_on_the_batch(picture[None]) for picture in pictures])
    found = index(pictures, reconstruct=depends_on_the_batch)(as_unit(alone))
    assert all(len(image.near) == 6 for image in found)
    assert [image.near[0][0] for image in found] == list(range(100, 106))
    assert max(image.near[0][1] for image in found) < 1e-6


def test_rows_within_the_eidetic_radius_are_counted_by_plain_l2():
    pictures = drawings(np.random.default_rng(2), 30)
    pictures[7] = (pictures[3].astype(int) - 8).clip(0, 255)
    expected = {i + 100 for i, d in enumerate(l2(as_unit(pictures[3]), as_unit(pictures))) if d <= 0.1}
    assert set(index(pictures).count_within(103, 0.1)) == expected >= {103, 107}
