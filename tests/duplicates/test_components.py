import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates._components import components, new_forest, roots, unite
from scanner.errors import UnusableInputError

NODES = 30
PAIRS = st.lists(st.tuples(st.integers(0, NODES - 1), st.integers(0, NODES - 1)), max_size=60)


@settings(max_examples=60, deadline=None)
@given(PAIRS, st.integers(1, 20))
def test_same_components_as_networkx(pairs: list[tuple[int, int]], at_once: int) -> None:
    parents = new_forest(NODES)
    for start in range(0, len(pairs), at_once):
        left, right = np.array(pairs[start : start + at_once]).T
        unite(parents, left, right)
    graph = nx.Graph(pairs)
    graph.add_nodes_from(range(NODES))
    expected = [sorted(part) for part in nx.connected_components(graph) if len(part) > 1]
    assert [part.tolist() for part in components(parents)] == sorted(expected)
    for part in expected:
        assert (roots(parents, np.array(part)) == min(part)).all()


def test_long_chain_given_backwards() -> None:
    nodes = 200_000
    parents = new_forest(nodes)
    order = np.arange(nodes - 1)[::-1]
    for start in range(0, nodes, 1000):
        part = order[start : start + 1000]
        unite(parents, part + 1, part)
    assert not roots(parents, np.arange(nodes)).any()
    assert parents.dtype == np.uint32


def test_no_nodes_and_no_pairs() -> None:
    assert not [*components(new_forest(0))]
    parents = new_forest(3)
    unite(parents, np.array([], np.uint32), np.array([], np.uint32))
    assert not [*components(parents)]


def test_too_many_nodes_are_refused() -> None:
    with pytest.raises(UnusableInputError, match="in parts"):
        new_forest(2**32)
