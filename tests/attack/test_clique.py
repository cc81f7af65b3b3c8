"""The clique decision against brute force on small graphs, and on the near-cliques that defeat exact maximisers."""

import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.attack import clique_of


def graph(seed: int, nodes: int, density: float) -> np.ndarray:
    upper = np.triu(np.random.default_rng(seed).random((nodes, nodes)) < density, 1)
    return upper | upper.T


def has_clique(close: np.ndarray, size: int) -> bool:
    return any(all(close[i, j] for i, j in combinations(c, 2)) for c in combinations(range(len(close)), size))


@settings(max_examples=200, deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 11), st.floats(0.1, 0.95), st.integers(2, 6))
def test_the_decision_equals_brute_force(seed, nodes, density, size):
    close = graph(seed, nodes, density)
    found = clique_of(close, size=size)
    assert (found.decision == "yes") == has_clique(close, size)
    assert found.decision != "undecided"
    if found.members:
        assert len(found.members) >= size
        assert all(close[i, j] for i, j in combinations(found.members, 2))


@pytest.mark.parametrize("density", [0.80, 0.85, 0.90, 0.95])
@pytest.mark.parametrize("planted", [100, 200, 400])
def test_near_cliques_are_decided_within_a_second(planted, density):
    close = graph(1, 500, 0.02)
    close[:planted, :planted] = graph(2, planted, density)
    began = time.process_time()
    assert clique_of(close, size=10).decision == "yes"
    assert time.process_time() - began < 1


@pytest.mark.parametrize("density", [0.1, 0.2, 0.3])
def test_random_graphs_are_decided_within_a_second(density):
    began = time.process_time()
    assert clique_of(graph(3, 500, density), size=10).decision == "no"
    assert time.process_time() - began < 1


def nine_parts(images: int, kept: float) -> np.ndarray:
    """A complete multipartite graph of nine parts, shuffled and thinned: it has no clique of ten."""
    part = np.random.default_rng(5).permutation(np.arange(images) % 9)
    return (part[:, None] != part[None, :]) & graph(6, images, kept)


def five_cycles(cycles: int, width: int) -> np.ndarray:
    """Five-cycles with each node blown up, all joined: cliques of two a cycle, where colouring needs three."""
    at = np.arange(5 * cycles * width) // width
    step = (at[:, None] - at[None, :]) % 5
    return np.where(at[:, None] // 5 == at[None, :] // 5, (step == 1) | (step == 4), True)


@pytest.mark.parametrize("kept", [1, 0.99, 0.9, 0.8])
def test_nine_parts_have_no_clique_of_ten(kept):
    assert clique_of(nine_parts(500, kept), size=10).decision == "no"


@pytest.mark.parametrize("hard", [nine_parts(500, 0.7), five_cycles(4, 25)])
def test_the_worst_graphs_cost_the_budget_and_no_more(hard):
    began = time.process_time()
    assert clique_of(hard, size=10).decision in {"no", "undecided"}
    assert time.process_time() - began < 5  # under a second on a machine of our own


def test_a_spent_budget_is_said_and_not_guessed():
    assert clique_of(graph(4, 300, 0.45), size=14, budget=1000).decision == "undecided"


def test_the_decision_does_not_depend_on_the_order_of_the_images():
    close, order = graph(7, 60, 0.6), np.random.default_rng(8).permutation(60)
    for size in (7, 8, 9, 10):
        found = clique_of(close[np.ix_(order, order)], size=size)
        assert found.decision == clique_of(close, size=size).decision
        assert all(close[order[i], order[j]] for i, j in combinations(found.members, 2))


def test_the_diagonal_does_not_count():
    assert clique_of(np.eye(20, dtype=bool), size=2).decision == "no"
    assert clique_of(np.empty((0, 0), bool), size=2).decision == "no"
