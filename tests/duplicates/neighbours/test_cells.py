from itertools import pairwise

import numpy as np
import pytest

from scanner.duplicates.neighbours._cells import Cells, grouped, make_cells, one_cell
from tests.duplicates.neighbours.planted import planted, unit


@pytest.fixture(scope="module")
def rows() -> np.ndarray:
    return planted(0, 3000)


def asked_by(cells: Cells, row: int) -> list[int]:
    return cells.asked[cells.starts[row] : cells.starts[row + 1]].tolist()


def test_every_row_asks_its_home_and_no_cell_twice(rows: np.ndarray) -> None:
    cells = make_cells(rows, count=40, probes=8)
    for row in range(3000):
        asked = asked_by(cells, row)
        assert cells.home[row] in asked
        assert len(set(asked)) == len(asked) <= 32
    assert cells.asked.max() < cells.count == 40
    assert np.unique(cells.home).size > 20
    assert cells.ask(np.arange(3000), cells.home).all()
    assert abs(len(cells.asked) / 3000 - 8) < 0.5


def test_a_heavy_group_does_not_keep_the_others_from_asking(rows: np.ndarray) -> None:
    """It has many centres to itself, and each of its rows asks them all."""
    rng = np.random.default_rng(1)
    copies = unit(rows[:1] + 0.001 * rng.normal(size=(1400, rows.shape[1])))
    alone = make_cells(rows, count=40, probes=8)
    both = make_cells(np.concatenate([rows, copies]), count=80, probes=8)
    asked = [np.diff(cells.starts)[:3000].mean() for cells in (alone, both)]
    assert asked[1] > 0.6 * asked[0]


def test_cells_of_some_rows_are_in_the_way_of_no_other(rows: np.ndarray) -> None:
    which = np.arange(1, 3000, 2)
    some = make_cells(rows[which], count=40, probes=8)
    cells = some.among(which, 3000)
    asked = np.arange(3000) % 40
    assert cells.ask(which, asked[which]).tolist() == some.ask(np.arange(1500), asked[which]).tolist()
    assert not cells.ask(np.arange(0, 3000, 2), asked[::2]).any()
    assert np.array_equal(cells.home[which], some.home)


def test_a_row_asks_all_cells_that_are_nearer_than_one_that_it_asks(rows: np.ndarray) -> None:
    cells = make_cells(rows, count=40, probes=8)
    centres = unit(np.stack([rows[cells.home == cell].mean(0) for cell in range(40)]))
    near = np.argsort(-rows @ centres.T, axis=1)
    agreeing = [len(set(near[row][: len(asked)]) & set(asked)) / len(asked) for row, asked in _all_asked(cells)]
    assert np.mean(agreeing) > 0.85


def _all_asked(cells: Cells) -> list[tuple[int, list[int]]]:
    return [(row, asked_by(cells, row)) for row in range(len(cells.home))]


def test_asking_is_membership_of_the_asked(rows: np.ndarray) -> None:
    cells = make_cells(rows, count=40, probes=5)
    rng = np.random.default_rng(0)
    which, asked = rng.integers(0, 3000, 500), rng.integers(0, 40, 500)
    wanted = [cell in asked_by(cells, row) for row, cell in zip(which, asked, strict=True)]
    assert cells.ask(which, asked).tolist() == wanted


def test_similar_rows_share_a_home(rows: np.ndarray) -> None:
    cells = make_cells(rows, count=40, probes=8)
    near = np.argwhere(np.triu(rows @ rows.T > 0.97, 1))
    assert (cells.home[near[:, 0]] == cells.home[near[:, 1]]).mean() > 0.6


def test_twice_the_same(rows: np.ndarray) -> None:
    one, other = (make_cells(rows, count=40, probes=8) for _ in range(2))
    assert all(np.array_equal(getattr(one, part), getattr(other, part)) for part in ("home", "asked", "starts"))


def test_more_probes_than_cells_ask_them_all(rows: np.ndarray) -> None:
    cells = make_cells(rows, count=6, probes=12)
    assert all(sorted(asked) == list(range(6)) for _, asked in _all_asked(cells))
    assert one_cell(4).ask(np.arange(4), np.zeros(4, int)).all()


@pytest.mark.parametrize("one", [0.0, 1.0])
def test_rows_as_near_to_all_cells_ask_few(one: float) -> None:
    cells = make_cells(np.full((5000, 8), one, np.float32), count=100, probes=5)
    assert np.diff(cells.starts).max() <= 20
    assert cells.ask(np.arange(5000), cells.home).all()


def test_grouped_positions() -> None:
    order, starts = grouped(np.array([2, 0, 2, 1]), 4)
    assert [order[a:b].tolist() for a, b in pairwise(starts)] == [[1], [3], [0, 2], []]
