import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from scanner.duplicates._propose import Proposer
from scanner.duplicates.neighbours import NeighbourConfig, UnitRows


def _set(seed: int, rows: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    vectors = rng.normal(size=(rows, 3)).astype(np.float32)
    hashes = rng.integers(0, 2**64, 4, dtype=np.uint64)[rng.integers(0, 4, rows)]
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True), hashes ^ (
        rng.integers(0, 2**12, rows, dtype=np.uint64)
    )


def _every(left: np.ndarray, right: np.ndarray) -> np.ndarray:  # noqa: ARG001
    return np.ones(len(left), bool)


@settings(max_examples=60, deadline=None)
@given(
    st.integers(0, 1000),
    st.integers(0, 40),
    st.integers(1, 12),
    st.sampled_from([0.5, 0.9, 1.0]),
    st.integers(0, 6),
    st.sampled_from([0, 1000]),
)
def test_same_pairs_as_brute_force(seed: int, rows: int, block: int, cosine: float, bits: int, exhaustive: int) -> None:
    vectors, hashes = _set(seed, rows)
    config = NeighbourConfig(block_rows=block, exhaustive_rows=exhaustive, probes=rows + 1)
    proposer = Proposer(UnitRows.of(vectors), hashes, cosine=cosine, bits=bits, config=config)
    found = [
        (int(left), int(right), float(similarity), int(distance))
        for name in proposer.parts
        if "leaders" not in name
        for part in proposer.propose(name, _every)
        for left, right, similarity, distance in zip(
            part.left, part.right, part.similarity, part.hash_distance, strict=True
        )
    ]
    cosines = vectors @ vectors.T
    sure = [
        (left, right)
        for left in range(rows)
        for right in range(left + 1, rows)
        if cosines[left, right] >= cosine + 1e-6 or int(hashes[left] ^ hashes[right]).bit_count() <= bits
    ]
    assert len({pair[:2] for pair in found}) == len(found)
    assert {pair[:2] for pair in found} >= set(sure)
    for left, right, similarity, distance in found:
        assert similarity == pytest.approx(float(cosines[left, right]), abs=1e-5)
        assert distance == int(hashes[left] ^ hashes[right]).bit_count()
        assert similarity >= cosine or distance <= bits
