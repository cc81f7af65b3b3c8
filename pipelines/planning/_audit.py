"""What the audit of so many rows would take, before any of them is read: time, memory and disk by what was measured.

Each law is carried from the sizes it was measured at (2 cores) to the size that is asked for, and says so. Groups are
not among the figures: how many duplicates a data set holds is what an audit finds out.

    >>> round(search_seconds(1_000_000).expected, 1)
    9.9
    >>> round(search_seconds(10_000_000).expected)
    272
"""

import io
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from math import log10
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from pipelines.configs import PlanOptions
from pipelines.planning._figures import Figure, Section, counted, extrapolated, measured, unknown
from scanner.attack import Span, exactly
from scanner.fingerprints import Embedder, Fingerprinter, SeenPictures, load_embedder
from scanner.samples import open_dataset

EXPONENT = 1.04
"""CPU time of the search grows like n^1.04 from 100,000 to 1,000,000 rows (README)."""
MILLION, TEN_MILLION = 9.9, 272.0
"""Seconds of the search, cosine 0.95, 512 numbers a row; that of ten million with other work beside (README)."""
MILLION_BYTES, TEN_MILLION_BYTES = 2.4 * 2**30, 6.2 * 2**30
"""Peak memory of the same, beside the memory-mapped embeddings."""
WIDTH = 512
"""Numbers in an embedding of the default model."""
SAMPLE_BYTES = Span(least=1_050, expected=3_100, most=3_500)
"""Of a row in the samples table: 1,049 in the demo's run (drawings, three in four rows copies), 3,096 of made scenes; a
thumbnail is 3,072 bytes, and photographs do not compress. Most: with a long caption and url."""
TABLE_BYTES = Span(least=95, expected=100, most=250)
"""Of a row in all other tables (pairs, captions, groups, mitigations): 95 in the demo's run, 240 in one of 200 rows."""
FEATURE_BYTES = Span(least=0, expected=17_000, most=27_000)
"""Of a picture in parts/features, for close looks: 16,800 of made scenes, 27,100 in the demo's run; none with
--close-looks 0."""
LOOK_SECONDS = Span(least=0.004, expected=0.025, most=0.028)
"""Of a picture, one core (README): 20 candidates of 0.2 ms by thumbnail; features 15 ms and 4 close looks of 0.7 to 2.3
ms; without close looks the first alone."""
SIDE, QUALITY = 256, 95
"""Pictures that the embedding is timed on: JPEG as img2dataset writes them by default, at its most common size."""
TIMED = 128
"""Pictures that are timed at most."""


@dataclass(frozen=True, kw_only=True)
class Embedding:
    """What the embedding of a picture takes."""

    name: str
    """The model."""
    width: int
    """Numbers in an embedding."""
    timed: int
    """Pictures that were timed."""
    seconds: float
    """Of one picture: read, decoded, hashed, embedded."""


def audit_section(rows: int, options: PlanOptions) -> Section:
    """Time, memory and disk of the audit. Raises UnusableInputError when the model can't be had."""
    embedding = None
    if options.model is not None:
        embedding = time_embedding(load_embedder(options.model, options.weights()), options.warm_up_seconds)
    return Section(name="Audit", figures=(*_times(rows, embedding), _search_memory(rows), *_disk(rows, embedding)))


def time_embedding(embedder: Embedder, seconds: float) -> Embedding:
    """Run the audit's first stage on made pictures, about `seconds` long at most."""
    begun = time.perf_counter()
    embedder([picture for _, picture in zip(range(embedder.batch), _pictures(), strict=False)])
    each = (time.perf_counter() - begun) / embedder.batch
    number = max(embedder.batch, min(TIMED, int(seconds / each)))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "pictures"
        folder.mkdir()
        for name, picture in zip(range(number), _pictures(), strict=False):
            file = io.BytesIO()
            Image.fromarray(picture).save(file, "JPEG", quality=QUALITY)
            (folder / f"{name:05d}.jpg").write_bytes(file.getvalue())
        dataset = open_dataset(str(folder))
        stage = Fingerprinter(embedder, SeenPictures(Path(place) / "run"))
        begun = time.perf_counter()
        read = sum(len(rows.samples) for shard in dataset.shards for rows in stage(dataset, shard))
        took = time.perf_counter() - begun
    return Embedding(name=embedder.name, width=embedder.width, timed=read, seconds=took / read)


def _pictures() -> Iterator[NDArray[np.uint8]]:
    """Pictures of coarse and fine noise, all different."""
    rng = np.random.default_rng(0)
    while True:
        coarse = Image.fromarray(rng.integers(0, 256, (16, 16, 3), np.uint8)).resize((SIDE, SIDE))
        fine = rng.integers(-10, 11, (SIDE, SIDE, 3))
        yield (np.asarray(coarse, np.int64) + fine).clip(0, 255).astype(np.uint8)


def search_seconds(rows: int) -> Span:
    """Time of the duplicate search on 2 cores.

    Least by the exponent from a million rows. Expected by the slope between a million and ten million up to there, by
    the exponent beyond; most by that slope throughout.
    """
    slope = log10(TEN_MILLION / MILLION)
    least = MILLION * (rows / 1e6) ** EXPONENT
    steep = MILLION * (rows / 1e6) ** slope
    expected = steep if rows <= 1e7 else TEN_MILLION * (rows / 1e7) ** EXPONENT
    return Span(least=min(least, steep), expected=expected, most=max(least, steep))


def search_bytes(rows: int) -> float:
    """Peak memory of the duplicate search, beside the memory-mapped embeddings: a line through both measurements, and
    in proportion below a million rows."""
    if rows <= 1e6:
        return MILLION_BYTES * max(rows / 1e6, 0.1)
    return MILLION_BYTES + (TEN_MILLION_BYTES - MILLION_BYTES) * (rows - 1e6) / 9e6


def _times(rows: int, embedding: Embedding | None) -> tuple[Figure, ...]:
    figures = [counted("rows", "rows", exactly(rows), "as given")]
    if embedding is None:
        figures.append(unknown("read and embed", "seconds", "give --model to time it"))
    else:
        basis = f"{embedding.timed} JPEG pictures of {SIDE} × {SIDE}, {embedding.name}"
        figures += [
            measured("read and embed a row", "seconds", exactly(embedding.seconds), basis),
            extrapolated("read and embed", "seconds", exactly(embedding.seconds * rows), "every row a new picture"),
        ]
    return (
        *figures,
        extrapolated("search", "seconds", search_seconds(rows), "9.9 s for 1e6 rows, 272 s for 1e7, ~ n^1.04"),
        extrapolated("looks at pairs", "seconds", LOOK_SECONDS * rows, "one core; least without close looks"),
        unknown("duplicate groups", "groups", "what the audit finds out"),
    )


def _search_memory(rows: int) -> Figure:
    return extrapolated("search, memory", "bytes", exactly(search_bytes(rows)), "2.4 GiB for 1e6 rows, 6.2 for 1e7")


def _disk(rows: int, embedding: Embedding | None) -> tuple[Figure, ...]:
    width = WIDTH if embedding is None else embedding.width
    parts = {
        "samples, disk": (SAMPLE_BYTES * rows, "with thumbnails; two audits"),
        "other tables, disk": (TABLE_BYTES * rows, "two audits"),
        "features, disk": (FEATURE_BYTES * rows, "for close looks; two audits"),
    }
    embeddings = exactly(2 * width * rows)
    whose = "the default model's" if embedding is None else f"{embedding.name}'s"
    figures = [counted("embeddings, disk", "bytes", embeddings, f"float16, {whose} {width} numbers")]
    figures += [extrapolated(name, "bytes", span, basis) for name, (span, basis) in parts.items()]
    everything = sum((span for span, _ in parts.values()), start=embeddings)
    return (*figures, extrapolated("all, disk", "bytes", everything, "images not counted: see audit --dry-run"))
