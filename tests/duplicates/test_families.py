"""Template families: planted logos and frames on made pictures, told apart from copies and from one another."""

from itertools import combinations

import numpy as np
import polars as pl
import pytest

from scanner.duplicates import template_families
from scanner.duplicates.geometry import Features, GeometryConfig, common_part, features, spanned
from scanner.tables import MEMBERS
from tests.duplicates.planted import Picture
from tests.samples.pictures import photo_like

CONFIG = GeometryConfig()
HEIGHT, WIDTH = 240, 320
SIDE = 120


def mark(seed: int) -> Picture:
    """A square of 12 × 12 coloured fields: corners everywhere."""
    fields = np.random.default_rng([seed, 5]).integers(0, 256, (12, 12, 3), dtype=np.uint8)
    return fields.repeat(SIDE // 12, 0).repeat(SIDE // 12, 1)


LOGO, ICON = mark(1), mark(2)
NOBODY = MEMBERS.empty()


def ground(seed: int) -> Picture:
    return photo_like(seed, HEIGHT, WIDTH)


def stamped(picture: Picture, mark: Picture, top: int, left: int) -> Picture:
    out = picture.copy()
    out[top : top + mark.shape[0], left : left + mark.shape[1]] = mark
    return out


def described(pictures: list[Picture]) -> dict[int, Features]:
    return {10 * number: features(picture, CONFIG) for number, picture in enumerate(pictures)}


def shared(*pairs: tuple[int, int]) -> pl.DataFrame:
    return pl.DataFrame({"left": [a for a, _ in pairs], "right": [b for _, b in pairs], "shared": [True] * len(pairs)})


@pytest.fixture(scope="module")
def marked() -> dict[int, Features]:
    """0 to 30 carry the logo, 40 to 60 the icon, 70 both, and 80 neither."""
    logos = [stamped(ground(seed), LOGO, 12 * seed, 100 + 9 * seed) for seed in range(4)]
    icons = [stamped(ground(seed), ICON, 60 + 8 * seed, 8 * seed) for seed in range(4, 7)]
    both = stamped(stamped(ground(7), LOGO, 0, 190), ICON, 115, 20)
    return described([*logos, *icons, both, ground(8)])


def families(found: pl.DataFrame) -> list[list[int]]:
    return sorted(sorted(part) for part in found.group_by("family_id").agg("sample_id")["sample_id"].to_list())


def test_the_common_part_is_where_the_logo_lies(marked):
    part = common_part(marked[0], marked[10], CONFIG)
    x, y = (marked[0].keypoints[part, axis] * np.sqrt(HEIGHT * WIDTH) for axis in (0, 1))
    assert part.sum() >= CONFIG.firm_inliers
    assert np.all((x > 95) & (x < 225) & (y < 125))
    assert 0.08 < spanned(marked[0], part) < SIDE**2 / (HEIGHT * WIDTH)
    assert not common_part(marked[0], marked[40], CONFIG).any()
    assert spanned(marked[0], np.zeros_like(part)) == 0


def test_one_logo_on_several_grounds_is_one_family(marked):
    found = template_families(shared(*combinations(range(0, 40, 10), 2)), NOBODY, marked.get)
    assert families(found) == [[0, 10, 20, 30]]
    assert found["family_id"].to_list() == [0] * 4
    assert found["centre"].sum() == 1
    assert found.filter(~pl.col("centre"))["inliers"].min() >= CONFIG.firm_inliers
    assert found.filter(~pl.col("centre"))["shared_area"].is_between(0.08, 0.19).all()
    assert found.filter("centre").select("inliers", "shared_area").row(0) == (None, None)


def test_a_picture_with_both_marks_does_not_chain_them(marked):
    logo, icon = [0, 10, 20, 30, 70], [40, 50, 60, 70]
    found = template_families(shared(*combinations(logo, 2), *combinations(icon, 2)), NOBODY, marked.get)
    assert families(found) in ([logo, [40, 50, 60]], [[0, 10, 20, 30], icon])


def test_those_that_were_not_paired_with_the_centre_are_compared_with_it(marked):
    assert families(template_families(shared((0, 10), (10, 20), (20, 30)), NOBODY, marked.get)) == [[0, 10, 20, 30]]


def test_a_duplicate_group_is_one_picture(marked):
    members = MEMBERS.frame({"sample_id": s, "group_id": 3, "similarity_to_medoid": 1.0} for s in (3, 10, 20))
    pairs = shared((0, 10), (0, 20), (10, 20), (0, 30))
    found = template_families(pairs, members, marked.get)
    assert found.select("family_id", "sample_id", "group_id").rows() == [(0, 0, None), (0, 10, 3), (0, 30, None)]


def test_pairs_within_a_group_are_no_family(marked):
    members = MEMBERS.frame({"sample_id": s, "group_id": 10, "similarity_to_medoid": 1.0} for s in (10, 20))
    assert template_families(shared((10, 20)), members, marked.get).is_empty()


def test_without_pairs_there_is_none():
    empty = shared().cast({"left": pl.Int64, "right": pl.Int64, "shared": pl.Boolean})
    assert template_families(empty, NOBODY, {}.get).is_empty()


def test_a_picture_that_can_not_be_read_any_more_is_left_out(marked):
    there = {name: made for name, made in marked.items() if name != 10}
    pairs = shared((0, 10), (10, 20), (10, 30), (0, 20))
    assert families(template_families(pairs, NOBODY, there.get)) == [[0, 20, 30]]
