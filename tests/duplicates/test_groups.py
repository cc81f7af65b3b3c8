import numpy as np
import polars as pl
import pytest

from scanner.duplicates import collapse
from scanner.duplicates._groups import Groups, group_tables
from scanner.duplicates._split import Part
from scanner.tables import GROUPS, MEMBERS


def _found(pixels: str, captions: list[str | None], parts: list[list[int]], split_from: int | None = None) -> Groups:
    """Groups of rows with the given pixels (a letter each); `parts` are positions among the distinct pictures."""
    rows = pl.DataFrame(
        {
            "sample_id": range(100, 100 + len(pixels)),
            "pixel_sha256": list(pixels),
            "caption": pl.Series(captions, dtype=pl.String),
        }
    )
    collapsed = collapse(rows)
    angles = np.linspace(0, 1, len(collapsed.first))
    vectors = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    made = [Part(members=np.array(part), split_from=split_from) for part in parts]
    return group_tables(rows.drop("pixel_sha256"), collapsed, vectors, made)


def test_exact_copies_near_copies_and_single_rows() -> None:
    found = _found("abacbd", ["A fox", "a tree", "a fox!", "a FOX", None, "sea"], [[0, 2]])
    assert found.members.select("sample_id", "group_id").rows() == [
        (100, 100),
        (101, 101),
        (102, 100),
        (103, 100),
        (104, 101),
    ]
    near, exact = found.groups.rows(named=True)
    assert (near["group_id"], near["copies"], near["distinct_images"]) == (100, 3, 2)
    assert (near["distinct_captions"], near["top_caption"], near["top_caption_share"]) == (1, "A fox", 1.0)
    assert near["caption_entropy"] == 0
    assert near["medoid"] == 100
    assert near["min_similarity"] == pytest.approx(np.cos(2 / 3))
    assert near["median_similarity"] == 1
    assert near["split_from"] is None
    assert (exact["group_id"], exact["copies"], exact["distinct_images"], exact["medoid"]) == (101, 2, 1, 101)
    assert (exact["distinct_captions"], exact["top_caption_share"]) == (1, 0.5)


def test_captions_are_counted_by_rows() -> None:
    captions = ["one", "two", "TWO", "two.", "three", "three", None, "..."]
    group = _found("aaaaaaaa", captions, []).groups.row(0, named=True)
    assert (group["copies"], group["distinct_captions"], group["top_caption"]) == (8, 3, "two")
    assert group["top_caption_share"] == 3 / 8
    shares = np.array([1, 3, 2]) / 6
    assert group["caption_entropy"] == pytest.approx(-(shares * np.log2(shares)).sum())


def test_of_equal_captions_the_earliest_is_on_top() -> None:
    assert _found("aaaa", ["sea", "fox", "fox", "sea"], []).groups["top_caption"][0] == "sea"


def test_without_captions() -> None:
    group = _found("aa", [None, None], []).groups.row(0, named=True)
    assert (group["distinct_captions"], group["top_caption"]) == (0, None)
    assert (group["top_caption_share"], group["caption_entropy"]) == (0, 0)


def test_parts_of_a_split_group() -> None:
    found = _found("abcdd", [None] * 5, [[0, 1], [2], [3]], split_from=0)
    assert found.groups.select("group_id", "copies", "split_from").rows() == [(100, 2, 100), (103, 2, 100)]
    assert found.members["sample_id"].to_list() == [100, 101, 103, 104]


def test_the_medoid_counts_copies() -> None:
    assert _found("abc", [None] * 3, [[0, 1, 2]]).groups["medoid"][0] == 101
    assert _found("abccccccc", [None] * 9, [[0, 1, 2]]).groups["medoid"][0] == 102


@pytest.mark.parametrize("pixels", ["", "a", "abc"])
def test_nothing_alike(pixels: str) -> None:
    found = _found(pixels, ["caption"] * len(pixels), [])
    assert found.members.equals(MEMBERS.empty())
    assert found.groups.equals(GROUPS.empty())
