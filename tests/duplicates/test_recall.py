"""The recall that a run measures of itself, against the truth of what its search did and did not tie."""

import numpy as np
import pytest

from scanner.duplicates import DuplicatesConfig, DuplicateSearch, _recall
from scanner.duplicates._judge import BySimilarity
from scanner.duplicates._recall import measure_recall
from scanner.duplicates.neighbours import UnitRows
from tests.duplicates.planted import draw, embeddings, light_edits, samples
from tests.samples.embedded import turned, unit


def measured(vectors, labels, **config):
    rows = UnitRows.of(vectors)
    return measure_recall(
        rows,
        None,
        BySimilarity(rows, 0.95),
        lambda left, right: labels[left] == labels[right],
        cosine=0.95,
        config=DuplicatesConfig(**config),
    )


def pairs_of_copies() -> np.ndarray:
    """20 vectors and a near copy of each: rows i and i + 20."""
    single = unit(20, 48)
    return np.concatenate([single, np.stack([turned(row, 0.98, number) for number, row in enumerate(single)])])


def test_a_search_that_found_everything_and_one_that_lost_five_pairs():
    vectors, labels = pairs_of_copies(), np.tile(np.arange(20), 2)
    found = measured(vectors, labels)
    assert (found.rows, found.pairs, found.found, found.recall) == (40, 40, 40, 1.0)
    assert (found.with_neighbours, found.complete, found.high) == (40, 40, 1.0)
    assert found.low == pytest.approx(0.025 ** (1 / 40))
    labels[20:25] += 100
    lossy = measured(vectors, labels)
    assert (lossy.pairs, lossy.found, lossy.complete) == (40, 30, 30)
    assert lossy.recall == 0.75
    assert lossy.low < 0.75 < lossy.high < 1


def test_nothing_to_find_is_not_a_recall_of_one():
    found = measured(unit(20, 48), np.arange(20))
    assert (found.pairs, found.recall, found.low, found.high) == (0, None, 0.0, 1.0)


def test_of_many_neighbours_some_are_looked_at():
    vectors = np.stack([turned(unit(1, 48)[0], 0.999, number) for number in range(300)])
    assert measured(vectors, np.zeros(300), recall_queries=10).pairs == 1000


def test_the_neighbours_of_a_huge_group_are_drawn_evenly_without_holding_all(monkeypatch):
    monkeypatch.setattr(_recall, "_HELD", 5_000)
    rows = UnitRows.of(1 + 0.001 * np.random.default_rng(0).normal(size=(20_000, 8)).astype(np.float32))
    drawn = np.arange(0, 20_000, 1000)
    number, other = _recall._near(rows, None, drawn, np.random.default_rng(1), cosine=0.95, bits=0)
    assert number.tolist() == np.repeat(np.arange(20), 100).tolist()
    assert not (drawn[number] == other).any()
    assert len(np.unique(np.stack([number, other]), axis=1).T) == 2000
    assert np.histogram(other, 4, (0, 20_000))[0].min() > 380


def test_a_search_over_pictures_measures_what_its_look_accepts():
    pictures = [picture for kind in range(6) for picture in (draw(kind), *light_edits(draw(kind)).values())]
    search = DuplicateSearch(
        samples(pictures), embeddings([number // 8 for number in range(48)]), DuplicatesConfig(threshold=0.5)
    )
    for part in search.parts:
        search.search(part)
    found = search.recall()
    assert found.rows == 48
    assert found.pairs == found.found > 0
