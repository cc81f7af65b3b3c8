"""Groups gone, new, changed, split, merged and regrouped, exactly as planted, by pixels, urls and keys."""

from pathlib import Path

import polars as pl
import pytest

from scanner.compare import Comparison, compare
from scanner.compare._groups import match_groups
from scanner.run import Run
from tests.compare.planted import copies, plant


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """One group of every kind; the numbers of sample ids differ between the runs."""
    folder = tmp_path_factory.mktemp("groups")
    before = [
        *copies(1, 5, "a", "kept once"),
        *copies(2, 3, "b", "dropped"),
        *[*copies(3, 2, "c", "still there"), *copies(4, 1, "c", "still there")],  # two pictures, both stay, apart
        *copies(5, 4, "d", "as it was"),
        *copies(6, 6, "e", "fewer"),
        *copies(7, 2, "f", "more"),
        *[*copies(8, 4, "g", "one of two"), *copies(9, 3, "g", "one of two")],
        *[*copies(10, 2, "h", "left half"), *copies(11, 5, "i", "right half")],
        *[*copies(12, 2, "j", "tangled one"), *copies(13, 2, "j", "tangled one"), *copies(14, 2, "k", "tangled two")],
        *copies(15, 1, None, "once, then twice"),
        *copies(99, 1, None, "always once"),
        *[*copies(20, 2, "m", "same size"), *copies(21, 1, "m", "same size")],
    ]
    after = [
        *copies(99, 1, None, "always once"),
        *copies(1, 1, None, "kept once"),
        *[*copies(3, 1, None, "still there"), *copies(4, 1, None, "still there")],
        *copies(5, 4, "D", "as it was"),
        *copies(6, 2, "E", "fewer"),
        *copies(7, 9, "F", "more"),
        *[*copies(8, 4, "G1", "one of two"), *copies(9, 3, "G2", "two of two")],
        *[*copies(10, 2, "HI", "left half"), *copies(11, 5, "HI", "right half")],
        *[*copies(12, 2, "J", "tangled one"), *copies(13, 2, "K", "tangled two"), *copies(14, 2, "K", "tangled two")],
        *copies(15, 2, "L", "once, then twice"),
        *copies(16, 3, "N", "never seen"),
        *[*copies(20, 1, "M", "same size"), *copies(21, 2, "M", "same size")],
    ]
    return plant(folder / "a", before), plant(folder / "b", after, first=7_000)


@pytest.fixture(scope="module")
def found(pair: tuple[Run, Run]) -> Comparison:
    return compare(*pair)


def test_every_kind_is_counted(found: Comparison) -> None:
    groups = found.groups
    assert (groups.identity, groups.ambiguous, groups.before, groups.after) == ("pixels", 0, 12, 11)
    assert (groups.gone, groups.gone_with_one_row, groups.gone_without_row, groups.gone_with_more_rows) == (3, 1, 1, 1)
    assert (groups.new, groups.new_from_one_row, groups.new_pictures, groups.new_from_more_rows) == (2, 1, 1, 0)
    assert (groups.unchanged, groups.changed, groups.grown, groups.shrunk) == (2, 2, 1, 1)
    assert (groups.split, groups.split_into) == (1, 2)
    assert (groups.merged, groups.merged_into) == (2, 1)
    assert (groups.regrouped, groups.regrouped_into) == (2, 2)
    assert found.headline.endswith("3 of 12 groups are gone, 1 has fewer copies, and 2 are new.")
    paired = groups.unchanged + groups.changed
    assert groups.before == groups.gone + paired + groups.split + groups.merged + groups.regrouped
    assert groups.after == groups.new + paired + groups.split_into + groups.merged_into + groups.regrouped_into


def test_the_table_of_links_is_as_planted(pair: tuple[Run, Run]) -> None:
    links = match_groups(*pair, "pixels").links
    captions = [_captions(run) for run in pair]
    found = {
        (captions[0][row["before"]], captions[1][row["after"]], row["state"], row["copies_before"], row["copies_after"])
        for row in links.iter_rows(named=True)
    }
    assert found == {
        ("as it was", "as it was", "unchanged", 4, 4),
        ("same size", "same size", "unchanged", 3, 3),
        ("fewer", "fewer", "changed", 6, 2),
        ("more", "more", "changed", 2, 9),
        ("one of two", "one of two", "split", 7, 4),
        ("one of two", "two of two", "split", 7, 3),
        ("left half", "left half", "merged", 2, 7),
        ("right half", "left half", "merged", 5, 7),
        ("tangled one", "tangled one", "regrouped", 4, 2),
        ("tangled one", "tangled two", "regrouped", 4, 4),
        ("tangled two", "tangled two", "regrouped", 2, 4),
    }


def _captions(run: Run) -> dict[int, str]:
    return dict(pl.read_parquet(run.path / "groups.parquet").select("group_id", "top_caption").iter_rows())


def test_the_listed_groups_name_both_sides(found: Comparison) -> None:
    listed = [
        (one.state, one.copies_before, one.copies_after, one.rows_left, one.groups_before, one.groups_after)
        for one in found.group_changes
    ]
    assert listed == [
        ("gone", 5, 0, 1, 1, 0),
        ("gone", 3, 0, 0, 1, 0),
        ("gone", 3, 0, 2, 1, 0),
        ("changed", 2, 9, 9, 1, 1),
        ("changed", 6, 2, 2, 1, 1),
        ("split", 7, 7, 7, 1, 2),
        ("merged", 7, 7, 7, 2, 1),
        ("regrouped", 4, 6, 6, 1, 2),
        ("regrouped", 2, 4, 4, 1, 1),
        ("new", 0, 3, 0, 0, 1),
        ("new", 0, 2, 1, 0, 1),
    ]
    refs = found.group_changes[0].before
    assert [(ref.group_id, ref.copies, ref.top_caption, ref.medoid) for ref in refs] == [(0, 5, "kept once", 0)]


def test_the_other_way_round_gone_and_new_change_places(pair: tuple[Run, Run], found: Comparison) -> None:
    there, back = found.groups, compare(*reversed(pair)).groups
    assert (back.gone, back.new, back.split, back.merged_into) == (
        there.new,
        there.gone,
        there.merged_into,
        there.split,
    )
    assert (back.unchanged, back.changed, back.grown, back.shrunk) == (2, 2, 1, 1)


def test_rows_gone_and_new_by_pixels_and_by_key(found: Comparison) -> None:
    pixels, keys = found.identities
    assert (pixels.name, keys.name) == ("pixels", "key")
    assert (pixels.distinct_before, pixels.distinct_after, pixels.both) == (18, 18, 17)
    assert (pixels.gone, pixels.new, pixels.rows_gone, pixels.rows_new) == (1, 1, 3, 3)
    assert (pixels.copies_gone, pixels.copies_new) == (4 + 1 + 4 + 1, 7 + 1 + 1)
    assert (keys.both, keys.rows_gone, keys.rows_new) == (0, keys.known_before, keys.known_after)


BARE = {"pixel_sha256": None, "thumbnail": None, "file": None}


def test_without_pictures_groups_are_matched_by_url_and_it_is_said(tmp_path: Path) -> None:
    def rows(urls: dict[str, str | None], shared: str) -> list:
        return [row for url, group in urls.items() for row in copies(1, 1, group, url=f"https://x/{url}", **BARE)] + [
            row for group in ("x", "y") for row in copies(1, 1, group, url=shared, **BARE)
        ]

    before = rows({"1": "a", "2": "a", "3": "b", "4": "b", "5": "x", "6": "y"}, "https://x/placeholder")
    after = rows({"1": "A", "2": "A", "3": None, "5": "x", "6": "y"}, "https://x/placeholder")
    found = compare(plant(tmp_path / "a", before), plant(tmp_path / "b", after))
    groups = found.groups
    assert (groups.identity, groups.unchanged, groups.gone, groups.gone_with_one_row) == ("url", 3, 1, 1)
    assert (groups.changed, groups.ambiguous) == (0, 1), "x and y: a url that stands in both of them ties nothing"
    assert any("matched by equal urls, since there are no pictures in both" in line for line in found.warnings)


def test_without_pictures_and_urls_the_key_decides_and_it_is_said(tmp_path: Path) -> None:
    before = [*copies(1, 1, "a", key="1", **BARE), *copies(1, 1, "a", key="2", **BARE)]
    after = [*copies(1, 1, "A", key="2", **BARE), *copies(1, 1, "A", key="1", **BARE)]
    found = compare(plant(tmp_path / "a", before), plant(tmp_path / "b", after))
    assert (found.groups.identity, found.groups.unchanged) == ("key", 1)
    assert any("names that agree by chance" in line for line in found.warnings)
    again = [*before, *copies(1, 1, None, key="1", shard="00001", **BARE)]
    found = compare(plant(tmp_path / "c", again), plant(tmp_path / "d", after))
    assert found.groups.identity == "row", "the key 1 stands in two shards"


def test_pictures_that_were_stored_anew_are_known_by_their_urls(tmp_path: Path) -> None:
    before = [row for i in range(4) for row in copies(i // 2, 1, "ab"[i // 2], url=f"https://x/{i}")]
    after = [row for i in range(4) for row in copies(50 + i // 2, 1, "ab"[i // 2], url=f"https://x/{i}")]
    found = compare(plant(tmp_path / "a", before), plant(tmp_path / "b", after))
    assert (found.groups.identity, found.groups.changed + found.groups.unchanged) == ("url", 2)
    assert any("The pictures were stored anew" in line for line in found.warnings)


def test_sets_without_a_common_row_are_called_so(tmp_path: Path) -> None:
    runs = [plant(tmp_path / name, copies(n, 2, name, "a caption")) for n, name in enumerate("ab")]
    found = compare(*runs)
    assert (found.groups.gone, found.groups.new, found.groups.gone_without_row) == (1, 1, 1)
    assert any("No row of one run is known again" in line for line in found.warnings)


def test_many_groups_are_capped_and_counted(tmp_path: Path) -> None:
    before = [row for i in range(70) for row in copies(1, 2 + i, f"g{i:02d}", f"number {i}", pixel_sha256=f"{i}")]
    found = compare(plant(tmp_path / "a", before), plant(tmp_path / "b", copies(1, 1, None)))
    assert found.groups.gone == 70
    assert [one.copies_before for one in found.group_changes] == list(range(71, 11, -1))
