import numpy as np
import pytest

from scanner.duplicates._align import align, on_window, resampler
from tests.duplicates.planted import cropped, draw, planes


def _floats(*pictures: np.ndarray) -> list[np.ndarray]:
    return [planes(picture).astype(np.float32) / 255 for picture in pictures]


def test_resampling_the_whole_axis_changes_nothing() -> None:
    whole = resampler(np.zeros(1, np.float32), np.ones(1, np.float32))
    assert np.allclose(whole[0], np.eye(32), atol=1e-5)


def test_a_window_is_read_by_linear_interpolation() -> None:
    ramp = np.tile((np.arange(32, dtype=np.float32) + 0.5) / 32, (1, 32, 1))
    cut = on_window(ramp, np.array([[0.1, 0.2, 0.8, 0.5]], np.float32))
    expected = 0.2 + 0.5 * (np.arange(32) + 0.5) / 32
    assert np.abs(cut[0] - expected).max() < 1e-5


@pytest.mark.parametrize("number", range(6))
@pytest.mark.parametrize(("share", "top", "left"), [(0.9, 0.3, 0.8), (0.84, 0.5, 0.5), (0.95, 1.0, 0.0)])
def test_the_crop_is_found_to_a_fraction_of_a_pixel(number: int, share: float, top: float, left: float) -> None:
    picture = draw(number)
    found = align(*_floats(cropped(picture, share, top, left), picture), min_crop=0.8)
    window = [(1 - share) * top, (1 - share) * left, share, share]
    assert not found.swapped[0]
    assert np.abs(found.window[0] - window).max() < 0.02
    turned = align(*_floats(picture, cropped(picture, share, top, left)), min_crop=0.8)
    assert turned.swapped[0]
    assert np.allclose(turned.window, found.window, atol=1e-3)


def test_flat_pictures_give_numbers() -> None:
    flat = np.ones((2, 3, 32, 32), np.float32)
    found = align(flat, flat * np.float32(0.5), min_crop=0.8)
    assert np.isfinite(found.window).all()
    assert np.isfinite(found.correlation).all()
