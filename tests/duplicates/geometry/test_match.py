import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates.geometry import Features, GeometryConfig, features
from scanner.duplicates.geometry._match import MIRRORED_BINS, agreed, matched, mirrored, voted
from tests.samples.pictures import photo_like

CONFIG = GeometryConfig()


@settings(max_examples=40, deadline=None)
@given(st.integers(2, 12), st.integers(2, 12), st.integers(0, 1000))
def test_matches_are_what_the_slow_way_finds(few: int, many: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 256, (few, 128), dtype=np.uint8)
    second = rng.integers(0, 256, (many, 128), dtype=np.uint8)
    near = rng.integers(0, few, min(few, many) // 2)
    second[: len(near)] = np.clip(first[near] + rng.integers(-9, 10, (len(near), 128)), 0, 255)
    squares = ((first[:, None].astype(int) - second.astype(int)) ** 2).sum(2)
    expected = []
    for one in range(few):
        other = int(squares[one].argmin())
        row, column = np.delete(squares[one], other), np.delete(squares[:, other], one)
        clear = squares[one, other] <= CONFIG.max_ratio**2 * max(row.min(), column.min())
        if squares[:, other].argmin() == one and clear:
            expected.append((one, other))
    assert matched(first, second, CONFIG.max_ratio).tolist() == [list(pair) for pair in expected]


def test_descriptors_of_the_mirror_image_are_had_by_reordering() -> None:
    agreements = []
    for seed in range(5):
        picture = photo_like(seed, 176, 176)
        flipped, reordered = features(picture[:, ::-1].copy(), CONFIG), mirrored(features(picture, CONFIG))
        offsets = np.linalg.norm(flipped.keypoints[:, None, :3] - reordered.keypoints[None, :, :3], axis=2)
        turns = np.abs(np.angle(np.exp(1j * (flipped.keypoints[:, None, 3] - reordered.keypoints[None, :, 3]))))
        one, other = np.nonzero((offsets < 0.006) & (turns < 0.02))
        assert len(one) > 30
        difference = flipped.descriptors[one].astype(int) - reordered.descriptors[other].astype(int)
        agreements.append(
            np.linalg.norm(difference, axis=1) / np.linalg.norm(flipped.descriptors[one].astype(int), axis=1)
        )
    assert np.median(np.concatenate(agreements)) < 0.1  # in the wrong order about 1


def test_the_mirror_image_of_the_mirror_image() -> None:
    picture = features(photo_like(3), CONFIG)
    twice = mirrored(mirrored(picture))
    assert MIRRORED_BINS[MIRRORED_BINS].tolist() == list(range(128))
    assert np.array_equal(twice.descriptors, picture.descriptors)
    assert np.array_equal(twice.picture, picture.picture)
    assert np.allclose(twice.keypoints, picture.keypoints, atol=1e-5)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 1000), st.floats(0.6, 1.6), st.floats(-12, 12), st.integers(6, 40), st.integers(0, 30))
def test_a_planted_similarity_is_found_among_wrong_matches(
    seed: int, scale: float, degrees: float, right: int, wrong: int
) -> None:
    rng = np.random.default_rng(seed)
    count = right + wrong
    descriptors = rng.integers(0, 256, (count, 128), dtype=np.uint8)
    grid = np.stack(np.meshgrid(np.linspace(0.05, 0.95, 9), np.linspace(0.05, 0.95, 9)), axis=-1).reshape(-1, 2)
    places = rng.permutation(grid)[:count]
    factor, shift = scale * np.exp(1j * np.deg2rad(degrees)), complex(*rng.uniform(-0.3, 0.3, 2))
    size, angle = rng.uniform(0.02, 0.2, count), rng.uniform(0, 2 * np.pi, count)
    moved = factor * (places[:, 0] + 1j * places[:, 1]) + shift
    other_size, other_angle = size * scale, angle + np.deg2rad(degrees)
    moved[right:] = rng.uniform(0, 1, wrong) + 1j * rng.uniform(0, 1, wrong)
    other_size[right:], other_angle[right:] = rng.uniform(0.02, 0.2, wrong), rng.uniform(0, 2 * np.pi, wrong)
    one, other = (
        Features(
            keypoints=np.stack([x, y, sizes, angles], axis=1).astype(np.float32),
            descriptors=descriptors,
            picture=np.zeros((8, 8, 3), np.uint8),
            width=1.0,
        )
        for x, y, sizes, angles in (
            (places[:, 0], places[:, 1], size, angle),
            (moved.real, moved.imag, other_size, other_angle),
        )
    )
    found = agreed(voted(one, other, CONFIG), CONFIG)
    assert found is not None
    assert found.inliers >= right
    assert abs(found.factor - factor) < 0.1
    assert abs(found.shift - shift) < 0.1


def test_a_larger_rotation_is_refused() -> None:
    picture = photo_like(1, 160, 160)
    turned = np.rot90(picture).copy()
    assert agreed(voted(features(picture, CONFIG), features(turned, CONFIG), CONFIG), CONFIG) is None


@pytest.mark.parametrize("count", [0, 1])
def test_hardly_any_keypoints(count: int) -> None:
    descriptors = np.zeros((count, 128), np.uint8)
    assert matched(descriptors, np.zeros((5, 128), np.uint8), 0.9).shape == (0, 2)
