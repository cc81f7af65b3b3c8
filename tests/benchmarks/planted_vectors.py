"""Synthetic LAION-like embeddings with planted duplicate groups, written chunk by chunk.

    python -m tests.benchmarks.planted_vectors ROWS OUT_DIR [EXTRA_COPIES]

Writes vectors.npy (float16, ROWS × 512, unit length) and group.npy (int64, −1: not duplicated). A fifth of the rows are
copies; group sizes follow a Zipf law (1.8) up to 20,000. A copy lies within 0.15 of its original's norm; unrelated rows
have a mean cosine of 0.27 and topics raise some of them to 0.7, as CLIP embeddings do; the spectrum falls like
(1 + i)^−0.5. With EXTRA_COPIES, so many copies of one more original follow as the last rows, and the others stay the
same. What is held is a chunk, the topics and one original for each group.
"""

import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

DIMENSIONS = 512
CHUNK = 50_000
LARGEST = 20_000
_TOPIC_ROWS = 100
"""Rows for each topic."""


@dataclass(frozen=True, kw_only=True)
class World:
    """What all rows are drawn from."""

    spectrum: NDArray[np.float32]
    """(d,): standard deviation along each direction."""
    rotation: NDArray[np.float32]
    """(d, d)"""
    topics: NDArray[np.float32]
    """(t, d)"""
    cone: NDArray[np.float32]
    """(d,): what all rows have in common."""

    @classmethod
    def of(cls, rows: int, seed: int) -> "World":
        rng = np.random.default_rng([seed, 0])
        spectrum = ((1 + np.arange(DIMENSIONS)) ** -0.5).astype(np.float32)
        rotation = np.linalg.qr(rng.standard_normal((DIMENSIONS, DIMENSIONS)))[0].astype(np.float32)
        topics = rng.standard_normal((max(rows // _TOPIC_ROWS, 1), DIMENSIONS), np.float32) * spectrum
        cone = np.sqrt((spectrum**2).sum() * 0.35 / DIMENSIONS) * np.sign(rng.standard_normal(DIMENSIONS))
        return cls(spectrum=spectrum, rotation=rotation, topics=topics, cone=cone.astype(np.float32))

    def originals(self, rng: np.random.Generator, count: int) -> NDArray[np.float32]:
        """Rows before they are turned."""
        topic = self.topics[rng.integers(0, len(self.topics), count)]
        own = rng.standard_normal((count, DIMENSIONS), np.float32) * self.spectrum
        return np.float32(0.7) * (topic + own) + self.cone

    def copies(self, rng: np.random.Generator, originals: NDArray[np.float32]) -> NDArray[np.float32]:
        """One copy of each."""
        shift = rng.standard_normal(originals.shape, np.float32) * self.spectrum
        length = np.linalg.norm(originals, axis=1) * rng.uniform(0, 0.15, len(originals))
        return originals + shift * (length / np.linalg.norm(shift, axis=1))[:, None].astype(np.float32)

    def stored(self, rows: NDArray[np.float32]) -> NDArray[np.float16]:
        turned = rows @ self.rotation
        return (turned / np.linalg.norm(turned, axis=1, keepdims=True)).astype(np.float16)


def planted_groups(rows: int, seed: int) -> NDArray[np.int64]:
    """(rows,): the planted group of each, −1 for the four fifths that are not copied."""
    rng = np.random.default_rng([seed, 1])
    group, order, used, number = np.full(rows, -1), rng.permutation(rows), 0, 0
    while used < rows // 5:
        size = int(min(rows // 5 - used, max(2, rng.zipf(1.8)), LARGEST))
        group[order[used : used + size]] = number
        used, number = used + size, number + 1
    return group


def chunks(group: NDArray[np.int64], extra: int, seed: int) -> Iterator[NDArray[np.float16]]:
    """The stored rows, then the extra copies."""
    world = World.of(len(group), seed)
    originals = world.originals(np.random.default_rng([seed, 2]), int(group.max(initial=-1)) + 1)
    for start in range(0, len(group), CHUNK):
        rng, part = np.random.default_rng([seed, 3, start]), group[start : start + CHUNK]
        rows = world.originals(rng, len(part))
        rows[part >= 0] = world.copies(rng, originals[part[part >= 0]])
        yield world.stored(rows)
    rng = np.random.default_rng([seed, 4])
    original = world.originals(rng, 1)
    for start in range(0, extra, CHUNK):
        yield world.stored(world.copies(rng, np.repeat(original, min(CHUNK, extra - start), axis=0)))


def write(folder: Path, rows: int, *, extra: int = 0, seed: int = 0) -> None:
    """vectors.npy and group.npy in a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    group = planted_groups(rows, seed)
    header = {"descr": "<f2", "fortran_order": False, "shape": (rows + extra, DIMENSIONS)}
    with (folder / "vectors.npy").open("wb") as file:
        np.lib.format.write_array_header_1_0(file, header)
        for chunk in chunks(group, extra, seed):
            file.write(chunk.data)
    np.save(folder / "group.npy", np.concatenate([group, np.full(extra, group.max(initial=-1) + 1)]))


if __name__ == "__main__":
    write(Path(sys.argv[2]), int(sys.argv[1]), extra=int(sys.argv[3]) if len(sys.argv) > 3 else 0)
