"""Hashes and thumbnails against slow obvious versions, and against what an audit needs of them."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image, ImageEnhance

from scanner.fingerprints import perceptual_hash, pixel_sha256, thumbnail
from scanner.samples import decode
from tests.samples.pictures import encode, photo_like

PICTURES = arrays.arrays(np.uint8, st.tuples(st.integers(1, 20), st.integers(1, 20), st.just(3)))


def bits_between(left: int, right: int) -> int:
    return (left ^ right).bit_count()


@given(picture=PICTURES)
@settings(max_examples=60, deadline=None)
def test_a_lossless_rewrap_keeps_the_pixel_hash(picture):
    image = Image.fromarray(picture)
    files = [
        encode(image),
        encode(image, compress_level=0),
        encode(image.convert("RGBA")),
        encode(image, "WEBP", lossless=True),
        encode(image, "TIFF", compression="tiff_lzw"),
        encode(image, "BMP"),
    ]
    assert {pixel_sha256(decode(file)) for file in files} == {pixel_sha256(picture)}


@given(left=PICTURES, right=PICTURES)
@settings(max_examples=60, deadline=None)
def test_the_pixel_hash_is_equal_for_equal_pictures_only(left, right):
    assert (pixel_sha256(left) == pixel_sha256(right)) == (left.shape == right.shape and np.array_equal(left, right))


def test_the_pixel_hash_tells_shapes_apart_and_ignores_memory_layout():
    picture = photo_like(0, 6, 4)
    assert pixel_sha256(picture) != pixel_sha256(picture.reshape(4, 6, 3))
    assert pixel_sha256(picture[::-1, ::-1]) == pixel_sha256(picture[::-1, ::-1].copy())


def slow_hash(points: np.ndarray) -> int:
    """The definition in the module's docstring, by the sums of the DCT-II."""
    luminance = points @ np.array([0.299, 0.587, 0.114])
    coefficients = []
    for down in range(8):
        for across in range(8):
            total = 0.0
            for row in range(32):
                wave = np.cos(np.pi * down * (2 * row + 1) / 64)
                total += wave * np.sum(luminance[row] * np.cos(np.pi * across * (2 * np.arange(32) + 1) / 64))
            coefficients.append(round(total, 3))
    median = sorted(coefficients[1:])[31]
    return int("".join(str(int(value > median)) for value in coefficients), 2)


@pytest.mark.parametrize("seed", range(10))
def test_the_perceptual_hash_is_its_definition(seed):
    points = photo_like(seed, 32, 32)
    assert perceptual_hash(points) == slow_hash(points)
    assert 0 <= perceptual_hash(points) < 2**64


@pytest.mark.parametrize("seed", range(20))
def test_the_perceptual_hash_survives_mild_edits_and_tells_pictures_apart(seed):
    picture = photo_like(seed)
    image = Image.fromarray(picture)
    copies = [
        decode(encode(image, "JPEG", quality=75)),
        decode(encode(image, "JPEG", quality=30)),
        decode(encode(image, "WEBP", quality=50)),
        np.asarray(image.resize((80, 60), Image.Resampling.LANCZOS)),
        np.asarray(ImageEnhance.Brightness(image).enhance(0.9)),
    ]
    original = perceptual_hash(picture)
    assert max(bits_between(original, perceptual_hash(copy)) for copy in copies) <= 8
    assert bits_between(original, perceptual_hash(photo_like(seed + 100))) > 8
    assert perceptual_hash(thumbnail(picture)) == original


def test_flat_pictures_have_the_hash_of_their_mean_alone():
    assert perceptual_hash(np.zeros((9, 9, 3), np.uint8)) == 0
    assert {perceptual_hash(np.full((40, 7, 3), grey, np.uint8)) for grey in range(1, 256, 7)} == {1 << 63}


@pytest.mark.parametrize("factors", [(1, 1), (2, 3), (5, 4)])
def test_a_thumbnail_is_the_average_over_each_points_area(factors):
    down, across = factors
    picture = photo_like(3, 32 * down, 32 * across)
    averages = picture.reshape(32, down, 32, across, 3).mean(axis=(1, 3))
    assert np.abs(thumbnail(picture).astype(float) - averages).max() <= 0.51


@pytest.mark.parametrize("shape", [(1, 1), (1, 5000), (5000, 2), (33, 31), (640, 480), (50_000, 40)])
def test_every_shape_has_a_thumbnail(shape):
    picture = np.full((*shape, 3), (10, 20, 200), np.uint8)
    small = thumbnail(picture)
    assert (small.shape, small.dtype) == ((32, 32, 3), np.uint8)
    assert (small == (10, 20, 200)).all()


def test_a_resized_copy_has_nearly_the_same_thumbnail():
    picture = photo_like(5, 301, 257)
    half = Image.open(io.BytesIO(encode(Image.fromarray(picture).resize((128, 150), Image.Resampling.LANCZOS))))
    difference = np.abs(thumbnail(picture).astype(float) - thumbnail(np.asarray(half)))
    assert difference.mean() / 255 < 0.01
