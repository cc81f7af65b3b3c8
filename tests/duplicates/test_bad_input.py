"""Sets at the edge of what a search can be given, where every pair is compared and in cells: right, or one sentence."""

import numpy as np
import polars as pl
import pytest

from scanner.duplicates import DuplicatesConfig, DuplicateSearch
from scanner.errors import UnusableInputError
from tests.duplicates.planted import draw, embeddings, light_edits, samples
from tests.duplicates.test_similarity import blind, members
from tests.samples.embedded import unit

BOTH = pytest.mark.parametrize("exhaustive_rows", [0, 50_000], ids=["in cells", "every pair"])
"""No set here has more than 50,000 rows, and every one has more than none."""


def searched(rows: pl.DataFrame, vectors: np.ndarray, **config: object) -> DuplicateSearch:
    opened = DuplicateSearch(rows, vectors, DuplicatesConfig(**config))
    for part in opened.parts:
        opened.search(part)
    return opened


def groups(opened: DuplicateSearch) -> list[list[int]]:
    return members(opened.groups())


@BOTH
@pytest.mark.parametrize("threshold", [None, 1e-6, 1.0])
def test_all_embeddings_equal(exhaustive_rows: int, threshold: float | None) -> None:
    opened = searched(blind(300), np.repeat(unit(1), 300, axis=0), exhaustive_rows=exhaustive_rows, threshold=threshold)
    assert groups(opened) == [list(range(300))]
    assert opened.groups().groups.select("copies", "distinct_images").rows() == [(300, 1)]
    found = opened.recall()
    assert (found.rows, found.pairs, found.recall, found.high) == (1, 0, None, 1.0)


@BOTH
@pytest.mark.parametrize("threshold", [None, 1e-6, 1.0])
def test_constant_embeddings_of_different_length(exhaustive_rows: int, threshold: float | None) -> None:
    vectors = np.linspace(0.5, 7, 300, dtype=np.float32)[:, None] * np.ones(33, np.float32)
    opened = searched(blind(300), vectors, exhaustive_rows=exhaustive_rows, threshold=threshold)
    assert groups(opened) == [list(range(300))]
    assert opened.groups().groups["min_similarity"][0] == pytest.approx(1)
    found = opened.recall()
    assert (found.rows, found.pairs, found.recall, found.complete) == (300, 300 * 100, 1.0, 300)


@BOTH
@pytest.mark.parametrize("threshold", [None, 1e-6, 1.0])
def test_no_two_embeddings_alike(exhaustive_rows: int, threshold: float | None) -> None:
    opened = searched(blind(300), np.eye(300, dtype=np.float32), exhaustive_rows=exhaustive_rows, threshold=threshold)
    assert groups(opened) == []
    assert (opened.recall().rows, opened.recall().recall) == (300, None)


@BOTH
@pytest.mark.parametrize("threshold", [None, 1e-6, 1.0])
def test_zero_embeddings_are_like_no_other_not_even_another_zero(exhaustive_rows: int, threshold: float | None) -> None:
    vectors = np.zeros((300, 20), np.float16)
    assert groups(searched(blind(300), vectors, exhaustive_rows=exhaustive_rows, threshold=threshold)) == []
    vectors[[3, 200], 5] = 1, 2
    opened = searched(blind(300), vectors, exhaustive_rows=exhaustive_rows, threshold=threshold)
    assert groups(opened) == [[3, 200]]
    assert (opened.recall().pairs, opened.recall().recall) == (2, 1.0)


@BOTH
@pytest.mark.parametrize("count", range(6))
@pytest.mark.parametrize("pictures", [True, False])
def test_hardly_any_rows_and_fewer_than_are_asked(exhaustive_rows: int, count: int, pictures: bool) -> None:
    rows = samples([draw(number) for number in range(count)]) if pictures else blind(count)
    opened = searched(rows, unit(count), exhaustive_rows=exhaustive_rows, probes=99)
    assert groups(opened) == []
    assert (opened.summary().distinct, opened.recall().rows, opened.recall().recall) == (count, count, None)


@BOTH
def test_an_empty_set_without_a_width(exhaustive_rows: int) -> None:
    opened = searched(blind(0), np.empty((0, 0), np.float16), exhaustive_rows=exhaustive_rows)
    assert (groups(opened), opened.recall().rows) == ([], 0)


@BOTH
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("pictures", [True, False])
def test_values_that_are_no_numbers_are_refused(exhaustive_rows: int, value: float, pictures: bool) -> None:
    vectors = unit(3)
    vectors[1, 4] = value
    rows = samples([draw(number) for number in range(3)]) if pictures else blind(3)
    with pytest.raises(UnusableInputError, match="hold NaN or infinite values; compute them again"):
        DuplicateSearch(rows, vectors, DuplicatesConfig(exhaustive_rows=exhaustive_rows))


@pytest.mark.parametrize("threshold", [0.0, -0.5, 1.01, np.nan, np.inf])
def test_a_threshold_that_is_no_cosine_is_refused(threshold: float) -> None:
    with pytest.raises(UnusableInputError, match="give one above 0 and at most 1"):
        DuplicatesConfig(threshold=threshold)


KINDS = {
    "constant": lambda count: np.ones((count, 24), np.float16),
    "constant, of different length": lambda count: np.linspace(1, 9, count)[:, None] * np.ones(24, np.float16),
    "zero": lambda count: np.zeros((count, 24), np.float16),
    "one direction": lambda count: np.linspace(-1, 1, count, dtype=np.float32)[:, None] * np.ones(24, np.float32),
}


@BOTH
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("whiten_min_rows", [4, 512], ids=["whitened", "as they are"])
def test_pictures_whose_embeddings_say_nothing_are_told_apart_by_their_look(
    exhaustive_rows: int, kind: str, whiten_min_rows: int
) -> None:
    one, *copies = draw(1), draw(1), *light_edits(draw(1)).values()
    pictures = [one, *copies, *(draw(number) for number in range(2, 12))]
    opened = searched(
        samples(pictures),
        KINDS[kind](len(pictures)),
        exhaustive_rows=exhaustive_rows,
        whiten_min_rows=whiten_min_rows,
    )
    (found,) = groups(opened)
    assert set(found) <= set(range(len(copies) + 1))
    assert len(found) >= len(copies) - 1
    assert opened.recall().recall == 1.0


@BOTH
@pytest.mark.parametrize(
    ("numbers", "wanted"), [([5] * 40, [list(range(40))]), (list(range(40)), [])], ids=["all equal", "none alike"]
)
def test_pictures_that_are_all_equal_or_all_different(
    exhaustive_rows: int, numbers: list[int], wanted: list[list[int]]
) -> None:
    rows = samples([draw(number) for number in numbers])
    opened = searched(rows, embeddings(numbers), exhaustive_rows=exhaustive_rows)
    assert groups(opened) == wanted
    assert opened.recall().recall is None
