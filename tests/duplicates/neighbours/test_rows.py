import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates.neighbours import HashRows, UnitRows, cosines
from scanner.errors import UnusableInputError


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 10**6), st.integers(0, 40), st.integers(1, 70), st.sampled_from([np.float16, np.float32]))
def test_same_as_dividing_by_the_length(seed: int, count: int, width: int, kind: type) -> None:
    rng = np.random.default_rng(seed)
    stored = (rng.normal(size=(count, width)) * rng.uniform(0.1, 30, (count, 1))).astype(kind)
    stored[rng.random(count) < 0.2] = 0
    before = stored.copy()
    positions = rng.permutation(count)[: rng.integers(0, count + 1)] if seed % 2 else None
    rows = UnitRows.of(stored, positions)
    wanted = (stored if positions is None else stored[positions]).astype(np.float64)
    length = np.linalg.norm(wanted, axis=1, keepdims=True)
    wanted = np.divide(wanted, length, out=np.zeros_like(wanted), where=length > 0)
    assert (len(rows), rows.width, rows[:].dtype) == (len(wanted), width, np.float32)
    np.testing.assert_allclose(rows[:], wanted, atol=1e-6)
    which = rng.integers(0, max(len(rows), 1), 5 if len(rows) else 0)
    np.testing.assert_array_equal(rows[which], rows[:][which])
    np.testing.assert_allclose(
        cosines(rows, which, which[::-1]), (wanted[which] * wanted[which[::-1]]).sum(1), atol=1e-6
    )
    assert np.array_equal(stored, before)


def test_rows_of_a_memory_mapped_file(tmp_path) -> None:
    stored = np.random.default_rng(0).normal(size=(20_000, 8)).astype(np.float16)
    np.save(tmp_path / "vectors.npy", stored)
    mapped, plain = UnitRows.of(np.load(tmp_path / "vectors.npy", mmap_mode="r")), UnitRows.of(stored)
    for which in (slice(3, 9), slice(None), np.array([19_999, 0, 7])):
        assert np.array_equal(mapped[which], plain[which])


def test_all_positions_in_order_are_all_rows() -> None:
    assert UnitRows.of(np.eye(4, dtype=np.float32), np.arange(4)).positions is None


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_values_that_are_no_numbers_are_refused(value: float) -> None:
    stored = np.ones((9000, 3), np.float16)
    stored[8500, 1] = value
    with pytest.raises(UnusableInputError, match="NaN"):
        UnitRows.of(stored)
    assert len(UnitRows.of(stored, np.arange(100))) == 100


def test_cosine_of_hashes_is_their_hamming_distance_exactly() -> None:
    rng = np.random.default_rng(0)
    hashes = np.concatenate([rng.integers(0, 2**64, 200, np.uint64), np.array([0, 2**64 - 1, 1], np.uint64)])
    flips = np.array([1 << int(bit) for bit in rng.integers(0, 64, 200)], np.uint64)
    hashes = np.concatenate([hashes, hashes[:200] ^ flips])
    left, right = (side.ravel() for side in np.indices((len(hashes), len(hashes))))
    differ = np.bitwise_count(hashes[left] ^ hashes[right]).astype(int)
    found = cosines(HashRows(hashes), left, right)
    assert np.array_equal(found, 1 - differ / 32)
    for bits in (0, 1, 8, 31):
        assert np.array_equal(found >= 1 - 2 * bits / 64, differ <= bits)
