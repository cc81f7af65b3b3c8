"""The copy model's look: what its cosine accepts, and what the geometry keeps apart."""

import numpy as np
import polars as pl
import pytest

from scanner.duplicates import DuplicatesConfig, DuplicateSearch
from scanner.duplicates._copies import looked_at
from scanner.errors import UnusableInputError
from scanner.tables import PAIRS
from tests.duplicates.planted import draw, embeddings, samples


def refused(count: int, shared: list[bool | None]) -> pl.DataFrame:
    rows = [
        {"left": 10, "right": 20 + 10 * row, "similarity": 0.9, "look": "thumbnail", "look_distance": 0.3}
        | {"worst_block": 0.5, "accepted": False, "shared": shared[row]}
        for row in range(count)
    ]
    return PAIRS.frame(rows)


def test_the_cosine_decides_unless_the_geometry_saw_a_part_in_common():
    cosines = np.array([0.75, 0.7499, 0.9, 0.9, np.nan], np.float32)
    found = looked_at(refused(5, [None, None, True, False, None]), cosines, 0.75)
    assert found["accepted"].to_list() == [True, False, False, True, False]
    assert found["copy_similarity"].to_list() == [0.75, pytest.approx(0.7499), *[pytest.approx(0.9)] * 2, None]
    assert found["look"].unique().to_list() == ["copy-model"]
    assert found["look_distance"].null_count() == found["worst_block"].null_count() == 5


def test_pictures_that_it_ties_stay_in_one_group_and_chained_ones_do_not():
    """Five pictures that no thumbnail ties: to the model the third is one with all but the last, which hangs on the
    fourth."""
    pictures = [draw(number) for number in range(5)]
    search = DuplicateSearch(samples(pictures), embeddings([0] * 5), DuplicatesConfig(threshold=0.5))
    pairs = pl.concat([search.search(part) for part in search.parts])
    assert not pairs["accepted"].any()
    table = np.full((5, 5), 0.1, np.float32)
    for one, two in ((0, 1), (0, 2), (1, 2), (2, 3), (3, 4)):
        table[one, two] = table[two, one] = 0.9

    def cosines(left, right):
        return table[left.astype(int), right.astype(int)]

    looked = search.look_by_copy_model(search.unsettled([pairs], 20), cosines)
    assert looked.filter("accepted").select("left", "right").rows() == [
        *((10, 20), (10, 30), (20, 30), (30, 40), (40, 50)),
    ]
    assert search.summary().looked_by_copy_model == 10
    members = search.groups(None, cosines).members
    assert members.group_by("group_id").agg("sample_id").rows() == [(10, [10, 20, 30, 40])]


@pytest.mark.parametrize("cosine", [0.0, 1.5])
def test_a_cosine_that_is_none(cosine):
    with pytest.raises(UnusableInputError, match="A copy cosine lies above 0 and at most at 1"):
        DuplicatesConfig(copy_cosine=cosine)
