"""A run of very many groups and prompts, written as whole columns, for what the page must bear.

>>> make_large(Path("RUN"), groups=100_000)                                      # doctest: +SKIP
"""

import hashlib
import io
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from PIL import Image

from scanner.run import Run
from scanner.tables import CANDIDATES, ERRORS, GENERATIONS, GROUPS, HITS, MEMBERS, PROMPTS, SAMPLES, TRIAGE, Table
from tests.report.planted import png

SYLLABLES = ("ba", "co", "di", "fu", "ga", "he", "ki", "lo", "mu", "na", "po", "ra", "se", "ti", "vo", "zu")
PICTURES = 20
"""Different photographs; what is not listed is not shown."""
LISTED = 600
"""Groups whose first rows carry a thumbnail, each its own, and controls that do."""
LONG = 20
"""One caption in so many is ten times as long as the others."""


def captions_of(rows: int, seed: int = 0) -> list[str]:
    """Captions of 5 to 13 made-up words out of 4,096, each drawn alike: harder to pack than what people write."""
    rng = np.random.default_rng(seed)
    words = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]
    lengths = rng.integers(5, 14, rows) * np.where(np.arange(rows) % LONG == LONG - 1, 10, 1)
    drawn = iter(rng.integers(0, len(words), int(lengths.sum())).tolist())
    return [f"{' '.join(words[next(drawn)] for _ in range(length))} {i}" for i, length in enumerate(lengths)]


@cache
def photograph(number: int, size: int = 192) -> bytes:
    """A PNG that packs as photographs do: noise whose power falls with its frequency (13 kB as WebP
    of quality 90, where three photographs of as many pixels took 9 to 12)."""
    rng = np.random.default_rng(number)
    across, down = np.meshgrid(np.fft.fftfreq(size), np.fft.fftfreq(size))
    falling = 1 / np.maximum(np.hypot(across, down), 1 / size) ** 1.4
    grey = np.fft.ifft2(np.fft.fft2(rng.normal(size=(size, size))) * falling).real
    tint = np.fft.ifft2(np.fft.fft2(rng.normal(size=(size, size))) * falling**1.5).real
    layers = [grey / grey.std() + weight * tint / tint.std() for weight in (-0.5, 0.1, 0.5)]
    return png((128 + 45 * np.stack(layers, axis=2)).clip(0, 255).astype(np.uint8))


def photographs(samples: Sequence[int]) -> dict[int, bytes]:
    """A `pictures` callable: every row shows one of PICTURES."""
    return {sample: photograph(sample % PICTURES) for sample in samples}


def make_large(path: Path, groups: int = 100_000, controls: int = 1_000, hits: int = 300) -> Run:
    """A finished, attacked run: every group has two copies or more and a prompt, the first `hits` are verified."""
    run = Run.claim(path, {"dataset": "large/", "model": {"name": "demo"}, "seed": 7, "threshold": 0.5})
    captions = captions_of(groups + controls)
    copies = np.maximum(2, 1_000 / (1 + np.arange(groups)) ** 0.9).astype(np.int64)
    ids = np.cumsum(copies) - copies
    rows_of = np.append(copies, np.ones(controls, dtype=np.int64))
    _write(run, SAMPLES, _samples(captions, rows_of), part="00000")
    members = pl.DataFrame({"sample_id": np.arange(copies.sum()), "group_id": np.repeat(ids, copies)})
    _write(run, MEMBERS, members.with_columns(similarity_to_medoid=1.0))
    _write(run, GROUPS, _groups(captions[:groups], ids, copies))
    prompts = _prompts(captions, ids, copies, controls)
    _write(run, PROMPTS, prompts)
    ERRORS.write(run.path, ERRORS.empty())
    run.finish("audit", {"rows_in": int(rows_of.sum())})
    run.claim_part("attack", {"target": "planted-model/", "steps": 20, "guidance": 3.0, "seeds": 8})
    _attack(run, prompts, hits)
    run.finish("attack", {"normalised_threshold": {"value": 0.12, "rate": 0.0, "controls": controls, "passing": 0}})
    return run


def _write(run: Run, table: Table, frame: pl.DataFrame, part: str | None = None) -> None:
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in table.schema.items() if name not in frame]
    table.write(run.path, frame.with_columns(missing), part=part)


def _samples(captions: list[str], rows_of: np.ndarray) -> pl.DataFrame:
    """A row a copy, then the controls; of the first groups six rows show pictures that differ."""
    place = np.repeat(np.arange(len(rows_of)), rows_of)
    within = np.arange(len(place)) - np.repeat(np.cumsum(rows_of) - rows_of, rows_of)
    listed = ((place < LISTED) & (within < 6)) | (np.arange(len(place)) >= len(place) - LISTED)
    small = [_thumbnail(row) if one else None for row, one in enumerate(listed.tolist())]
    frame = pl.DataFrame({"sample_id": np.arange(len(place)), "place": place, "thumbnail": small}).with_columns(
        caption=pl.Series(captions).gather(place),
        pixel_sha256=pl.format("picture {} {}", "place", pl.Series(np.where(listed, within, 0))),
    )
    key = pl.format("{}", pl.col("sample_id")).str.zfill(9)
    return frame.with_columns(
        shard=pl.lit("00000"), key=key, url=pl.format("https://example.org/{}.png", key), width=64, height=64,
        file_sha256=pl.lit("0" * 64), phash=0,
        file=pl.lit("00000.tar"), offset=0, length=1,
    )  # fmt: skip


def _thumbnail(row: int) -> bytes:
    whole = Image.open(io.BytesIO(photograph(row % PICTURES)))
    left, top = row // PICTURES % 80, row // PICTURES // 80 % 80
    return whole.crop((left, top, left + 112, top + 112)).resize((32, 32), Image.Resampling.BOX).tobytes()


def _groups(captions: list[str], ids: np.ndarray, copies: np.ndarray) -> pl.DataFrame:
    frame = pl.DataFrame({"group_id": ids, "copies": copies, "top_caption": captions, "medoid": ids})
    return frame.with_columns(
        distinct_images=2, distinct_captions=1 + pl.col("group_id") % 3, top_caption_share=1.0, caption_entropy=0.0,
        min_similarity=0.9, median_similarity=1.0,
    )  # fmt: skip


def _prompts(captions: list[str], ids: np.ndarray, copies: np.ndarray, controls: int) -> pl.DataFrame:
    groups, rows = len(ids), int(copies.sum())
    frame = pl.DataFrame(
        {
            "prompt_id": [hashlib.sha256(caption.encode()).hexdigest()[:16] for caption in captions],
            "rank": [*range(1, groups + 1), *range(1, controls + 1)],
            "arm": ["risk"] * groups + ["control"] * controls,
            "caption": captions,
            "group_id": [*ids.tolist(), *[None] * controls],
            "copies": [*copies.tolist(), *[1] * controls],
            "sample_id": [*ids.tolist(), *range(rows, rows + controls)],
            "risk": [*np.linspace(0.99, 0.01, groups).tolist(), *[0.0] * controls],
        }
    )
    level = pl.when(pl.col("risk") > 0.7).then(pl.lit("high")).when(pl.col("risk") > 0.3).then(pl.lit("medium"))
    words = pl.format("{} copies, one caption on nearly all of them, a specific caption", "copies")
    return frame.with_columns(
        caption_copies=pl.col("copies"), caption_groups=1, url=pl.lit("https://example.org/a.png"),
        reason=pl.when(pl.col("arm") == "risk").then(words).otherwise(pl.lit("control: stands once")),
        risk_class=pl.when(pl.col("arm") == "risk").then(level.otherwise(pl.lit("low"))), caption_rows=pl.col("copies"),
        copies_part=pl.col("risk"), concentration=1.0, specificity=1.0,
    )  # fmt: skip


def _attack(run: Run, prompts: pl.DataFrame, hits: int) -> None:
    """Triage looks at all prompts and lets every tenth through; the first of these are verified."""
    tenth = (pl.col("rank") % 10 == 1) & (pl.col("arm") == "risk")
    score = 1.0 + (pl.col("rank") * 7919 % 1000) / 1000
    scores = prompts.select("prompt_id", detector=pl.lit("wen_2024"), score=score, threshold=1.5, passed=tenth)
    _write(run, TRIAGE, scores.with_columns(evaluations=2))
    attacked = prompts.filter(tenth).with_row_index("place")
    found = pl.col("place") < hits
    decision = pl.when(found).then(pl.lit("accepted")).otherwise(pl.lit("rejected"))
    candidates = attacked.select("prompt_id", generated=15, decision=decision, evaluations=240)
    _write(run, CANDIDATES, candidates.with_columns(clique_decision=pl.lit("no"), clique_size=0))
    verdict = pl.when(found).then(pl.lit("matching")).otherwise(pl.lit("none"))
    distance = pl.when(found).then(0.04).otherwise(0.4)
    results = attacked.select("prompt_id", "sample_id", verdict=verdict, normalised_l2=distance, paper_rule=found)
    more = results.with_columns(l2=pl.col("normalised_l2"), paper_l2=pl.col("normalised_l2"))
    _write(run, HITS, more.with_columns(agreeing=4, evidence=4, k=2, seed=42))
    shown = [
        row for place, row in enumerate(results.head(hits).iter_rows(named=True)) for row in _generations(row, place)
    ]
    GENERATIONS.write(run.path, GENERATIONS.frame(shown), part="00000")


def _generations(hit: Mapping[str, Any], place: int) -> list[dict[str, Any]]:
    """Full-step evidence, six images."""
    row = {"prompt_id": hit["prompt_id"], "sample_id": hit["sample_id"], "steps": 20, "defect": None, "l2": 0.03}
    more = {"near": [hit["sample_id"]], "near_l2": [0.04], "l2_sample_id": hit["sample_id"]}
    return [
        row | more | {"image_index": 1_000_000 + n, "seed": n, "normalised_l2": 0.04 + 0.01 * n}
        | {"png": photograph((place + n) % PICTURES)}
        for n in range(6)
    ]  # fmt: skip
