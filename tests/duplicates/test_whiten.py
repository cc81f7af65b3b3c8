import numpy as np
import pytest

from scanner.duplicates import DuplicatesConfig, whiten
from scanner.errors import UnusableInputError

CONFIG = DuplicatesConfig(whiten_min_rows=100)


def _vectors(rows: int = 4000, width: int = 40) -> np.ndarray:
    rng = np.random.default_rng(0)
    spectrum = (1 + np.arange(width)) ** -0.7
    raw = rng.normal(size=(rows, width)) * spectrum + 0.8
    return raw / np.linalg.norm(raw, axis=1, keepdims=True)


def test_whitened_directions_are_orthonormal() -> None:
    vectors = _vectors()
    found = whiten(vectors, np.arange(len(vectors)), CONFIG)
    assert found.whitened
    assert found.dims == 40
    covariance = found.vectors.T @ found.vectors / len(vectors)
    assert np.abs(covariance * found.dims - np.eye(found.dims)).max() < 0.1
    assert np.allclose(np.linalg.norm(found.vectors.astype(np.float32), axis=1), 1, atol=1e-3)


def test_unrelated_rows_lose_what_they_share() -> None:
    vectors = _vectors()
    raw, white = (rows[:2000] @ rows[2000:].T for rows in (vectors, whiten(vectors, np.arange(4000), CONFIG).vectors))
    assert raw.mean() > 0.5
    assert abs(white.mean()) < 0.02


def test_dimensions_follow_the_rows_and_the_rank() -> None:
    vectors = _vectors(200)
    assert whiten(vectors, np.arange(160), CONFIG).dims == 160 // CONFIG.whiten_rows_per_dim
    flat = vectors.copy()
    flat[:, 5:] = 0
    assert whiten(flat, np.arange(200), CONFIG).dims <= 5


@pytest.mark.parametrize("rows", [0, 1, 50])
def test_few_rows_are_left_as_they_are(rows: int) -> None:
    vectors = _vectors(100).astype(np.float16)
    found = whiten(vectors, np.arange(rows), CONFIG)
    assert not found.whitened
    assert "fewer than 100" in found.note
    assert found.vectors.shape == (rows, 40)
    assert np.allclose(found.vectors, vectors[:rows], atol=2e-3)


def test_equal_rows_are_left_as_they_are() -> None:
    vectors = np.tile(_vectors(1), (300, 1))
    found = whiten(vectors, np.arange(300), CONFIG)
    assert not found.whitened
    assert np.allclose(found.vectors @ found.vectors[0], 1, atol=1e-5)


def test_zero_rows_are_like_no_other() -> None:
    vectors = _vectors()
    vectors[[3, 9]] = 0
    found = whiten(vectors, np.arange(len(vectors)), CONFIG)
    assert not found.vectors[[3, 9]].any()
    assert np.isfinite(found.vectors).all()


def test_only_the_named_rows_count(tmp_path: pytest.TempPathFactory) -> None:
    vectors = _vectors(1200).astype(np.float16)
    path = f"{tmp_path}/vectors.npy"
    np.save(path, vectors)
    rows = np.arange(0, 1200, 3)
    mapped = whiten(np.load(path, mmap_mode="r"), rows, CONFIG)
    assert np.array_equal(mapped.vectors, whiten(vectors[rows], np.arange(len(rows)), CONFIG).vectors)


@pytest.mark.parametrize("value", [np.nan, np.inf])
@pytest.mark.parametrize("rows", [20, 400])
def test_values_that_are_no_numbers_are_refused(value: float, rows: int) -> None:
    vectors = _vectors(rows)
    vectors[7, 2] = value
    with pytest.raises(UnusableInputError, match="NaN or infinite"):
        whiten(vectors, np.arange(rows), CONFIG)
