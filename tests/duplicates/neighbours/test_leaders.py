import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates.neighbours import UnitRows, _leaders
from scanner.duplicates.neighbours._bound import Heads, directions_of, leading
from scanner.duplicates.neighbours._leaders import LEAST, Buckets, leader_angle, leader_slack, stars
from tests.duplicates.neighbours.planted import Found, at_angle, brute, everything, groups_of, planted, unit

COSINE = 0.95
THRESHOLD = math.acos(COSINE)
ANGLE = leader_angle(COSINE)


def heavy(rng: np.random.Generator, centre: np.ndarray, count: int, angle: float = 0.02) -> np.ndarray:
    """`count` rows within `angle` of `centre`."""
    aims = rng.normal(size=(count, len(centre)))
    return np.stack([centre, *(at_angle(centre, aim, rng.uniform(0, angle)) for aim in aims[1:])]).astype(np.float32)


def chain(start: np.ndarray, towards: np.ndarray, step: float, count: int) -> np.ndarray:
    """Rows in a line, `step` radians from one to the next, the first one `step` from `start`."""
    return np.stack([at_angle(start, towards, step * (number + 1)) for number in range(count)])


def noise(rng: np.random.Generator, count: int, width: int = 48) -> np.ndarray:
    return unit(rng.normal(size=(count, width)))


def held(found: Found, row: int) -> bool:
    """Whether a leader other than itself holds the row."""
    return int(found.search._held_by[row]) != row


def assert_same_groups(vectors: np.ndarray, **config) -> None:
    rows = UnitRows.of(vectors)
    found = everything(rows, COSINE, decides=True, **config)
    assert len(found.starred) >= LEAST
    assert found.groups == groups_of(list(brute(rows, COSINE)))


@settings(max_examples=200, deadline=None)
@given(st.floats(1e-6, 1.0))
def test_what_is_near_a_member_is_within_the_slack_of_its_leader(cosine: float) -> None:
    angle, threshold = leader_angle(cosine), math.acos(cosine)
    slack = leader_slack(cosine, angle)
    for leaders in (1, 2):
        assert math.cos(min(threshold + leaders * angle, math.pi)) >= cosine - leaders * slack - 1e-9
    assert threshold < 0.003 or 2 * angle <= threshold + 1e-9


@settings(max_examples=15, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 300), st.integers(0, 300))
def test_no_row_is_in_two_stars(seed: int, count: int, fresh: int) -> None:
    rows = UnitRows.of(planted(seed, 300, near=0.1, copied=0.9))
    bucket = np.sort(np.random.default_rng(seed).permutation(300)[:count])
    buckets = Buckets(rows=bucket, starts=np.array([0, count // 3, count]) if count > 2 else np.array([0, count]))
    short = leading(rows, directions_of(rows), 32)
    found = stars(rows, Heads.of(short, np.ones(300, bool), width=32), buckets, 0.987, fresh)
    assert len(np.unique(found.member)) == len(found.member)
    assert not np.isin(found.leader, found.member).any()
    assert np.isin([*found.leader, *found.member], bucket).all()
    exact = (rows[found.leader] * rows[found.member]).sum(1) if len(found.leader) else np.empty(0)
    np.testing.assert_allclose(found.similarity, exact, atol=1e-6)
    assert (found.similarity >= 0.987).all()
    assert (np.unique(found.leader, return_counts=True)[1] >= LEAST).all()
    assert ((found.leader >= fresh) | (found.member < fresh)).all()


def test_buckets_hold_rows_that_no_plane_parts_and_their_parts_are_whole() -> None:
    rng = np.random.default_rng(0)
    rows = np.concatenate([heavy(rng, centre, 40, 0.001) for centre in noise(rng, 30)] + [noise(rng, 3000)])
    order = rng.permutation(len(rows))
    found = Buckets.of(rows[order])
    assert (np.diff(found.starts) > LEAST).all()
    sizes = {tuple(sorted(order[found.rows[one:two]] // 40)) for one, two in pairwise(found.starts)}
    assert sum(len(set(size[:40])) == 1 and size[0] < 30 for size in sizes) >= 25
    for size in (1, 100, 10_000):
        parts = [found.part(number, size) for number in range(-(-len(rows) // size))]
        assert np.array_equal(np.concatenate([part.rows for part in parts]), found.rows)
        assert sum(len(part.starts) - 1 for part in parts) == len(found.starts) - 1
        assert all(part.starts[-1] == len(part.rows) for part in parts)
    nothing = Buckets.of(noise(rng, 50)).part(0, 10)
    assert (len(nothing.rows), nothing.starts.tolist()) == (0, [0])


def test_where_the_cosine_decides_leaders_tie_more_than_they_hold() -> None:
    rng = np.random.default_rng(1)
    rows = np.concatenate([heavy(rng, noise(rng, 1)[0], 400, 0.3), noise(rng, 500)])
    found = everything(UnitRows.of(rows), COSINE, decides=True)
    tied, holding = len(found.starred), int((found.search._held_by != np.arange(len(rows))).sum())
    assert tied > holding + 50


@pytest.mark.parametrize("seed", range(3))
def test_random_heavy_groups_have_the_components_of_brute_force(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centres = noise(rng, 6)
    groups = [heavy(rng, centre, 60, 0.3) for centre in centres]
    assert_same_groups(rng.permutation(np.concatenate([*groups, planted(seed, 500)])))


@pytest.mark.parametrize("exhaustive_rows", [0, 50_000])
def test_a_row_near_a_member_and_not_near_the_leader_is_found(exhaustive_rows: int) -> None:
    """The leader is one of the tight core; the outlier is near one member at the rim alone."""
    rng = np.random.default_rng(0)
    centre, aim, *_ = noise(rng, 2)
    rim = at_angle(centre, aim, ANGLE - 0.01)
    outlier = at_angle(centre, aim, ANGLE - 0.01 + THRESHOLD - 0.01)
    vectors = np.concatenate([heavy(rng, centre, 20, 0.001), [rim, outlier], noise(rng, 380)])
    assert_same_groups(vectors, exhaustive_rows=exhaustive_rows, probes=99)
    found = everything(UnitRows.of(vectors), COSINE, decides=True, exhaustive_rows=exhaustive_rows, probes=99)
    assert (20, 21) in found.paired
    assert vectors[21] @ centre < COSINE
    assert held(found, 20)


@pytest.mark.parametrize("seed", range(4))
def test_single_link_chains_around_a_heavy_group(seed: int) -> None:
    rng = np.random.default_rng(seed)
    centre = noise(rng, 1)[0]
    arms = [
        chain(centre, aim, THRESHOLD * share, 6)
        for aim, share in zip(noise(rng, 5), (0.98, 0.9, 0.6, 0.3, 0.1), strict=True)
    ]
    vectors = np.concatenate([heavy(rng, centre, 250, 0.15), *arms, noise(rng, 200)])
    assert_same_groups(rng.permutation(vectors))
    assert_same_groups(rng.permutation(vectors), exhaustive_rows=0, probes=99)


def two_heavy_groups(seed: int) -> np.ndarray:
    """Two centres, and two members (rows 40 and 41) that alone tie their groups."""
    rng = np.random.default_rng(seed)
    one, aim = noise(rng, 2)
    apart = 2 * (ANGLE - 0.01) + THRESHOLD - 0.01
    other = at_angle(one, aim, apart)
    members = [at_angle(one, aim, ANGLE - 0.01), at_angle(one, aim, apart - ANGLE + 0.01)]
    return np.concatenate([heavy(rng, one, 20, 0.001), heavy(rng, other, 20, 0.001), members, noise(rng, 380)])


@pytest.mark.parametrize("exhaustive_rows", [0, 50_000])
def test_two_heavy_groups_that_only_two_members_tie(exhaustive_rows: int) -> None:
    both_held = 0
    for seed in range(20):
        vectors = two_heavy_groups(seed)
        assert (vectors[:20] @ vectors[20:40].T).max() < COSINE - 0.1
        assert vectors[40] @ vectors[41] > COSINE
        assert_same_groups(vectors, exhaustive_rows=exhaustive_rows, probes=99)
        found = everything(UnitRows.of(vectors), COSINE, decides=True, exhaustive_rows=exhaustive_rows, probes=99)
        if held(found, 40) and held(found, 41):
            both_held += 1
            assert (40, 41) in found.paired
    assert both_held  # planes lie in directions that another processor rounds otherwise: not every seed holds both


def test_held_members_that_only_come_near_are_not_joined() -> None:
    rng = np.random.default_rng(6)
    one, aim = noise(rng, 2)
    other = at_angle(one, aim, 2 * ANGLE + THRESHOLD - 0.005)
    vectors = np.concatenate([heavy(rng, one, 100, 0.001), heavy(rng, other, 100, 0.001)])
    found = everything(UnitRows.of(vectors), COSINE, decides=True)
    assert [len(group) for group in found.groups] == [100, 100]


def test_fifty_thousand_pairs_for_fifty_thousand_copies() -> None:
    rng = np.random.default_rng(7)
    vectors = unit(rng.normal(size=16) + 0.01 * rng.normal(size=(3000, 16)))
    found = everything(UnitRows.of(vectors), COSINE, decides=True)
    assert found.groups == [list(range(3000))]
    assert len(found.starred) + len(found.paired) < 2 * 3000


@pytest.mark.parametrize("exhaustive_rows", [0, 50_000])
@pytest.mark.parametrize("copies", [1, 20])
@pytest.mark.parametrize("tried", [1, 3])
def test_a_known_row_near_a_fresh_member_of_a_known_group(
    exhaustive_rows: int, copies: int, tried: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Known: a heavy group and one row beyond it; fresh: a member at its rim that ties them.

    With one row tried, that is the first fresh one of the cell, which holds nobody, and the first known one.
    """
    monkeypatch.setattr(_leaders, "_TRIED", tried)
    rng = np.random.default_rng(8)
    centre, aim = noise(rng, 2)
    beyond = at_angle(centre, aim, ANGLE - 0.01 + THRESHOLD - 0.01)
    rim = at_angle(centre, aim, ANGLE - 0.01)
    known = np.concatenate([heavy(rng, centre, 20, 0.001), [beyond], noise(rng, 380)])
    decoy = at_angle(centre, noise(rng, 1)[0], ANGLE + 0.05)
    vectors = np.concatenate([known, [decoy, rim], heavy(rng, centre, copies, 0.001), noise(rng, 20)])
    rows = UnitRows.of(vectors)
    config = {"exhaustive_rows": exhaustive_rows, "probes": 99, "fresh": len(known)}
    found = everything(rows, COSINE, decides=True, **config)
    wanted = groups_of([*brute(rows, COSINE, fresh=len(known)), *found.starred])
    assert found.groups == wanted
    assert held(found, 19)
    assert any({20, len(known) + 1} <= set(group) for group in found.groups)
    assert all(right >= len(known) for _, right in found.paired)
