"""Rows that are added to a searched set: old parts stay, new ones hold what is new, and the groups are those of all."""

import numpy as np
import polars as pl
import pytest
from polars.testing import assert_frame_equal

from scanner.duplicates import DuplicatesConfig, DuplicateSearch, addition_of
from scanner.duplicates._propose import Proposer, part_names
from scanner.duplicates.neighbours import NeighbourConfig, Neighbours, UnitRows, parts_of
from scanner.tables import PAIRS
from tests.duplicates.planted import draw, embeddings, light_edits, samples

ROWS, FIRST, SECOND = 900, 500, 800
CELLS = DuplicatesConfig(exhaustive_rows=100, probes=6, block_rows=64, threshold=0.9)


def blind(vectors: np.ndarray) -> pl.DataFrame:
    """Rows without pictures: the cosine decides."""
    nothing = [None] * len(vectors)
    columns = {"pixel_sha256": pl.String, "phash": pl.UInt64, "thumbnail": pl.Binary, "caption": pl.String}
    ids = pl.Series("sample_id", range(10, 10 * len(vectors) + 10, 10), dtype=pl.Int64)
    return pl.DataFrame([ids, *(pl.Series(name, nothing, dtype=kind) for name, kind in columns.items())])


def _searched(rows: pl.DataFrame, vectors: np.ndarray, config: DuplicatesConfig, begins: tuple[int, ...]):
    """Searched as it grew, each time from what was stored."""
    stored: dict[str, pl.DataFrame] = {}
    for number in range(len(begins) + 1):
        count = (*begins, len(rows))[number]
        search = DuplicateSearch(
            rows[:count], vectors[:count], config, begins=begins[:number], stored=stored.__contains__
        )
        for part in search.parts:
            if part in stored:
                search.restore(part, stored[part])
            else:
                stored[part] = search.search(part)
    return search, stored


@pytest.fixture(scope="module")
def vectors() -> np.ndarray:
    """300 kinds of three rows each, mixed up, of one kind forty, and an exact copy of an early row at the end."""
    kinds = np.random.default_rng(1).permutation(np.repeat(np.arange(300), 3))
    kinds[::23] = 0
    rows = embeddings(kinds.tolist(), spread=0.02)
    rows[-1] = rows[3]
    return rows


@pytest.mark.parametrize("config", [CELLS, DuplicatesConfig(threshold=0.9, block_rows=64)], ids=["cells", "all pairs"])
def test_groups_are_those_of_a_search_over_everything(vectors, config):
    whole, _ = _searched(blind(vectors), vectors, config, ())
    grown, parts = _searched(blind(vectors), vectors, config, (FIRST, SECOND))
    assert_frame_equal(grown.groups().members, whole.groups().members, abs_tol=1e-5)
    assert len(whole.groups().groups) > 250
    assert grown.recall().recall == 1
    firsts = [0, 10 * FIRST + 10, 10 * SECOND + 10]
    for part, pairs in parts.items():
        assert (pairs["right"] >= firsts[addition_of(part)]).all(), part
    assert {addition_of(part) for part in parts} == {0, 1, 2}
    assert pl.concat(parts.values()).select(PAIRS.key).is_duplicated().sum() == 0
    assert sum(grown.summary().added) == ROWS - FIRST - 1


def test_an_addition_that_was_stopped_gives_the_same_parts(vectors):
    whole, parts = _searched(blind(vectors), vectors, CELLS, (FIRST,))
    for kept in range(len(parts)):
        some = dict(list(parts.items())[:kept])
        search = DuplicateSearch(blind(vectors), vectors, CELLS, begins=(FIRST,), stored=some.__contains__)
        for part in search.parts:
            if part in some:
                search.restore(part, some[part])
            else:
                assert_frame_equal(search.search(part), parts[part])
        assert search.summary() == whole.summary()


def test_no_index_is_opened_where_all_is_stored(vectors, monkeypatch):
    _, parts = _searched(blind(vectors), vectors, CELLS, (FIRST,))
    search = DuplicateSearch(blind(vectors), vectors, CELLS, begins=(FIRST,), stored=parts.__contains__)
    monkeypatch.setattr(Proposer, "__init__", None)
    for part in search.parts:
        search.restore(part, parts[part])
    assert len(search.groups().groups) > 250


def test_whitening_and_threshold_stay_as_the_first_rows_set_them():
    numbers = [*range(130), *range(130, 150), *range(10)]
    pictures = [draw(number) for number in numbers[:150]]
    pictures += [light_edits(draw(number))["half"] for number in range(10)]
    rows, spread = samples(pictures), embeddings(numbers, spread=0.3)
    config = DuplicatesConfig(whiten_min_rows=100)
    first = DuplicateSearch(rows[:130], spread[:130], config)
    grown = DuplicateSearch(rows, spread, config, begins=(130,))
    assert grown.summary().embedding == first.summary().embedding
    assert grown.summary().threshold == first.summary().threshold
    assert np.array_equal(grown._rows[np.arange(130)], first._rows[np.arange(130)])
    for part in grown.parts:
        grown.search(part)
    joined = grown.groups().members.group_by("group_id", maintain_order=True).agg("sample_id")["sample_id"].to_list()
    assert joined == [[10 * number + 10, 10 * number + 1510] for number in range(10)]


@pytest.mark.parametrize("count", [0, 1, 2, 90, 300])
@pytest.mark.parametrize("known", [0, 1, 80])
@pytest.mark.parametrize("across", [False, True])
def test_parts_are_named_as_the_index_has_them(count, known, across):
    config = NeighbourConfig(exhaustive_rows=100, probes=4, block_rows=16, fresh=min(known, count), across=across)
    index = Neighbours(UnitRows.of(embeddings(list(range(count)), width=32)), 0.9, config)
    assert parts_of(count, config) == (index.star_parts, index.pair_parts)


def test_nothing_new_makes_no_parts():
    assert part_names(50, NeighbourConfig(), known=50, hashed=True, prefix="added-1-") == ()
