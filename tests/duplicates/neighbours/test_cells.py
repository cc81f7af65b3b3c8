from itertools import pairwise

import numpy as np
import pytest

from scanner.duplicates.neighbours import UnitRows
from scanner.duplicates.neighbours._bound import Heads
from scanner.duplicates.neighbours._cells import grouped, make_cells, one_cell
from tests.duplicates.neighbours.planted import planted


@pytest.fixture(scope="module")
def heads() -> Heads:
    return Heads.of(UnitRows.of(planted(0, 3000)), width=32)


def test_every_row_asks_its_home_first_and_no_cell_twice(heads: Heads) -> None:
    cells = make_cells(heads, count=40, probes=8)
    assert np.array_equal(cells.home, cells.asked[:, 0])
    assert (np.diff(np.sort(cells.asked, axis=1).astype(int)) > 0).all()
    assert cells.asked.max() < cells.count == 40
    assert np.unique(cells.home).size > 20
    assert cells.ask(np.arange(3000), cells.home).all()


def test_asking_is_membership_of_the_asked(heads: Heads) -> None:
    cells = make_cells(heads, count=40, probes=5)
    rng = np.random.default_rng(0)
    rows, asked = rng.integers(0, 3000, 500), rng.integers(0, 40, 500)
    wanted = [cell in cells.asked[row].tolist() for row, cell in zip(rows, asked, strict=True)]
    assert cells.ask(rows, asked).tolist() == wanted


def test_similar_rows_share_a_home(heads: Heads) -> None:
    cells = make_cells(heads, count=40, probes=8)
    rows = heads.values[:-1, : heads.head].float().numpy()
    near = np.argwhere(np.triu(rows @ rows.T > 0.97 * np.linalg.norm(rows, axis=1)[:, None] ** 2, 1))
    assert (cells.home[near[:, 0]] == cells.home[near[:, 1]]).mean() > 0.6


def test_twice_the_same(heads: Heads) -> None:
    assert np.array_equal(make_cells(heads, count=40, probes=8).asked, make_cells(heads, count=40, probes=8).asked)


def test_more_probes_than_cells_ask_them_all(heads: Heads) -> None:
    assert (np.sort(make_cells(heads, count=6, probes=12).asked, axis=1) == np.arange(6)).all()
    assert one_cell(4).ask(np.arange(4), np.zeros(4, int)).all()


def test_grouped_positions() -> None:
    order, starts = grouped(np.array([2, 0, 2, 1]), 4)
    assert [order[a:b].tolist() for a, b in pairwise(starts)] == [[1], [3], [0, 2], []]
