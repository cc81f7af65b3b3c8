"""Mirrored and moved originals are told, with how they lie, and only where nothing lies as it is."""

import numpy as np
import pytest

from scanner.attack import as_unit, normalised_l2
from scanner.verify import Evidence, Layouts, Verifier
from scanner.verify._placement import moved, placed
from tests.verify.test_originals import index
from tests.verify.test_template import LAYOUTS, SIZE
from tests.verify.test_verdict import generations_of, noisy

ORIGINALS = index(LAYOUTS, {})
STEP = SIZE // 16


def images(number: int, *, mirrored: bool = False, x: int = 0, y: int = 0) -> np.ndarray:
    """Two noisy images of an original, so placed."""
    picture = LAYOUTS[number][:, ::-1] if mirrored else LAYOUTS[number]
    rolled = (moved(as_unit(picture)[None], x, y)[0] * 255).round().astype(np.uint8)
    return np.stack([noisy(rolled, 5, seed) for seed in (1, 2)])


@pytest.mark.parametrize(
    ("mirrored", "x", "y", "words"),
    [
        (True, 0, 0, "mirrored"),
        (False, STEP, 0, "shifted"),
        (False, 0, -STEP, "shifted"),
        (True, 0, STEP, "mirrored and shifted"),
        (True, STEP, 0, "mirrored and shifted"),
    ],
)
def test_a_placement_is_found_with_how_it_lies(mirrored: bool, x: int, y: int, words: str) -> None:
    found = placed(as_unit(images(3, mirrored=mirrored, x=x, y=y)), ORIGINALS, threshold=0.12)
    assert found is not None
    assert (found.words, found.sample_id) == (words, 103)
    assert found.l2 < 0.12
    assert (found.shift_x, found.shift_y) == (-x if mirrored else x, y)


def test_it_is_a_distance_within_the_threshold_or_none() -> None:
    far = as_unit(np.random.default_rng(0).integers(0, 256, (3, SIZE, SIZE, 3)).astype(np.uint8))
    assert placed(far, ORIGINALS, threshold=0.12) is None
    one = np.concatenate([images(3, mirrored=True)[:1], (far[:1] * 255).astype(np.uint8)])
    assert placed(as_unit(one), ORIGINALS, threshold=0.12) is None  # two must show it


def test_the_distance_is_that_of_the_turned_image() -> None:
    both = as_unit(images(2, mirrored=True))
    found = placed(both, ORIGINALS, threshold=0.12)
    assert found is not None
    expected = np.sort(normalised_l2(both[:, :, ::-1], as_unit(LAYOUTS[2])))[1]
    assert found.l2 == pytest.approx(float(expected), abs=1e-5)


def test_a_placement_is_no_verdict() -> None:
    verifier = Verifier(
        ORIGINALS,
        Layouts([], ORIGINALS),
        copies_of=dict.fromkeys(range(100, 106), 1),
        copy_similarity=None,
        threshold=0.12,
        template_threshold=0.12,
    )

    def judged(made: np.ndarray) -> dict:
        return verifier(
            Evidence(prompt_id="p", own=frozenset({101}), generations=generations_of(list(made), ORIGINALS))
        )

    turned = judged(images(1, mirrored=True))
    assert (turned["verdict"], turned["placement"], turned["placement_sample_id"]) == ("none", "mirrored", 101)
    straight = judged(images(1))
    assert straight["verdict"] == "matching"
    assert "placement" not in straight
