"""The neighbourhood of an image against a slow, obvious version of it."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.attack import NEIGHBOURS, as_unit, l2
from scanner.errors import UnusableInputError
from scanner.verify import Neighbourhoods, stored_neighbourhoods, write_squares


def slow(image: np.ndarray, ids: np.ndarray, pixels: np.ndarray, group_of: dict[int, int]) -> tuple[int, float, float]:
    nearest: dict[int, tuple[float, int]] = {}
    for sample, other in zip(ids.tolist(), pixels, strict=True):
        found = (float(l2(as_unit(image), as_unit(other))), sample)
        group = group_of.get(sample, sample)
        nearest[group] = min(nearest.get(group, found), found)
    fifty = sorted(nearest.values())[:NEIGHBOURS]
    return fifty[0][1], fifty[0][0], float(np.mean([distance for distance, _ in fifty]))


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(52, 90), st.integers(0, 6))
def test_it_equals_the_slow_version(seed: int, count: int, groups: int) -> None:
    rng = np.random.default_rng(seed)
    ids = rng.choice(10**6, count + 4 * groups, replace=False)
    pixels = rng.integers(0, 256, (len(ids), 6, 6, 3)).astype(np.uint8)
    group_of = {int(sample): int(ids[count + 4 * (i // 4)]) for i, sample in enumerate(ids[count:])}
    for i in range(count, len(ids)):  # copies, one grey level apart
        pixels[i] = np.clip(pixels[count + 4 * ((i - count) // 4)].astype(int) + (i - count) % 4, 0, 255)
    index = Neighbourhoods(ids, pixels, group_of)
    images = np.concatenate([rng.integers(0, 256, (3, 6, 6, 3)).astype(np.uint8), pixels[-2:]])
    for image, found in zip(images, index(images), strict=True):
        sample, distance, mean = slow(image, ids, pixels, group_of)
        assert (found.l2, found.mean_l2) == (pytest.approx(distance, abs=1e-6), pytest.approx(mean, abs=1e-6))
        assert found.sample_id == sample


def test_many_copies_do_not_fill_their_own_neighbourhood() -> None:
    rng = np.random.default_rng(0)
    pixels = rng.integers(0, 256, (160, 6, 6, 3)).astype(np.uint8)
    pixels[:100] = pixels[0]
    index = Neighbourhoods(np.arange(160), pixels, dict.fromkeys(range(100), 0))
    noisy = np.clip(pixels[0].astype(int) + 3, 0, 255).astype(np.uint8)
    assert index(noisy[None])[0].adaptive_l2 < 0.1


def test_a_training_picture_is_compared_with_the_others_alone() -> None:
    rng = np.random.default_rng(1)
    pixels = rng.integers(0, 256, (70, 6, 6, 3)).astype(np.uint8)
    index = Neighbourhoods(np.arange(70), pixels, {0: 0, 1: 0})
    singles = index.singles()
    assert index.sample_id[singles].tolist() == list(range(2, 70))
    around = index.without_themselves(singles)
    assert all(one.sample_id != sample for one, sample in zip(around, range(2, 70), strict=True))
    assert min(one.adaptive_l2 for one in around) > 1


def test_fewer_pictures_than_the_neighbourhood_are_refused() -> None:
    with pytest.raises(UnusableInputError, match="holds 50 different pictures"):
        Neighbourhoods(np.arange(50), np.zeros((50, 6, 6, 3), np.uint8), {})


def test_pictures_of_several_shards_are_one_index(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    pixels = rng.integers(0, 256, (60, 6, 6, 3)).astype(np.uint8)
    for part, rows in (("00000", slice(0, 0)), ("00001", slice(0, 25)), ("00002", slice(25, 60))):
        write_squares(tmp_path, part, {"sample_id": np.arange(60)[rows], "pixels": pixels[rows]})
    index = stored_neighbourhoods(tmp_path, {})
    assert index(pixels[30:31])[0] == Neighbourhoods(np.arange(60), pixels, {})(pixels[30:31])[0]
    assert (index.pixels == pixels).all()
