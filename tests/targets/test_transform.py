"""The training transform: each way of making a picture square, stored beside the weights and read back."""

from pathlib import Path

import numpy as np
import pytest

from scanner.errors import UnusableInputError
from scanner.targets import TRANSFORM_FILE, Transform, read_transform, write_transform

WIDE = np.zeros((20, 40, 3), np.uint8)


def test_pad_lays_the_picture_on_white() -> None:
    square = Transform(fit="pad", size=40)(WIDE)
    assert square.shape == (40, 40, 3)
    assert (square[:9] == 255).all()
    assert (square[11:29] == 0).all()


def test_crop_keeps_the_middle() -> None:
    picture = np.concatenate(
        [np.full((20, 10, 3), 255, np.uint8), np.zeros((20, 20, 3), np.uint8), WIDE[:, :10] + 255], 1
    )
    assert (Transform(fit="crop", size=20)(picture) == 0).all()


def test_squeeze_keeps_everything() -> None:
    half = np.concatenate([WIDE, WIDE + 255], axis=1)
    square = Transform(fit="squeeze", size=20)(half)
    assert (square[:, :6] == 0).all()
    assert (square[:, 14:] == 255).all()


def test_a_picture_of_the_right_size_is_unchanged() -> None:
    picture = np.random.default_rng(0).integers(0, 256, (32, 32, 3), dtype=np.uint8)
    for fit in ("crop", "pad", "squeeze"):
        np.testing.assert_array_equal(Transform(fit=fit, size=32)(picture), picture)


def test_it_is_stored_beside_the_weights(tmp_path: Path) -> None:
    assert read_transform(tmp_path, 512) == Transform(fit="crop", size=512)
    write_transform(tmp_path, Transform(fit="pad", size=64))
    assert read_transform(tmp_path, 512) == Transform(fit="pad", size=64)
    (tmp_path / TRANSFORM_FILE).write_text('{"fit": "pad"}')
    with pytest.raises(UnusableInputError, match="does not hold"):
        read_transform(tmp_path, 512)
