"""Copies are what their kind says, each against the file of its original."""

import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from scanner.demo._edits import CROP, SAME_PIXELS, copied, jpeg
from tests.demo.reading import Built, upright

LOSS = {95: 0.012, 75: 0.04, 30: 0.07}
"""JPEG quality: mean absolute error, on [0, 1], that saving again may add (thin lines on white are the worst)."""


def unit(image: Image.Image) -> NDArray[np.float64]:
    return np.asarray(image, dtype=np.float64) / 255


def tables(file: bytes) -> dict[int, list[int]]:
    """The quantization tables of a JPEG."""
    return Image.open(io.BytesIO(file)).quantization  # type: ignore[attr-defined,no-any-return]


def tables_at(quality: int) -> dict[int, list[int]]:
    buffer = io.BytesIO()
    Image.new("RGB", (8, 8)).save(buffer, "JPEG", quality=quality)
    return tables(buffer.getvalue())


def test_exact_copies_have_the_bytes_of_their_original(built: Built) -> None:
    pairs = built.pairs("exact")
    assert len(pairs) > 1_000
    assert all(original == copy for original, copy in pairs)


def test_rewrapped_copies_have_the_pixels_but_not_the_bytes(built: Built) -> None:
    for original, copy in built.pairs("rewrapped"):
        assert original != copy
        assert np.array_equal(np.asarray(upright(original)), np.asarray(upright(copy)))


def test_rewrapped_copies_come_in_all_five_wrappings(built: Built) -> None:
    found = set()
    for key in built.truth.filter(kind="rewrapped")["key"]:
        (ending,) = built.members[key].keys() - {"json", "txt"}
        image = Image.open(io.BytesIO(built.file(key)))
        found.add((ending, image.format, image.getexif().get(0x0112, 1), "comment" in image.info))
    assert found == {
        ("jpg", "JPEG", 1, True),
        ("jpg", "PNG", 1, False),
        ("png", "PNG", 1, False),
        ("png", "PNG", 6, False),
        ("webp", "WEBP", 1, False),
    }


@pytest.mark.parametrize("quality", [75, 30])
def test_reencoded_copies_keep_size_and_lose_quality(built: Built, quality: int) -> None:
    for original, copy in built.pairs(f"reencoded_q{quality}"):
        assert tables(copy) == tables_at(quality) != tables(original)
        assert upright(copy).size == upright(original).size
        assert np.abs(unit(upright(copy)) - unit(upright(original))).mean() < LOSS[quality]


@pytest.mark.parametrize("kind", ["resized_half", "resized_64"])
def test_resized_copies_have_their_size_and_show_the_same(built: Built, kind: str) -> None:
    for original, copy in built.pairs(kind):
        whole, small = upright(original), upright(copy)
        scale = 0.5 if kind == "resized_half" else 64 / max(whole.size)
        assert small.size == (round(whole.width * scale), round(whole.height * scale))
        assert kind != "resized_64" or max(small.size) == 64
        assert np.abs(unit(whole.resize(small.size, Image.Resampling.LANCZOS)) - unit(small)).mean() < LOSS[95]


def test_brightened_copies_are_darker_or_brighter_by_a_tenth_or_two(built: Built) -> None:
    factors = []
    for original, copy in built.pairs("brightened"):
        before, after = unit(upright(original)), unit(upright(copy))
        middle = (before > 0.05) & (before < 0.82)  # stays below 1 at the largest factor
        factors.append((before * after)[middle].sum() / (before**2)[middle].sum())
        assert np.abs(np.minimum(1, before * factors[-1]) - after).mean() < LOSS[95]
    found = np.array(factors)
    assert (((found > 0.795) & (found < 0.905)) | ((found > 1.095) & (found < 1.205))).all()
    assert 0.3 < (found < 1).mean() < 0.7


def window(whole: NDArray[np.float64], part: NDArray[np.float64]) -> tuple[float, tuple[int, int]]:
    """Least mean absolute error of `part` over all places in `whole`, and the place (top, left)."""
    views = np.lib.stride_tricks.sliding_window_view(whole, part.shape)
    errors = np.array([[np.abs(view - part).mean() for view in row] for row in views])
    top, left = np.unravel_index(errors.argmin(), errors.shape)
    return float(errors.min()), (int(top), int(left))


def test_cropped_copies_are_a_window_of_their_original(built: Built) -> None:
    centred = []
    for original, copy in built.pairs("cropped")[::6]:
        whole, part = upright(original), upright(copy)
        assert part.size == (round(whole.width * CROP), round(whole.height * CROP))
        error, place = window(unit(whole.convert("L")), unit(part.convert("L")))
        assert error < LOSS[95]
        centred.append(place == ((whole.height - part.height) // 2, (whole.width - part.width) // 2))
    assert 0.25 < np.mean(centred) < 0.75


@settings(max_examples=20, deadline=None)
@given(
    width=st.integers(1, 40),
    height=st.integers(1, 40),
    noise=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(SAME_PIXELS),
)
def test_copies_of_the_same_pixels_at_any_size(width: int, height: int, noise: int, kind: str) -> None:
    rng = np.random.default_rng(noise)
    original = jpeg(Image.fromarray(rng.integers(0, 256, (height, width, 3), dtype=np.uint8)))
    copy = copied(original, kind, rng)
    assert np.array_equal(np.asarray(upright(copy.data)), np.asarray(upright(original.data)))


def test_a_copy_depends_on_nothing_but_its_generator() -> None:
    original = jpeg(Image.fromarray(np.random.default_rng(0).integers(0, 256, (50, 70, 3), dtype=np.uint8)))
    for kind in ("rewrapped", "brightened", "cropped"):
        made = [copied(original, kind, np.random.default_rng(seed)).data for seed in (5, 5, *range(20))]
        assert made[0] == made[1]
        assert len(set(made)) > 2
