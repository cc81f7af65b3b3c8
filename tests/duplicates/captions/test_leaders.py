import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates.captions._leaders import lead


def _slowly(nodes: int, pairs: list[tuple[int, int]]) -> list[int]:
    leader = list(range(nodes))
    free = set(range(nodes))
    for node in range(nodes):
        if node in free:
            for other in range(node + 1, nodes):
                if other in free and ((node, other) in pairs or (other, node) in pairs):
                    leader[other] = node
                    free.discard(other)
    return leader


@settings(max_examples=100, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)).filter(lambda pair: pair[0] != pair[1]), max_size=20))
def test_the_first_that_is_free_leads_what_is_near_it(pairs: list[tuple[int, int]]) -> None:
    left, right = (np.array([pair[side] for pair in pairs], np.int64) for side in (0, 1))
    assert lead(8, left, right).tolist() == _slowly(8, pairs)


def test_a_chain_is_not_one_cluster() -> None:
    assert lead(5, np.arange(4), np.arange(1, 5)).tolist() == [0, 0, 2, 2, 4]
