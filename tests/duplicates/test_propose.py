import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates import _propose
from scanner.duplicates._propose import propose


def _set(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(rows, 3)).astype(np.float32)
    hashes = rng.integers(0, 2**64, 4, dtype=np.uint64)[rng.integers(0, 4, rows)]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), hashes ^ (
        rng.integers(0, 2**12, rows, dtype=np.uint64)
    )


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 1000), st.integers(0, 40), st.integers(1, 12), st.sampled_from([0.5, 0.9, 1.5]), st.integers(-1, 6)
)
def test_same_pairs_as_brute_force(seed: int, rows: int, block: int, cosine: float, bits: int) -> None:
    vectors, hashes = _set(seed, rows)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_propose, "TILE", 7)
        found = [
            (int(left), int(right), float(similarity), int(distance))
            for start in range(0, rows, block)
            for part in propose(vectors, hashes, range(start, min(start + block, rows)), cosine=cosine, bits=bits)
            for left, right, similarity, distance in zip(
                part.left, part.right, part.similarity, part.hash_distance, strict=True
            )
        ]
    expected = [
        (left, right)
        for left in range(rows)
        for right in range(left + 1, rows)
        if vectors[left] @ vectors[right] >= cosine or int(hashes[left] ^ hashes[right]).bit_count() <= bits
    ]
    assert sorted(pair[:2] for pair in found) == expected
    for left, right, similarity, distance in found:
        assert similarity == pytest.approx(float(vectors[left] @ vectors[right]), abs=1e-5)
        assert distance == int(hashes[left] ^ hashes[right]).bit_count()
