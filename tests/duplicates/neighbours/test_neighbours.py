import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates.neighbours import HashRows, NeighbourConfig, Neighbours, UnitRows, _neighbours, _screen
from tests.duplicates.neighbours.planted import brute, everything, groups_of, planted, unit

COSINES = [0.999, 0.95, 0.7, 0.3]


def assert_pairs(found, wanted: dict[tuple[int, int], float], cosine: float) -> None:
    """Each pair once and no other, but for those that rounding puts on either side of the threshold."""
    assert len(found.paired) == len(set(found.paired))
    assert all(left < right for left, right in found.paired)
    missed = [pair for pair in wanted.keys() - set(found.paired) if wanted[pair] >= cosine + 1e-6]
    assert not missed
    for pair, similarity in zip(found.paired, found.similarity, strict=True):
        assert similarity >= np.float32(cosine)
        assert pair in wanted or similarity < cosine + 1e-6
        assert abs(wanted.get(pair, similarity) - similarity) < 1e-6


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6), count=st.integers(0, 200), cosine=st.sampled_from(COSINES),
    block_rows=st.sampled_from([1, 7, 64, 1024]), fresh=st.integers(0, 200), across=st.booleans(), whole=st.booleans(),
)  # fmt: skip
def test_same_pairs_as_brute_force(seed, count, cosine, block_rows, *, fresh, across, whole) -> None:
    rows = UnitRows.of(planted(seed, count, steep=seed % 3 / 2))
    fresh = min(fresh, count)
    config = {"fresh": fresh, "across": across, "block_rows": block_rows}
    config |= {} if whole else {"exhaustive_rows": 0, "probes": 99}
    found = everything(rows, cosine, hold=False, close=False, **config)
    assert_pairs(found, brute(rows, cosine, fresh=fresh, across=across), cosine)


@pytest.mark.parametrize("decides", [False, True])
@pytest.mark.parametrize("whole", [False, True])
def test_stars_and_pairs_give_no_pair_twice(whole: bool, decides: bool) -> None:
    rows = UnitRows.of(planted(3, 1500, near=0.2, copied=0.9))
    search = Neighbours(rows, 0.95, NeighbourConfig(exhaustive_rows=9999 if whole else 0, probes=99, decides=decides))
    pairs = []
    for part in search.star_parts:
        found = search.stars(part)
        assert len(found.leader)
        search.hold(found, np.random.default_rng(0).random(len(found.leader)) < 0.6)
        pairs += zip(
            np.minimum(found.leader, found.member).tolist(),
            np.maximum(found.leader, found.member).tolist(),
            strict=True,
        )
    held = {int(row) for row in np.flatnonzero(search._held_by != np.arange(1500))}
    for part in search.pair_parts:
        for found in search.pairs(part, lambda left, _: np.ones(len(left), bool)):
            pairs += zip(found.left.tolist(), found.right.tolist(), strict=True)
    assert len(pairs) == len(set(pairs))
    live = {pair for pair, cosine in brute(rows, 0.95).items() if cosine > 0.95001 and not held & set(pair)}
    assert live <= set(pairs)


def test_closed_pairs_are_not_given() -> None:
    rows = UnitRows.of(planted(1, 500))
    search = Neighbours(rows, 0.9)
    for part in search.pair_parts:
        assert not sum(len(found) for found in search.pairs(part, lambda left, _: np.zeros(len(left), bool)))


def test_joining_as_one_goes_gives_the_same_groups_with_fewer_pairs() -> None:
    rows = UnitRows.of(planted(2, 2000, copied=0.7))
    open_throughout = everything(rows, 0.9, hold=False, close=False)
    closing = everything(rows, 0.9, hold=False)
    assert closing.groups == open_throughout.groups == groups_of(list(brute(rows, 0.9)))
    assert len(closing.paired) < len(open_throughout.paired)


@pytest.mark.parametrize("whole", [False, True])
def test_heavy_groups_are_not_compared_with_themselves(whole: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Groups too loose to be held by a leader: components are the same, and far fewer pairs are looked at."""
    rng = np.random.default_rng(3)
    centres = np.repeat(unit(rng.normal(size=(3, 128))), 700, axis=0)
    loose = unit(centres + 0.35 * unit(rng.normal(size=(2100, 128))))
    rows = UnitRows.of(rng.permutation(np.concatenate([loose, unit(rng.normal(size=(900, 128)))])))
    looked = []
    original = _neighbours.survivors

    def counted(*arguments):
        for query, member in original(*arguments):
            looked[-1] += len(query)
            yield query, member

    monkeypatch.setattr(_neighbours, "survivors", counted)
    monkeypatch.setattr(_screen, "_AT_ONCE", 2000)
    monkeypatch.setattr(_neighbours, "_CELLS", 0.2)
    groups = []
    for told in (False, True):
        looked.append(0)
        config = {"exhaustive_rows": 50_000 if whole else 0, "probes": 99, "decides": True, "block_rows": 128}
        groups.append(everything(rows, 0.86, told=told, **config).groups)
    assert groups[0] == groups[1] == groups_of(list(brute(rows, 0.86)))
    assert looked[1] < 0.6 * looked[0]


def test_hashes_by_their_hamming_distance() -> None:
    rng = np.random.default_rng(4)
    hashes = rng.integers(0, 2**64, 300, np.uint64)
    flips = np.bitwise_or.reduce(np.uint64(1) << rng.integers(0, 64, (300, 10)).astype(np.uint64), axis=1)
    hashes = np.concatenate([hashes, hashes ^ flips, hashes[:50]])
    for bits in (0, 4, 8, 12):
        found = everything(HashRows(hashes), 1 - bits / 32, hold=False, close=False)
        left, right = np.triu_indices(len(hashes), 1)
        near = np.bitwise_count(hashes[left] ^ hashes[right]) <= bits
        assert sorted(found.paired) == list(zip(left[near].tolist(), right[near].tolist(), strict=True))


@pytest.fixture(scope="module")
def many() -> UnitRows:
    """Distinct rows and copies of some of them, in groups of up to two hundred."""
    rng = np.random.default_rng(9)
    spectrum = (1 + np.arange(96)) ** -0.5
    originals = unit(rng.normal(size=(2500, 96)) * spectrum)
    shown = np.repeat(np.arange(2500), np.minimum(rng.zipf(2.2, 2500), 200))
    shift = unit(rng.normal(size=(len(shown), 96)) * spectrum) * rng.uniform(0, 0.15, (len(shown), 1))
    return UnitRows.of(unit(originals[shown] + shift.astype(np.float32)).astype(np.float16))


def test_twelve_probes_find_all_planted_groups(many: UnitRows) -> None:
    found = everything(many, 0.95, exhaustive_rows=0, probes=12, decides=True, part_rows=1000)
    assert len(found.search.pair_parts) > 1
    assert found.groups == groups_of(list(brute(many, 0.95)))
    again = everything(many, 0.95, exhaustive_rows=0, probes=12, decides=True, part_rows=1000)
    assert (found.starred, found.paired, found.similarity) == (again.starred, again.paired, again.similarity)


def test_known_rows_are_not_compared_again(many: UnitRows) -> None:
    fresh = len(many) - 1000
    for across in (False, True):
        found = everything(
            many, 0.95, exhaustive_rows=0, fresh=fresh, across=across, hold=False, close=False, part_rows=1000
        )
        wanted = brute(many, 0.95, fresh=fresh, across=across)
        assert all(right >= fresh and (left < fresh or not across) for left, right in found.paired)
        assert len(wanted.keys() - set(found.paired)) <= 1e-3 * len(wanted)
        assert not across or not found.search.star_parts


def test_compared_pairs_are_those_that_the_parts_give(many: UnitRows) -> None:
    found = everything(many, 0.9, exhaustive_rows=0, probes=1, hold=False, close=False)
    left, right = np.array(list(brute(many, 0.9))).T
    given = set(found.paired)
    wanted = [pair in given for pair in zip(left.tolist(), right.tolist(), strict=True)]
    assert found.search.compares(left, right).tolist() == wanted
    assert 0.9 < np.mean(wanted) < 1


BOTH = pytest.mark.parametrize("exhaustive_rows", [0, 50_000])


@BOTH
@pytest.mark.parametrize("cosine", [1e-6, 0.95, 1.0])
def test_all_rows_equal(exhaustive_rows: int, cosine: float) -> None:
    one = np.random.default_rng(0).normal(size=(1, 40)).astype(np.float16)
    found = everything(UnitRows.of(np.repeat(one, 2000, axis=0)), cosine, exhaustive_rows=exhaustive_rows, decides=True)
    assert found.groups == [list(range(2000))]
    assert len(found.starred) + len(found.paired) < 2 * 2000


@BOTH
def test_equal_rows_among_others_at_a_threshold_of_one(exhaustive_rows: int) -> None:
    vectors = np.random.default_rng(1).normal(size=(400, 100)).astype(np.float32)
    vectors = np.concatenate([vectors, 3 * vectors[:100]])
    found = everything(UnitRows.of(vectors), 1.0, exhaustive_rows=exhaustive_rows, probes=99)
    assert found.groups == [[row, row + 400] for row in range(100)]


@BOTH
@pytest.mark.parametrize("cosine", [1e-6, 0.95, 1.0])
def test_no_two_rows_alike(exhaustive_rows: int, cosine: float) -> None:
    found = everything(
        UnitRows.of(np.eye(300, dtype=np.float32)), cosine, exhaustive_rows=exhaustive_rows, decides=True
    )
    assert not found.paired
    assert not found.starred


@BOTH
@pytest.mark.parametrize("cosine", [1e-6, 0.95])
def test_zero_rows_are_like_no_other(exhaustive_rows: int, cosine: float) -> None:
    vectors = np.zeros((500, 20), np.float16)
    assert not everything(UnitRows.of(vectors), cosine, exhaustive_rows=exhaustive_rows, decides=True).groups
    vectors[[3, 400], 5] = 1
    found = everything(UnitRows.of(vectors), cosine, exhaustive_rows=exhaustive_rows, decides=True)
    assert found.groups == [[3, 400]]


@BOTH
@pytest.mark.parametrize("count", [0, 1, 2, 3])
def test_hardly_any_rows(exhaustive_rows: int, count: int) -> None:
    rows = UnitRows.of(np.ones((count, 7), np.float32))
    found = everything(rows, 0.95, exhaustive_rows=exhaustive_rows)
    assert found.groups == ([list(range(count))] if count > 1 else [])
    assert found.search.compares(np.empty(0, np.int64), np.empty(0, np.int64)).tolist() == []


def test_one_number_a_row() -> None:
    rows = UnitRows.of(np.array([[2], [-3], [1], [0]], np.float16))
    assert everything(rows, 0.95).groups == [[0, 2]]
