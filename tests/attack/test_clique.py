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


@settings(max_examples=200)
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
    began = time.perf_counter()
    assert clique_of(close, size=10).decision == "yes"
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize("density", [0.1, 0.2, 0.3])
def test_random_graphs_are_decided_within_a_second(density):
    began = time.perf_counter()
    assert clique_of(graph(3, 500, density), size=10).decision == "no"
    assert time.perf_counter() - began < 1


def test_a_spent_budget_is_said_and_not_guessed():
    hard = graph(4, 300, 0.45)
    assert clique_of(hard, size=14, budget=10).decision == "undecided"


def test_the_diagonal_does_not_count():
    assert clique_of(np.eye(20, dtype=bool), size=2).decision == "no"
    assert clique_of(np.empty((0, 0), bool), size=2).decision == "no"
