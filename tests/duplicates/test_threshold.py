import numpy as np
import pytest

from scanner.duplicates import DuplicatesConfig, choose_threshold
from scanner.errors import UnusableInputError


def _unlike(rows: int, width: int = 24, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(rows, width)).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors, rng.integers(0, 2**64, rows, dtype=np.uint64)


def test_the_stated_share_of_unlike_pairs_reaches_it() -> None:
    vectors, hashes = _unlike(1500)
    found = choose_threshold(vectors, hashes, DuplicatesConfig(candidates_per_row=3), whitened=True)
    assert found.rate == pytest.approx(3 / 1500)
    cosines = (vectors @ vectors.T)[np.triu_indices(1500, 1)]
    assert (cosines >= found.cosine).mean() == pytest.approx(found.rate, rel=0.05)
    assert found.unlike_pairs == 1500 * 1499 // 2
    assert f"{found.cosine:.3f}" in found.note


@pytest.mark.parametrize("hashed_alike", [True, False])
def test_duplicates_in_the_set_do_not_raise_it(hashed_alike: bool) -> None:
    vectors, hashes = _unlike(1500)
    clean = choose_threshold(vectors, hashes, DuplicatesConfig(), whitened=True)
    rng = np.random.default_rng(5)
    copies = vectors[rng.integers(0, 3, 500)] + rng.normal(size=(500, 24)).astype(np.float32) * 0.04
    copies /= np.linalg.norm(copies, axis=1, keepdims=True)
    copied = np.full(500, hashes[0]) if hashed_alike else rng.integers(0, 2**64, 500, dtype=np.uint64)
    both = np.concatenate([vectors, copies]), np.concatenate([hashes, copied])
    found = choose_threshold(*both, DuplicatesConfig(), whitened=True)
    assert (both[0] @ both[0].T >= 0.9).mean() > 0.01
    assert found.left_out >= 500 - (not hashed_alike) * 20
    assert found.cosine == pytest.approx(clean.cosine, abs=0.01)


def test_reproducible_and_decided_by_the_seed() -> None:
    vectors, hashes = _unlike(4000)
    one, again, other = (
        choose_threshold(vectors, hashes, DuplicatesConfig(seed=seed), whitened=True) for seed in (1, 1, 2)
    )
    assert one == again
    assert one.measured != other.measured
    assert one.cosine == pytest.approx(other.cosine, abs=0.01)


def test_inside_the_bounds() -> None:
    vectors, hashes = _unlike(400, width=3)
    assert 0.7 < choose_threshold(vectors, hashes, DuplicatesConfig(), whitened=True).cosine <= 0.8
    vectors, hashes = _unlike(400, width=2000)
    assert choose_threshold(vectors, hashes, DuplicatesConfig(), whitened=True).cosine == 0.15
    assert choose_threshold(vectors, hashes, DuplicatesConfig(), whitened=False).cosine == 0.6


@pytest.mark.parametrize("rows", [0, 1])
def test_without_a_pair_the_lower_bound(rows: int) -> None:
    found = choose_threshold(*_unlike(rows), DuplicatesConfig(), whitened=True)
    assert (found.cosine, found.measured, found.unlike_pairs) == (0.15, None, 0)


def test_the_given_one_is_taken() -> None:
    found = choose_threshold(*_unlike(10), DuplicatesConfig(threshold=1.0), whitened=True)
    assert (found.cosine, found.note) == (1.0, "cosine 1.000 as given")


@pytest.mark.parametrize("threshold", [0.0, -0.5, 1.01, float("nan")])
def test_no_cosine_is_refused(threshold: float) -> None:
    with pytest.raises(UnusableInputError, match="is no cosine"):
        DuplicatesConfig(threshold=threshold)


@pytest.mark.parametrize("field", ["candidates_per_row", "looks_per_row", "block_rows"])
def test_a_search_without_work_is_refused(field: str) -> None:
    with pytest.raises(UnusableInputError, match="1 or more"):
        DuplicatesConfig(**{field: 0})


def test_impossible_hash_distance_is_refused() -> None:
    with pytest.raises(UnusableInputError, match="0 to 64"):
        DuplicatesConfig(hash_distance=65)
