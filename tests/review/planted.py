"""A run with real pictures on disk to review: groups, hits, what was not verified, and controls."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

import polars as pl
from PIL import Image

from scanner.fingerprints import pixel_sha256
from scanner.run import Run
from scanner.tables import GENERATIONS, GROUPS, HITS, MEMBERS, PROMPTS, SAMPLES
from tests.report.planted import noisy, picture, png

EVIDENCE = 1_000_000
BATCH_IMAGES = 64
"""Of a file, as an attack writes them."""


@dataclass(frozen=True, kw_only=True)
class Planned:
    """What is planted; picture i stands `copies` times, and its caption brings it back `i`-th."""

    hits: int = 6
    """Verified prompts of the risk arm; each has a group of its own, and so many more groups bring nothing back."""
    groups: int = 8
    """Duplicate groups, at least as many as hits."""
    unverified: int = 2
    """Prompts of the next groups whose full-step images were compared and not verified."""
    control_hits: int = 1
    """Verified controls."""
    copies: int = 3
    """Rows of a group; the second is an edit with pixels of its own."""
    offset: int = 0
    """Rows of another picture that come first, so that ids differ between two runs of the same pictures."""
    seeds: bool = True
    """Whether the generations have seeds."""
    size: int = 64
    """Pixels."""


def make_reviewed_run(folder: Path, plan: Planned | None = None) -> Run:
    """The data set in FOLDER/data and its attacked run in FOLDER/run."""
    plan = plan or Planned()
    data = folder / "data"
    data.mkdir(parents=True)
    config = {"dataset": str(data), "layout": "folder", "model": {"name": "demo"}, "seed": 7}
    run = Run.claim(folder / "run", config)
    rows, groups, members = _rows(data, plan)
    SAMPLES.write(run.path, SAMPLES.frame(rows), part="00000")
    GROUPS.write(run.path, GROUPS.frame(groups))
    MEMBERS.write(run.path, MEMBERS.frame(members))
    run.finish("audit", {"rows_in": len(rows)})
    _attack(run, plan, groups, rows)
    return run


def _row(data: Path, sample_id: int, number: int, plan: Planned, *, edited: bool = False) -> dict[str, object]:
    pixels = noisy(picture(number, plan.size), 0.01, 5) if edited else picture(number, plan.size)
    name = f"{number}{'e' if edited else ''}.png"
    if not (data / name).exists():
        (data / name).write_bytes(png(pixels))
    return {
        "sample_id": sample_id,
        "shard": "data",
        "key": f"{sample_id:06d}",
        "url": f"https://example.org/{sample_id}.png",
        "caption": f"picture number {number}",
        "width": plan.size,
        "height": plan.size,
        "file_sha256": hashlib.sha256((data / name).read_bytes()).hexdigest(),
        "pixel_sha256": pixel_sha256(pixels),
        "phash": number,
        "thumbnail": Image.fromarray(pixels).resize((32, 32), Image.Resampling.BOX).tobytes(),
        "file": name,
        "offset": 0,
        "length": None,
    }


def _rows(data: Path, plan: Planned) -> tuple[list[dict], list[dict], list[dict]]:
    rows = [_row(data, i, 5000 + i, plan) for i in range(plan.offset)]
    groups, members = [], []
    for i in range(plan.groups):
        first = len(rows)
        rows += [_row(data, first + n, i, plan, edited=n == 1) for n in range(plan.copies)]
        members += [
            {"sample_id": first + n, "group_id": first, "similarity_to_medoid": 0.93 if n == 1 else 1.0}
            for n in range(plan.copies)
        ]
        groups.append(
            {
                "group_id": first,
                "copies": plan.copies,
                "distinct_images": min(2, plan.copies),
                "distinct_captions": 1,
                "top_caption": f"picture number {i}",
                "top_caption_share": 1.0,
                "caption_entropy": 0.0,
                "min_similarity": 0.93,
                "median_similarity": 1.0,
                "medoid": first,
            }
        )
    rows += [_row(data, len(rows) + n, 100_000 + n, plan) for n in range(plan.control_hits + 3)]
    return rows, groups, members


def _attack(run: Run, plan: Planned, groups: list[dict], rows: list[dict]) -> None:
    transform = {"fit": "crop", "size": plan.size}
    run.claim_part("attack", {"target": "planted-model/", "steps": 20, "seeds": 8, "transform": transform})
    risk = [(i, groups[i]["group_id"], "risk", i < plan.hits) for i in range(plan.hits + plan.unverified)]
    singles = rows[len(rows) - plan.control_hits - 3 :]
    control = [(100_000 + n, row["sample_id"], "control", n < plan.control_hits) for n, row in enumerate(singles)]
    prompts, hits, made = [], [], []
    for rank, (number, sample_id, arm, verified) in enumerate([*risk, *control]):
        prompt_id = hashlib.sha256(f"picture number {number}".encode()).hexdigest()[:16]
        prompts.append(
            {
                "prompt_id": prompt_id,
                "rank": rank + 1,
                "arm": arm,
                "caption": f"picture number {number}",
                "copies": plan.copies,
                "sample_id": sample_id,
                "risk": 0.5,
                "reason": "planted",
            }
        )
        looked = verified or arm == "risk"
        hits.append(
            {
                "prompt_id": prompt_id,
                "verdict": "matching" if verified else "none",
                "sample_id": sample_id if verified else None,
                "agreeing": 3 if verified else 0,
                "l2": 0.03,
                "normalised_l2": 0.05,
                "tile_l2": 0.08,
                "k": 3,
                "seed": 10_001 if verified and plan.seeds else None,
                "evidence": 3 if looked else 0,
                "paper_rule": verified,
                "paper_l2": 0.03,
            }
        )
        for n in range(3 if looked else 0):
            made.append(
                {
                    "prompt_id": prompt_id,
                    "image_index": EVIDENCE + n,
                    "seed": 10_000 + n if plan.seeds else None,
                    "steps": 20 if plan.seeds else None,
                    "sample_id": sample_id,
                    "normalised_l2": (0.06, 0.05, 0.09)[n],
                    "l2": 0.03,
                    "png": png(noisy(picture(number, plan.size), 0.02 + 0.01 * n, n)),
                }
            )
    PROMPTS.write(run.path, PROMPTS.frame(prompts))
    HITS.write(run.path, HITS.frame(hits))
    for first in range(0, len(made), BATCH_IMAGES):
        part = f"attack-{first // BATCH_IMAGES:05d}"
        GENERATIONS.write(run.path, GENERATIONS.frame(made[first : first + BATCH_IMAGES]), part=part)
    run.finish("attack", {"normalised_threshold": {"value": 0.12, "controls": 3, "passing": 0, "rate": 0.3}})


def items_of(frame: pl.DataFrame, kind: str) -> list[str]:
    return frame.filter(pl.col("kind") == kind)["item"].to_list()
