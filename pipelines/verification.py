"""Verification: the index of originals, and a verdict on every attacked prompt.

The originals are read once in the target's own training transform, shard by shard; the verdicts are computed from the
stored generations alone, so other thresholds need no new images.
"""

from collections.abc import Mapping

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.engines import Job, LocalEngine, require
from pipelines.search import Search, Searched
from scanner.errors import UnusableInputError
from scanner.fingerprints import load_embedder
from scanner.prompts import prompt_id
from scanner.run import Run
from scanner.samples import StoredImages
from scanner.tables import HITS, SAMPLES
from scanner.targets import DiffusersTarget
from scanner.verify import (
    BlockMeans,
    Evidence,
    Originals,
    SquarePictures,
    Verifier,
    has_blocks,
    stored_blocks,
    write_blocks,
)


def stored_images(run: Run) -> StoredImages:
    """The images of a run's data set. Raises UnusableInputError when they are gone."""
    images = StoredImages(run.config["dataset"])
    if not images.root.exists():
        raise UnusableInputError(
            f"The data set {images.root} is gone, and the attack compares with its images; put it back."
        )
    return images


def open_originals(run: Run, target: DiffusersTarget, group_of: Mapping[int, int], engine: LocalEngine) -> Originals:
    """The index of all distinct originals in the target's transform, built shard by shard unless it is there."""
    images = stored_images(run)
    samples = run.read(SAMPLES).select("sample_id", "pixel_sha256", "file", "offset", "length")
    distinct = samples.unique("pixel_sha256", keep="first", maintain_order=True)
    shards = distinct.with_columns(shard=pl.col("sample_id") // 2**32).partition_by("shard", maintain_order=True)
    job = Job(
        name="originals",
        shards=shards,
        make=lambda: BlockMeans(images, target.transform),
        done=lambda shard: has_blocks(run.path, _part(shard)),
        write=lambda shard, arrays: write_blocks(run.path, _part(shard), arrays),
    )
    require(engine.run(job))
    pictures = SquarePictures(images, distinct, target.transform)
    reconstruct = target.reconstruct if target.has_autoencoder else None
    return Originals(stored_blocks(run.path), pictures, group_of, reconstruct)


def _part(shard: pl.DataFrame) -> str:
    return f"{shard['shard'][0]:05d}"


def write_hits(run: Run, search: Search, originals: Originals, searched: Searched, threshold: float) -> None:
    """The hits table: a row for every attacked prompt of both arms."""
    samples = run.read(SAMPLES).select("sample_id", "pixel_sha256", "caption")
    copies = samples.group_by("pixel_sha256").agg(pl.col("sample_id").min(), pl.len())
    embedder = load_embedder(run.config["model"], run.config["pretrained"])

    def copy_similarity(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
        first, second = embedder([a, b]).astype(np.float64)
        return float(first @ second)

    verifier = Verifier(
        originals,
        copies_of=dict(copies.select("sample_id", "len").iter_rows()),
        copy_similarity=copy_similarity,
        threshold=threshold,
    )
    own = _own_originals(samples, originals.group_of)
    evidence = (
        Evidence(prompt_id=prompt.prompt_id, own=own[prompt.prompt_id], generations=rows)
        for prompt, rows in zip(searched.attacked, search.generations(searched.attacked), strict=True)
    )
    HITS.write(run.path, HITS.frame(verifier(prompt) for prompt in evidence))


def _own_originals(samples: pl.DataFrame, group_of: Mapping[int, int]) -> dict[str, frozenset[int]]:
    """Per prompt id: the originals that carry its caption."""
    own: dict[str, set[int]] = {}
    for sample, caption in samples.select("sample_id", "caption").iter_rows():
        if caption is not None and (prompt := prompt_id(caption)) is not None:
            own.setdefault(prompt, set()).add(group_of.get(sample, sample))
    return {prompt: frozenset(originals) for prompt, originals in own.items()}
