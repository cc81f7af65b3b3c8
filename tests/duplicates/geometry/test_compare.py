import itertools

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from scanner.duplicates.geometry import Features, Geometry, GeometryConfig, compare, features
from tests.duplicates.planted import Picture, brightened, cropped, draw, jpeg, resized
from tests.duplicates.test_look import FAMILIES
from tests.samples.pictures import photo_like

CONFIG = GeometryConfig()


def watermarked(picture: Picture) -> Picture:
    image = Image.fromarray(picture)
    layer = Image.new("L", image.size)
    font = ImageFont.load_default(image.width / 7)
    ImageDraw.Draw(layer).text((image.width / 2, image.height / 2), "SAMPLE PHOTO", 128, font, anchor="mm")
    return np.asarray(Image.composite(Image.new("RGB", image.size, "white"), image, layer))


def framed(picture: Picture) -> Picture:
    margin = round(0.1 * max(picture.shape))
    return np.pad(picture, ((margin, margin), (margin, margin), (0, 0)))


def grey(picture: Picture) -> Picture:
    return np.asarray(Image.fromarray(picture).convert("L").convert("RGB"))


def turned(picture: Picture) -> Picture:
    return np.asarray(Image.fromarray(picture).rotate(10, Image.Resampling.BICUBIC))


def blurred(picture: Picture) -> Picture:
    return np.asarray(Image.fromarray(picture).filter(ImageFilter.GaussianBlur(0.015 * max(picture.shape))))


EDITS = {
    "q75": lambda picture: jpeg(picture, 75),
    "q30": lambda picture: jpeg(picture, 30),
    "half": lambda picture: resized(picture, max(picture.shape) // 2),
    "64": lambda picture: resized(picture, 64),
    "brighter": lambda picture: brightened(picture, 1.2),
    "crop 90": lambda picture: cropped(picture, 0.9, 0.2, 0.7),
    "crop 80": lambda picture: cropped(picture, 0.8, 1, 0.3),
    "crop 60": lambda picture: cropped(picture, 0.6, 0.4, 0.6),
    "mirror": lambda picture: picture[:, ::-1].copy(),
    "rotate": turned,
    "border": framed,
    "grey": grey,
    "watermark": watermarked,
    "blur": blurred,
}


def look(one: Picture, other: Picture) -> Geometry:
    return compare(features(one, CONFIG), features(other, CONFIG), CONFIG)


@pytest.fixture(scope="module")
def photos() -> list[Picture]:
    return [photo_like(seed, 192, 256) for seed in range(8)]


@pytest.mark.parametrize("edit", EDITS)
def test_edits_pass(photos: list[Picture], edit: str) -> None:
    found = [look(picture, EDITS[edit](picture)) for picture in photos]
    assert all(geometry.accepted for geometry in found)
    assert all(geometry.mirrored == (edit == "mirror") for geometry in found)
    assert not any(geometry.shared for geometry in found)


def test_different_pictures_fail(photos: list[Picture]) -> None:
    kept = [features(picture, CONFIG) for picture in [*photos, *(draw(number) for number in range(12))]]
    found = [compare(one, other, CONFIG) for one, other in itertools.combinations(kept, 2)]
    assert not any(geometry.accepted or geometry.shared for geometry in found)


@pytest.mark.parametrize("family", FAMILIES)
def test_look_alikes_fail(family: str) -> None:
    kept = [features(picture, CONFIG) for picture in FAMILIES[family]]
    assert not any(compare(one, other, CONFIG).accepted for one, other in itertools.combinations(kept, 2))


def test_the_order_of_a_pair_does_not_matter(photos: list[Picture]) -> None:
    kept = [features(edit(picture), CONFIG) for picture in photos[:2] for edit in EDITS.values()]
    for one, other in itertools.combinations(kept, 2):
        assert compare(one, other, CONFIG) == compare(other, one, CONFIG)


def test_stored_features_are_judged_alike(photos: list[Picture]) -> None:
    one, other = features(photos[0], CONFIG), features(turned(photos[0]), CONFIG)
    again = compare(Features.from_bytes(one.to_bytes()), Features.from_bytes(other.to_bytes()), CONFIG)
    assert again == compare(one, other, CONFIG)


def test_the_number_of_threads_does_not_matter(photos: list[Picture]) -> None:
    one, other = features(photos[1], CONFIG), features(EDITS["crop 60"](photos[1]), CONFIG)
    before, found = cv2.getNumThreads(), []
    for threads in (1, 4):
        cv2.setNumThreads(threads)
        found.append(compare(one, other, CONFIG))
    cv2.setNumThreads(before)
    assert found[0] == found[1]


def test_one_logo_on_two_grounds_is_shared_and_no_copy() -> None:
    logo = photo_like(30, 90, 120)
    pages = [photo_like(seed, 192, 256) for seed in (31, 32)]
    for page in pages:
        page[50:140, 60:180] = logo
    found = look(*pages)
    assert not found.accepted
    assert found.shared
    assert found.inliers >= CONFIG.firm_inliers


def test_another_sign_on_one_figure_is_no_copy() -> None:
    plate = photo_like(40, 192, 256)
    signs = []
    for letter in "AXO":
        image = Image.fromarray(plate)
        ImageDraw.Draw(image).ellipse((80, 48, 176, 144), fill="white", outline="red", width=8)
        ImageDraw.Draw(image).text((128, 96), letter, "black", ImageFont.load_default(70), anchor="mm")
        signs.append(features(np.asarray(image), CONFIG))
    for one, other in itertools.combinations(signs, 2):
        found = compare(one, other, CONFIG)
        assert not found.accepted
        assert found.shared


def test_colour_decides_unless_one_side_is_grey(photos: list[Picture]) -> None:
    exchanged = photos[2][:, :, ::-1].copy()
    assert not look(photos[2], exchanged).accepted
    assert look(photos[2], grey(photos[2])).accepted


@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (200, 30, 30)])
def test_flat_pictures_match_none(colour: tuple[int, int, int]) -> None:
    flat = np.broadcast_to(np.array(colour, np.uint8), (90, 120, 3)).copy()
    noisy = np.clip(flat.astype(int) + np.random.default_rng(0).integers(-2, 3, flat.shape), 0, 255).astype(np.uint8)
    for one, other in ((flat, flat), (flat, noisy), (noisy, noisy), (flat, draw(1))):
        found = look(one, other)
        assert not found.accepted
        assert (found.distance, found.worst_block) == (2.0, 2.0)


def test_coverage_is_that_of_the_smaller_picture(photos: list[Picture]) -> None:
    left, right = photos[3][:, :192], photos[3][:, 64:]
    assert look(photos[3], left).coverage == pytest.approx(1, abs=0.03)
    assert look(left, right).coverage == pytest.approx(128 / 192, abs=0.05)


def test_a_small_part_of_a_picture_is_shared_and_no_copy(photos: list[Picture]) -> None:
    found = look(photos[4], cropped(photos[4], 0.45, 0.5, 0.5))
    assert not found.accepted
    assert found.shared


def test_limits_come_from_the_configuration(photos: list[Picture]) -> None:
    one, other = features(photos[5], CONFIG), features(jpeg(photos[5], 30), CONFIG)
    found = compare(one, other, CONFIG)
    assert found.accepted
    for limits in (
        {"max_worst_block": found.worst_block / 2, "max_ink_block": 0},
        {"max_distance": found.distance / 2},
    ):
        assert not compare(one, other, GeometryConfig(**limits)).accepted
