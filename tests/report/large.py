"""A run of very many groups and prompts, written as whole columns, for what the page must bear.

>>> make_large(Path("RUN"), groups=100_000)                                      # doctest: +SKIP
"""

import hashlib
from pathlib import Path

import numpy as np
import polars as pl

from scanner.run import Run
from scanner.tables import CANDIDATES, ERRORS, GROUPS, HITS, MEMBERS, PROMPTS, SAMPLES, TRIAGE, Table
from tests.report.planted import look

SYLLABLES = ("ba", "co", "di", "fu", "ga", "he", "ki", "lo", "mu", "na", "po", "ra", "se", "ti", "vo", "zu")
PICTURES = 40
"""Different pictures; what is not listed is not shown."""
LONG = 20
"""One caption in so many is ten times as long as the others."""


def captions_of(rows: int, seed: int = 0) -> list[str]:
    """Captions of 5 to 13 made-up words out of 4,096, each drawn alike: harder to pack than what people write."""
    rng = np.random.default_rng(seed)
    words = [a + b + c for a in SYLLABLES for b in SYLLABLES for c in SYLLABLES]
    lengths = rng.integers(5, 14, rows) * np.where(np.arange(rows) % LONG == LONG - 1, 10, 1)
    drawn = iter(rng.integers(0, len(words), int(lengths.sum())).tolist())
    return [f"{' '.join(words[next(drawn)] for _ in range(length))} {i}" for i, length in enumerate(lengths)]


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
    """A row a copy, then the controls; the first thousand carry a thumbnail."""
    place = np.repeat(np.arange(len(rows_of)), rows_of)
    small = [look(int(i) % PICTURES)[1] if row < 1_000 else None for row, i in enumerate(place)]
    frame = pl.DataFrame({"sample_id": np.arange(len(place)), "place": place, "thumbnail": small}).with_columns(
        caption=pl.Series(captions).gather(place), pixel_sha256=pl.format("picture {}", "place")
    )
    key = pl.format("{}", pl.col("sample_id")).str.zfill(9)
    return frame.with_columns(
        shard=pl.lit("00000"), key=key, url=pl.format("https://example.org/{}.png", key), width=64, height=64,
        file_sha256=pl.lit("0" * 64), phash=0,
        file=pl.lit("00000.tar"), offset=0, length=1,
    )  # fmt: skip


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
