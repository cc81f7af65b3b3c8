import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates.neighbours import HashRows, UnitRows, _bound
from scanner.duplicates.neighbours._bound import Heads, choose_width, directions_of, fast_type, leading, rounding_error
from tests.duplicates.neighbours.planted import planted, unit

KINDS = [torch.float32, torch.bfloat16, torch.float16]


@pytest.fixture(params=KINDS, ids=str)
def kind(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> torch.dtype:
    monkeypatch.setattr(_bound, "fast_type", lambda: request.param)
    return request.param


def heads_of(rows: UnitRows | HashRows, width: int, directions: np.ndarray | None = None) -> Heads:
    first = leading(rows, directions_of(rows) if directions is None else directions, width)
    return Heads.of(first, rows.nonzero(slice(None)), width=width)


def _short_of(heads: Heads, rows: UnitRows | HashRows) -> float:
    """By how much a bound is below the true cosine at worst."""
    every = slice(0, len(rows))
    exact = rows[:].astype(np.float64)
    return float((exact @ exact.T - heads.bounds(every, every)).max())


@pytest.mark.parametrize("steep", [0.0, 0.5, 2.0, 6.0])
@pytest.mark.parametrize("width", [4, 32, 64])
def test_no_bound_is_below_the_cosine(kind: torch.dtype, steep: float, width: int) -> None:
    for seed in range(3):
        rows = UnitRows.of(planted(seed, 300, steep=steep))
        heads = heads_of(rows, width)
        assert heads.values.dtype == kind
        assert _short_of(heads, rows) <= 0


@pytest.mark.usefixtures("kind")
def test_no_bound_is_below_the_cosine_of_hashes() -> None:
    hashes = np.random.default_rng(0).integers(0, 2**64, 300, np.uint64)
    rows = HashRows(np.concatenate([hashes, hashes ^ np.uint64(5), np.array([0, 2**64 - 1], np.uint64)]))
    assert _short_of(heads_of(rows, 32), rows) <= 0


@pytest.mark.usefixtures("kind")
def test_no_bound_is_below_the_cosine_when_all_numbers_are_rounded_down() -> None:
    """Every coordinate lies just under the middle between two numbers of bfloat16, where rounding takes most."""
    shared, angle = np.full((1, 222), (1 + 2.0**-8 - 2.0**-14) / 16), np.linspace(0, np.pi, 120)
    own = np.sqrt(1 - (shared**2).sum()) * np.stack([np.cos(angle), np.sin(angle)], axis=1)
    rows = UnitRows.of(np.concatenate([np.repeat(shared, 120, axis=0), own], axis=1).astype(np.float32))
    heads = heads_of(rows, 256, np.eye(224, dtype=np.float32))
    assert _short_of(heads, rows) <= 0


@pytest.mark.usefixtures("kind")
def test_no_bound_is_below_the_cosine_when_the_head_holds_nearly_all() -> None:
    rng = np.random.default_rng(1)
    short = np.pad(rng.normal(size=(200, 29)), ((0, 0), (0, 100)))
    thin = unit(short + 3e-4 * np.pad(np.abs(rng.normal(size=(200, 100))), ((0, 0), (29, 0))))
    rest = unit(np.pad(np.abs(rng.normal(size=(50, 100))), ((0, 0), (29, 0))))
    rows = UnitRows.of(np.concatenate([thin, rest]))
    heads = heads_of(rows, 32, np.eye(129, dtype=np.float32))
    assert _short_of(heads, rows) <= 0


@settings(max_examples=20, deadline=None)
@given(st.integers(0, 10**6), st.floats(0.001, 0.5), st.sampled_from(KINDS))
def test_slack_is_added_for_each_end(seed: int, slack: float, kind: torch.dtype) -> None:
    rows = UnitRows.of(planted(seed, 60))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_bound, "fast_type", lambda: kind)
        heads = heads_of(rows, 32)
    every = slice(0, 60)
    before = heads.bounds(every, every)
    lowered = np.random.default_rng(seed).permutation(60)[:20]
    heads.lower(lowered, slack)
    times = np.isin(np.arange(60), lowered)[:, None].astype(float) + np.isin(np.arange(60), lowered)
    exact = rows[:].astype(np.float64)
    assert (heads.bounds(every, every) >= exact @ exact.T + slack * times).all()
    assert np.abs(heads.bounds(every, every) - before - slack * times).max() < 0.02
    assert np.array_equal(heads.bounds(lowered, every), heads.bounds(every, every)[lowered])
    assert not heads.values[-1].any()


def test_directions_are_orthonormal_and_the_strongest_come_first() -> None:
    rows = UnitRows.of(planted(0, 2000, steep=1.0))
    directions = directions_of(rows)
    np.testing.assert_allclose(directions.T @ directions, np.eye(48), atol=1e-5)
    strength = ((rows[:] @ directions) ** 2).sum(0)
    assert (np.diff(strength) <= 1e-3).all()


def test_a_flat_spectrum_wants_a_wider_head() -> None:
    widths = []
    for steep in (1.5, 0.0):
        rows = UnitRows.of(planted(0, 1500, width=512, steep=steep, copied=0.1))
        widths.append(choose_width(rows, directions_of(rows), 0.6, share=1.0))
    assert widths[0] < widths[1]


def test_the_type_of_number_is_the_one_of_least_time(monkeypatch: pytest.MonkeyPatch) -> None:
    for fastest in KINDS:
        monkeypatch.setattr(_bound, "_seconds", lambda kind, fastest=fastest: 1.0 + (kind != fastest))
        assert fast_type.__wrapped__() == fastest


def test_every_type_of_number_can_be_timed() -> None:
    assert all(0 < _bound._seconds(kind) < 10 for kind in KINDS)
    assert rounding_error(torch.float32) < rounding_error(torch.float16) < rounding_error(torch.bfloat16)


@pytest.mark.usefixtures("kind")
def test_bounds_of_pairs_are_those_of_all() -> None:
    rows = UnitRows.of(planted(0, 80))
    heads, (left, right) = heads_of(rows, 32), np.indices((80, 80)).reshape(2, -1)
    heads.lower(np.arange(0, 80, 7), 0.05)
    exact = (rows[:].astype(np.float64) @ rows[:].T.astype(np.float64)).ravel()
    slack = 0.05 * ((left % 7 == 0).astype(float) + (right % 7 == 0))
    assert (heads.pair_bounds(left, right) >= exact + slack).all()
    assert np.abs(heads.pair_bounds(left, right) - heads.bounds(slice(0, 80), slice(0, 80)).ravel()).max() < 0.02


def test_the_width_is_chosen_by_pairs_that_are_no_neighbours() -> None:
    """Heavy groups of near copies must not hide how many unlike pairs a narrow bound lets through."""
    rng = np.random.default_rng(0)
    topics = rng.normal(size=(20, 128))
    unlike = topics[rng.integers(0, 20, 3000)] + 0.8 * rng.normal(size=(3000, 128))
    heavy = np.repeat(rng.normal(size=(1, 128)), 3000, 0) + 0.01 * rng.normal(size=(3000, 128))
    alone, both = (UnitRows.of(stored.astype(np.float32)) for stored in (unlike, np.concatenate([unlike, heavy])))
    directions = directions_of(alone)
    widths = [choose_width(rows, directions, 0.85, share=0.05) for rows in (alone, both)]
    assert widths[0] == widths[1] > 32
