import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates.geometry import Features, GeometryConfig, features
from scanner.errors import UnusableInputError
from tests.duplicates.planted import draw
from tests.samples.pictures import photo_like

CONFIG = GeometryConfig()


def same(one: Features, other: Features) -> bool:
    arrays = all(
        np.array_equal(getattr(one, name), getattr(other, name)) for name in ("keypoints", "descriptors", "picture")
    )
    return arrays and one.width == other.width


@pytest.mark.parametrize("picture", [draw(1), photo_like(2), np.full((40, 50, 3), 200, np.uint8)])
def test_features_come_back_from_their_bytes(picture) -> None:
    kept = features(picture, CONFIG)
    assert same(Features.from_bytes(kept.to_bytes()), kept)


def test_they_are_small() -> None:
    assert max(len(features(photo_like(seed, 240, 320), CONFIG).to_bytes()) for seed in range(5)) <= 40_000


@pytest.mark.parametrize("cut", [0, 5, 100, -1])
def test_cut_bytes_are_refused(cut: int) -> None:
    with pytest.raises(UnusableInputError, match="compute them again"):
        Features.from_bytes(features(draw(1), CONFIG).to_bytes()[:cut])


def test_a_flat_picture_has_no_keypoints() -> None:
    flat = features(np.full((90, 120, 3), 255, np.uint8), CONFIG)
    assert flat.keypoints.shape == (0, 4)
    assert flat.descriptors.shape == (0, 128)


@settings(max_examples=25, deadline=None)
@given(st.integers(1, 400), st.integers(1, 400), st.integers(0, 1000))
def test_any_size_will_do(height: int, width: int, seed: int) -> None:
    picture = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    kept = features(picture, CONFIG)
    assert len(kept.keypoints) == len(kept.descriptors) <= CONFIG.max_keypoints
    assert kept.width * kept.height == pytest.approx(1)
    assert kept.width / kept.height == pytest.approx(width / height)
    assert kept.keypoints[:, 0].max(initial=0) <= kept.width * 1.01
    assert kept.keypoints[:, 1].max(initial=0) <= kept.height * 1.01
    assert len(kept.to_bytes()) <= 40_000
    assert same(Features.from_bytes(kept.to_bytes()), kept)


def test_the_number_of_threads_does_not_matter() -> None:
    before = cv2.getNumThreads()
    kept = []
    for threads in (1, 4):
        cv2.setNumThreads(threads)
        kept.append(features(photo_like(7), CONFIG).to_bytes())
    cv2.setNumThreads(before)
    assert kept[0] == kept[1]


@pytest.mark.parametrize("bad", [{"min_inliers": 2}, {"max_keypoints": 1}, {"max_ratio": 0}, {"max_rotation": 90}])
def test_impossible_settings_are_refused(bad) -> None:
    with pytest.raises(UnusableInputError):
        GeometryConfig(**bad)
