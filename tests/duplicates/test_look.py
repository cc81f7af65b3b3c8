import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from scanner.duplicates import DuplicatesConfig, look, thumbnail_planes
from scanner.duplicates._look import _block_means, _blurred, deviations
from scanner.fingerprints import thumbnail
from tests.duplicates.planted import Picture, brightened, draw, light_edits, planes

CONFIG = DuplicatesConfig()
EDITS = tuple(light_edits(draw(0)))


def _clock(hour: int) -> Picture:
    image = Image.new("RGB", (144, 144), "white")
    pen = ImageDraw.Draw(image)
    pen.ellipse((8, 8, 136, 136), outline=(0, 0, 200), width=8)
    for angle, length, width in ((hour * np.pi / 6, 34, 8), (0.0, 48, 5)):
        pen.line((72, 72, 72 + length * np.sin(angle), 72 - length * np.cos(angle)), fill=(0, 0, 90), width=width)
    return np.asarray(image)


def _flag(*stripes: str) -> Picture:
    image = Image.new("RGB", (144, 96), "white")
    for turn, colour in enumerate(stripes):
        ImageDraw.Draw(image).rectangle((0, turn * 32, 144, turn * 32 + 32), fill=colour)
    return np.asarray(image)


def _letter(letter: str) -> Picture:
    image = Image.new("L", (12, 12), 255)
    ImageDraw.Draw(image).text((3, 0), letter, fill=0)
    return np.asarray(image.resize((144, 144), Image.Resampling.BICUBIC).convert("RGB"))


FAMILIES = {
    "clocks": [_clock(hour) for hour in (1, 4, 7, 10)],
    "flags": [
        _flag("red", "white", "green"),
        _flag("green", "white", "red"),
        _flag("red", "white", "blue"),
        _flag("red", "yellow", "green"),
        _flag("black", "white", "green"),
    ],
    "letters": [_letter(letter) for letter in "EFBRPOQ"],
}


@pytest.mark.parametrize("edit", EDITS)
def test_light_edits_pass(edit: str) -> None:
    originals = [draw(number) for number in range(40)]
    edited = [light_edits(picture)[edit] for picture in originals]
    found = look(planes(*originals), planes(*edited), CONFIG)
    assert found.accepted.mean() >= 0.97


@pytest.mark.parametrize("family", FAMILIES)
def test_look_alikes_fail(family: str) -> None:
    members = planes(*FAMILIES[family])
    left, right = np.triu_indices(len(members), 1)
    assert not look(members[left], members[right], CONFIG).accepted.any()


def test_different_pictures_fail() -> None:
    members = planes(*(draw(number) for number in range(30)))
    left, right = np.triu_indices(len(members), 1)
    assert not look(members[left], members[right], CONFIG).accepted.any()


def test_the_order_of_a_pair_does_not_matter() -> None:
    pictures = [edited for number in range(3) for edited in light_edits(draw(number)).values()]
    members = planes(*pictures)
    left, right = np.triu_indices(len(members), 1)
    one, other = look(members[left], members[right], CONFIG), look(members[right], members[left], CONFIG)
    assert np.array_equal(one.distance, other.distance)
    assert np.array_equal(one.worst_block, other.worst_block)
    assert np.array_equal(one.accepted, other.accepted)


def test_a_pair_is_judged_alike_alone_and_among_others() -> None:
    members = planes(*(draw(number) for number in range(150)))
    together = look(members[:-1], members[1:], CONFIG)
    alone = look(members[100:101], members[101:102], CONFIG)
    assert alone.distance[0] == pytest.approx(together.distance[100], abs=1e-4)


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 30, 30)])
def test_flat_pictures_match_none(colour: tuple[int, int, int]) -> None:
    flat = np.broadcast_to(np.array(colour, np.uint8), (90, 120, 3))
    noisy = np.clip(flat.astype(int) + np.random.default_rng(0).integers(-2, 3, flat.shape), 0, 255).astype(np.uint8)
    first, second = planes(flat, flat, flat, noisy), planes(flat, noisy, draw(1), noisy)
    found = look(first, second, CONFIG)
    assert not found.accepted.any()
    assert (found.distance == 2).all()
    assert (found.worst_block == 2).all()


def test_no_pairs() -> None:
    none = np.empty((0, 3, 32, 32), np.uint8)
    assert look(none, none, CONFIG).accepted.shape == (0,)


@pytest.mark.parametrize("factor", [0.8, 0.9, 1.1, 1.2])
def test_brightness_is_matched_where_white_is_clipped(factor: float) -> None:
    originals = [draw(number) for number in range(20)]
    edited = [brightened(picture, factor) for picture in originals]
    assert look(planes(*originals), planes(*edited), CONFIG).worst_block.max() < 0.15


def test_limits_come_from_the_configuration() -> None:
    one, other = planes(draw(1)), planes(light_edits(draw(1))["q30"])
    found = look(one, other, CONFIG)
    assert found.accepted[0]
    assert not look(one, other, DuplicatesConfig(max_worst_block=float(found.worst_block[0]) / 2)).accepted[0]
    assert not look(one, other, DuplicatesConfig(max_distance=float(found.distance[0]) / 2)).accepted[0]


def test_stored_thumbnails_become_planes() -> None:
    small = thumbnail(draw(3))
    assert np.array_equal(thumbnail_planes(small.reshape(1, -1))[0, 1], small[:, :, 1])


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 10_000))
def test_block_means_and_blur_are_what_they_say(seed: int) -> None:
    values = np.random.default_rng(seed).random((1, 32, 32), dtype=np.float32)
    blocks = _block_means(values)
    y, x = (int(place) for place in np.random.default_rng(seed + 1).integers(0, 29, 2))
    assert blocks.shape == (1, 29, 29)
    assert blocks[0, y, x] == pytest.approx(values[0, y : y + 4, x : x + 4].mean(), abs=1e-5)
    kernel = np.outer([1, 2, 1], [1, 2, 1]) / 16
    around = np.pad(values[0], 1, mode="edge")[y : y + 3, x : x + 3]
    assert _blurred(values[:, None])[0, 0, y, x] == pytest.approx((around * kernel).sum(), abs=1e-5)


def test_deviations() -> None:
    floats = planes(draw(1), draw(2)).astype(np.float32) / 255
    mean, whole, inside = deviations(floats)
    assert np.allclose(mean, floats.mean((1, 2, 3)), atol=1e-5)
    assert np.allclose(whole, floats.std((1, 2, 3)), atol=1e-4)
    assert np.allclose(inside, np.sqrt(floats.var((2, 3)).mean(1)), atol=1e-4)
