import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from scanner.duplicates.neighbours import UnitRows
from scanner.duplicates.neighbours._bound import Heads, directions_of, leading
from scanner.duplicates.neighbours._screen import survivors
from tests.duplicates.neighbours.planted import planted

ROWS = UnitRows.of(planted(0, 20_000, width=12, copied=0.5))
HEADS = Heads.of(leading(ROWS, directions_of(ROWS), 16), ROWS.nonzero(slice(None)), width=16)


def _passing(blocks, cosine: float) -> list[tuple[int, int]]:
    found = [
        pair
        for part in survivors(HEADS, blocks, cosine)
        for pair in zip(*(side.tolist() for side in part), strict=True)
    ]
    assert len(found) == len(set(found))
    return found


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 700), st.integers(0, 700), st.sampled_from([0.5, 0.9, 0.999, 1e-6]))
@example(0, 1, 1, 0.9)
@example(1, 2049, 8193, 0.95)
@example(2, 256, 256, 0.95)
@example(3, 3, 17_000, 0.9)
@example(4, 5000, 2, 0.9)
def test_no_pair_is_missed(seed: int, queries: int, members: int, cosine: float) -> None:
    rng = np.random.default_rng(seed)
    query, member = (np.sort(rng.permutation(len(ROWS))[:count]) for count in (queries, members))
    passing = set(_passing([(query, member)], cosine))
    near = np.nonzero(ROWS[query] @ ROWS[member].T >= cosine)
    wanted = set(zip(query[near[0]].tolist(), member[near[1]].tolist(), strict=True))
    assert wanted <= passing
    bounds = HEADS.bounds(query, member)[
        np.searchsorted(query, [p[0] for p in passing]), np.searchsorted(member, [p[1] for p in passing])
    ]
    assert (bounds >= cosine - HEADS.error).all()


def test_blocks_are_apart_and_come_in_order() -> None:
    blocks = [(np.arange(10), np.arange(0)), (np.arange(3), np.arange(3)), (np.arange(100, 102), np.arange(100, 101))]
    found = _passing(blocks, 0.99)
    assert {(0, 0), (1, 1), (2, 2), (100, 100)} <= set(found)
    assert all(one < 3 and other < 3 for one, other in found if one < 100)
    assert found[-1][0] >= 100
    assert _passing([], 0.9) == []
