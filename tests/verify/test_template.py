"""Layouts: found where originals agree, never in a plain ground; bounds never exceed distances."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.attack import as_unit
from scanner.verify import Layouts, Unit, units_of
from scanner.verify._template import CELLS, InCells, common_layout, layout_l2, masked_l2, pixels_of
from tests.verify.test_originals import index

SIZE = 64
PANEL = (slice(16, 40), slice(8, 36))  # whole cells of 4 pixels


def with_panels(picture: np.ndarray, count: int, seed: int = 0) -> np.ndarray:
    """Pictures that differ in one panel, by colour."""
    rng = np.random.default_rng(seed)
    made = np.repeat(picture[None], count, axis=0)
    for one in made:
        one[PANEL] = rng.integers(0, 256, 3)
    return made


def scenes(count: int) -> np.ndarray:
    """Pictures of five rectangles each on a ground of their own."""
    rng = np.random.default_rng(5)
    made = np.empty((count, SIZE, SIZE, 3), np.uint8)
    for one in made:
        one[:] = rng.integers(0, 256, 3)
        for y, x, h, w in rng.integers(8, 40, (5, 4)):
            one[y : y + h, x : x + w] = rng.integers(0, 256, 3)
    return made


LAYOUTS = scenes(6)


def test_the_panel_is_masked_and_nothing_else() -> None:
    found = common_layout(with_panels(LAYOUTS[0], 9))
    assert found is not None
    masked = np.zeros((SIZE, SIZE), bool)
    masked[PANEL] = True
    assert np.array_equal(~pixels_of(found.layout, SIZE), masked)
    assert found.area == pytest.approx(1 - masked.mean())


def test_what_stands_in_the_mask_does_not_count() -> None:
    members = with_panels(LAYOUTS[0], 9)
    found = common_layout(members)
    assert found is not None
    fresh = as_unit(with_panels(LAYOUTS[0], 3, seed=8))
    reference = as_unit(found.reference)
    assert layout_l2(fresh, reference, found.layout).max() < 0.01
    assert layout_l2(as_unit(LAYOUTS[1:]), reference, found.layout).min() > 0.12
    copied = masked_l2(as_unit(members[:1]), as_unit(members[0]), found.layout)
    assert copied[0] == pytest.approx(0, abs=1e-6)
    assert masked_l2(fresh, as_unit(members[0]), found.layout).min() > 0.05


def test_contrast_and_brightness_do_not_count() -> None:
    found = common_layout(with_panels(LAYOUTS[0], 9))
    assert found is not None
    paler = as_unit(LAYOUTS[0])[None] * np.float32(0.5) + np.float32(0.3)
    assert layout_l2(paler, as_unit(found.reference), found.layout)[0] < 0.01


def test_pictures_without_anything_in_common_have_none() -> None:
    assert common_layout(LAYOUTS) is None


def test_a_plain_ground_is_no_layout() -> None:
    plain = np.full((9, SIZE, SIZE, 3), 255, np.uint8)
    for number, one in enumerate(plain):
        one[20:44, 20:44] = (number * 28, 255 - number * 28, 90)
    assert common_layout(plain) is None


def test_copies_have_none_since_they_differ_nowhere() -> None:
    noise = np.random.default_rng(0).integers(-3, 4, (5, SIZE, SIZE, 3))
    assert common_layout((LAYOUTS[0].astype(int) + noise).clip(0, 255).astype(np.uint8)) is None


def test_one_stranger_among_many_does_not_spoil_it() -> None:
    members = with_panels(LAYOUTS[0], 15)
    assert common_layout(np.concatenate([members, LAYOUTS[3:4]])) is not None


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 10_000), size=st.sampled_from([32, 64, 40]), flat=st.booleans())
def test_no_bound_exceeds_its_distance(seed: int, size: int, flat: bool) -> None:
    rng = np.random.default_rng(seed)
    images = rng.random((5, size, size, 3)).astype(np.float32)
    if flat:
        images[1:3] = rng.random(3).astype(np.float32) + rng.normal(0, 0.003, (2, size, size, 3)).astype(np.float32)
    reference = (images[0] * 0.7 + rng.random((size, size, 3)) * 0.3).astype(np.float32)
    layout = rng.random((CELLS, CELLS)) < rng.uniform(0.1, 1)
    layout[0, 0] = True
    bounds = InCells.of(images).bounds(InCells.of(reference[None]), layout)
    assert (bounds <= layout_l2(images, reference, layout) + 1e-4).all()
    if size % CELLS == 0 and not flat:
        assert bounds.max() > 0


def test_layouts_are_found_by_images_and_by_originals() -> None:
    pictures = np.concatenate([with_panels(LAYOUTS[0], 5), with_panels(LAYOUTS[1], 5), LAYOUTS[2:]])
    originals = index(pictures, {})
    ids = [int(sample) for sample in originals.blocks.sample_id]
    units = [Unit(members=tuple(ids[part]), variants=True) for part in (slice(5), slice(5, 10), slice(10, 13))]
    layouts = Layouts(units, originals)
    assert len(layouts) == 2
    images = as_unit(np.concatenate([with_panels(LAYOUTS[1], 1, seed=9), LAYOUTS[4:5], pictures[2:3]]))
    found = layouts.near(images)
    assert [[number for number, _ in near] for near in found] == [[1], [], [0]]
    shares, area = layouts.masked_shares(images[2:], ids[2])
    assert shares is not None
    assert shares[0] == pytest.approx(0, abs=1e-6)
    shown = layouts.shown(np.concatenate([images[2:], images[2:]]), [])
    assert shown is not None
    assert (shown.sample_id, shown.area) == (ids[2], area)
    assert layouts.shown(images[1:], []) is None
    assert layouts.masked_shares(images, ids[12]) == (None, None)
    edits = Layouts([Unit(members=tuple(ids[:5]), variants=False)], originals)
    assert edits.masked_shares(images, ids[2]) == (None, None)
    assert len(edits.near(images)[2]) == 1


def test_units_are_groups_families_and_what_stands_under_one_caption() -> None:
    group_of = {10: 10, 11: 10, 12: 10, 20: 20, 21: 20}
    groups = {10: [10, 11, 12], 20: [20, 21]}
    families = [[30, 31, 32, 33], [90, 91]]
    own = {"group": frozenset({10, 20}), "family": frozenset({30, 31, 32}), "caption": frozenset({40, 41, 42})}
    assert units_of(own, families, groups, group_of) == [
        Unit(members=(10, 11, 12), variants=False),
        Unit(members=(30, 31, 32, 33), variants=True),
        Unit(members=(40, 41, 42), variants=True),
    ]


def test_images_that_vary_a_region_have_a_mask_of_their_own() -> None:
    originals = index(LAYOUTS, {})
    layouts = Layouts([], originals)
    ids = [int(sample) for sample in originals.blocks.sample_id]
    images = as_unit(with_panels(LAYOUTS[2], 6, seed=4))
    shown = layouts.shown(images, ids)
    assert shown is not None
    assert (shown.sample_id, len(shown.distances)) == (ids[2], 6)
    assert max(shown.distances) < 0.01
    assert shown.area == pytest.approx(1 - 24 * 28 / SIZE**2)
    assert layouts.shown(images, [ids[0], ids[1]]) is None
    assert layouts.shown(images[:2], ids) is None  # two images may agree by chance
    assert layouts.shown(as_unit(LAYOUTS[:4]), ids) is None
