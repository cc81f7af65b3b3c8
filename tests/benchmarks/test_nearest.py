"""The nearest original among a million thumbnails: equal to brute force on every query, and how much faster.

    make bench

A million pictures of 32 × 32, made of the demo's drawings and of scenes like photographs by crops, mirrors, blends,
other colours and contrast, so that thumbnails are the pictures and brute force has no more to read than the index.
500 queries: a third copies of some row with noise, a third made like the rows but not among them, a third scenes of
their own. Brute force reads the memory-mapped rows tile by tile, brings them to floats at equal mean and contrast and
multiplies them with all queries, in float32, by the same threads; its time is printed as a whole and for the products
with their maxima alone.

Asked are the nearest row within the verdict's distance (which is what a verdict needs), within the radius of the
attack's search, and however far. The bar of a twentieth is held against the whole of brute force, for all three.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pytest
import torch

from scanner.attack import as_unit, l2, normalise
from scanner.demo import demo_pictures
from scanner.samples import decode
from scanner.targets import Transform
from scanner.verify import NORMALISED_CEILING, Blocks, Originals
from scanner.verify._nearest import UNLIMITED
from scanner.verify._originals import RADIUS
from tests.benchmarks._scenes import scene
from tests.benchmarks.test_demo import say

pytestmark = pytest.mark.bench
SIZE, WIDE, ROWS, THIRD, PART, SHARDS = 32, 48, 1_000_000, 167, 10_000, 10
SCENES = 250


def bases() -> np.ndarray:
    """Pictures (n, WIDE, WIDE, 3) uint8 that the others are made of."""
    pad, crop = Transform(fit="pad", size=WIDE), Transform(fit="crop", size=WIDE)
    drawn = [pad(decode(encoded)) for encoded in demo_pictures()["webp"]]
    return np.stack(drawn + [crop(scene(np.random.default_rng(i), i)) for i in range(SCENES)])


def made(rng: np.random.Generator, base: np.ndarray, count: int) -> np.ndarray:
    """Pictures (count, SIZE, SIZE, 3) uint8."""
    first, second = rng.integers(0, len(base), (2, count))
    (y, x), span = rng.integers(0, WIDE - SIZE + 1, (2, count)), np.arange(SIZE)
    rows, columns = (y[:, None] + span)[:, :, None], (x[:, None] + span)[:, None, :]
    one, other = (base[which[:, None, None], rows, columns].astype(np.float32) for which in (first, second))
    one += rng.beta(0.6, 2.5, (count, 1, 1, 1)).astype(np.float32) * (other - one)
    scale, shift = rng.uniform(0.5, 1, (count, 1, 1, 3)), rng.uniform(0, 0.4, (count, 1, 1, 3))
    one = one * scale.astype(np.float32) + (255 * shift * (1 - scale)).astype(np.float32)
    mirrored = rng.random(count) < 0.5
    one[mirrored] = one[mirrored, :, ::-1]
    return one.round().astype(np.uint8)


def write_index(folder: Path, base: np.ndarray) -> list[dict[str, np.ndarray]]:
    """Ten shards of thumbnails, memory-mapped, with their numbers: what `BlockMeans` gives of pictures of 32 × 32."""
    parts = []
    for shard in range(SHARDS):
        count = ROWS // SHARDS
        file = np.lib.format.open_memmap(folder / f"{shard}.npy", mode="w+", dtype=np.uint8, shape=(count, SIZE**2 * 3))
        numbers = np.zeros((count, 2), np.float32)
        for at in range(0, count, PART):
            pictures = made(np.random.default_rng([shard, at]), base, PART).reshape(PART, -1)
            file[at : at + PART] = pictures
            numbers[at : at + PART] = np.stack([as_unit(pictures).mean(axis=1), as_unit(pictures).std(axis=1)], axis=1)
        file.flush()
        zero = np.zeros(count, np.float32)
        ids = np.arange(shard * count, (shard + 1) * count)
        mapped = np.load(folder / f"{shard}.npy", mmap_mode="c")
        parts.append({"sample_id": ids, "thumbnails": mapped, "mean": numbers[:, 0], "deviation": numbers[:, 1]})
        parts[-1] |= {"rest": zero, "rounding": zero}
    return parts


def queries_of(parts: Sequence[dict[str, np.ndarray]], base: np.ndarray) -> np.ndarray:
    """Images (3 · THIRD, SIZE, SIZE, 3) on [0, 1]."""
    rng = np.random.default_rng(1)
    shards, rows = rng.integers(0, SHARDS, THIRD), rng.integers(0, ROWS // SHARDS, THIRD)
    copies = np.stack([parts[shard]["thumbnails"][row] for shard, row in zip(shards, rows, strict=True)])
    copies = (copies + rng.normal(0, 12, copies.shape)).clip(0, 255).reshape(-1, SIZE, SIZE, 3)
    crop = Transform(fit="crop", size=SIZE)
    unlike = [crop(scene(np.random.default_rng([7, i]), i)) for i in range(THIRD)]
    return as_unit(np.concatenate([copies.astype(np.uint8), made(rng, base, THIRD), np.stack(unlike)]))


def tiles_of(parts: Sequence[dict[str, np.ndarray]]) -> Iterator[np.ndarray]:
    for part in parts:
        for at in range(0, len(part["sample_id"]), PART):
            yield normalise(as_unit(part["thumbnails"][at : at + PART]).reshape(-1, SIZE, SIZE, 3)).reshape(PART, -1)


def brute_force(parts: Sequence[dict[str, np.ndarray]], images: np.ndarray) -> tuple[np.ndarray, float, float]:
    """The nearest row of each image; the seconds of it all, and of products and maxima alone."""
    whole = time.perf_counter()
    queries = torch.from_numpy(normalise(images).reshape(len(images), -1))
    best, rows, seconds = torch.full((len(images),), -torch.inf), torch.zeros(len(images), dtype=torch.long), 0.0
    for number, tile in enumerate(tiles_of(parts)):
        members = torch.from_numpy(tile)
        begun = time.perf_counter()
        halves = members.square().sum(dim=1) / 2
        value, place = (queries @ members.T).sub_(halves).max(dim=1)
        rows = torch.where(value > best, place + number * PART, rows)
        best = torch.maximum(value, best)
        seconds += time.perf_counter() - begun
    return rows.numpy(), time.perf_counter() - whole, seconds


def resident(name: str) -> int:
    """Bytes of this process: RssAnon without the pages of files, VmHWM the peak with them."""
    lines = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
    return int(lines[name].split()[0]) * 1024


class InTheIndex:
    """The thumbnails are the pictures."""

    def __init__(self, blocks: Blocks) -> None:
        self.blocks = blocks

    def __call__(self, ids: Sequence[int]) -> np.ndarray:
        return self.blocks.thumbnails.rows(np.asarray(ids, np.int64)).reshape(-1, SIZE, SIZE, 3)

    def state(self, _sample: int) -> str:
        return "as_audited"


def test_a_million_thumbnails(tmp_path: Path) -> None:
    base = bases()
    parts = write_index(tmp_path, base)
    images = queries_of(parts, base)
    blocks = Blocks.from_arrays(parts)
    before = resident("RssAnon")
    pictures = InTheIndex(blocks)
    begun = time.perf_counter()
    originals = Originals(blocks, pictures, {}, None)
    originals.nearest(images[:1])
    opened, taken = time.perf_counter() - begun, resident("RssAnon") - before
    rows, brute, products = brute_force(parts, images)
    expected = l2(normalise(images), normalise(pictures(rows.tolist()) / np.float32(255)))
    seconds = {}
    say("queries, thumbnails", f"{len(images)}, {ROWS:,}")
    say("the index is opened, its screen built, in seconds", f"{opened:.1f}")
    say("brute force, seconds", f"{brute:.2f}")
    say("its products and maxima alone, seconds", f"{products:.2f}")
    for radius in (NORMALISED_CEILING, RADIUS, UNLIMITED):
        begun = time.perf_counter()
        found = originals.nearest(images, radius=radius)
        seconds[radius] = time.perf_counter() - begun
        distances = np.array([np.inf if one is None else one[1] for one in found])
        within = expected <= radius - 1e-6
        assert (distances[within] <= expected[within] + 1e-6).all()
        assert distances[within] == pytest.approx(expected[within], abs=1e-5)
        assert not np.isfinite(distances[expected > radius + 1e-6]).any()
        say(f"within {radius}: found, seconds", f"{within.sum()}, {seconds[radius]:.2f}")
        times = f"{brute / seconds[radius]:.1f}, {products / seconds[radius]:.1f}"
        say(f"within {radius}: times faster than brute force, than its products alone", times)
        for name, third in (("copies", 0), ("others of that make", 1), ("scenes", 2)):
            part = slice(third * THIRD, (third + 1) * THIRD)
            begun = time.perf_counter()
            originals.nearest(images[part], radius=radius)
            told = f"{np.median(expected[part]):.3f}, {time.perf_counter() - begun:.2f}"
            say(f"within {radius}, {name}: median distance to the nearest, seconds", told)
    say("memory of the opened index, one kind of two, bytes", f"{taken:,}")
    assert 2 * taken < 2e9
    assert brute / max(seconds.values()) >= 20
