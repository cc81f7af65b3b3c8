import polars as pl
import pytest
from polars.testing import assert_frame_equal

from scanner.duplicates import CountedCaptions, count_captions
from scanner.duplicates.captions import prompt_id
from scanner.tables import CAPTIONS, GROUPS, MEMBERS

FOX, SHOP, TYPO, OWL = "Red fox in deep snow", "red fox in deep snow | Etsy", "red fox in deep snow etsy 5", "An owl"


def _counted(captions: list[str | None], groups: list[list[int]]) -> CountedCaptions:
    """Captions of rows 10, 11, ...; groups are places of rows, and carry the first caption of most as their top one."""
    samples = pl.DataFrame(
        {"sample_id": range(10, 10 + len(captions)), "caption": pl.Series(captions, dtype=pl.String)}
    )
    members = [
        {"sample_id": 10 + place, "group_id": 10 + places[0], "similarity_to_medoid": 1.0}
        for places in groups
        for place in places
    ]
    known = [
        {"group_id": 10 + places[0], "copies": len(places), "top_caption": captions[places[0]]} for places in groups
    ]
    return count_captions(samples, MEMBERS.frame(members), GROUPS.frame(known))


def test_exact_table() -> None:
    """Rows 0 to 3 are one picture, 4 and 5 another, 6 to 8 stand alone."""
    captions = [FOX, FOX.upper(), SHOP, OWL, SHOP, SHOP, FOX, None, "..."]
    counted = _counted([*captions, OWL], [[0, 1, 2, 3], [4, 5]])
    fox, shop, owl = (prompt_id(caption) for caption in (FOX, SHOP, OWL))
    expected = [
        # rows, groups, pictures; the cluster's leader, rows, pictures
        {"prompt_id": fox, "caption": FOX, "rows": 3, "groups": 1, "pictures": 2},
        {"prompt_id": shop, "caption": SHOP, "rows": 3, "groups": 2, "pictures": 2},
        {"prompt_id": owl, "caption": OWL, "rows": 2, "groups": 1, "pictures": 2},
    ]
    near = [
        {"near_id": fox, "near_rows": 6, "near_pictures": 3},
        {"near_id": fox, "near_rows": 6, "near_pictures": 3},
        {"near_id": owl, "near_rows": 2, "near_pictures": 2},
    ]
    rows = [row | more for row, more in zip(expected, near, strict=True)]
    assert_frame_equal(counted.captions, CAPTIONS.frame(rows))


def test_groups_count_near_duplicates_as_one() -> None:
    counted = _counted([FOX, SHOP, TYPO, OWL, None, OWL, OWL, None, None], [[0, 1, 2, 3, 4], [5, 6], [7, 8]])
    columns = ("group_id", "near_captions", "near_top_share")
    assert counted.groups.select(columns).rows() == [(10, 2, 3 / 5), (15, 1, 1.0), (17, 0, 0.0)]


def test_counted_again_it_is_the_same() -> None:
    captions: list[str | None] = [FOX, SHOP, OWL, FOX]
    counted = _counted(captions, [[0, 1, 2]])
    samples = pl.DataFrame({"sample_id": range(10, 14), "caption": captions})
    members = MEMBERS.frame({"sample_id": 10 + i, "group_id": 10, "similarity_to_medoid": 1.0} for i in range(3))
    again = count_captions(samples, members, counted.groups)
    assert_frame_equal(again.groups, counted.groups)
    assert_frame_equal(again.captions, counted.captions)


@pytest.mark.parametrize("captions", [[], [None, "...", ""]])
def test_without_captions(captions: list[str | None]) -> None:
    counted = _counted(captions, [])
    assert counted.captions.equals(CAPTIONS.empty())
    assert counted.groups.equals(GROUPS.empty())
