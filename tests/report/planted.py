"""Run directories made by hand, with real pictures and known figures, for the tests of the report."""

import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from scanner.duplicates import count_captions
from scanner.run import Run
from scanner.tables import CANDIDATES, CAPTIONS, ERRORS, GENERATIONS, GROUPS, HITS, MEMBERS, PROMPTS, SAMPLES, TRIAGE

SIZE = 64
EVIDENCE = 4


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What is planted."""

    copies: tuple[int, ...] = (130, 64, 33, 32, 9, 8, 4, 2)
    """Copies of each duplicate group."""
    extracted: tuple[int, ...] = (0, 1, 2, 4)
    """Groups (by their place in `copies`) that the model gives back."""
    singles: int = 40
    """Rows that stand once; their captions are the control arm."""
    control_hits: int = 0
    """Controls that are verified."""
    errors: int = 5
    """Ledger entries."""
    attacked: bool = True
    """Whether there is an attack; the last risk prompt is held back by triage and not attacked."""


NOTHING = {"copies": (), "extracted": (), "attacked": False}
STATES = {
    "attacked": Plan(control_hits=1),
    "no_hits": Plan(extracted=()),
    "before_training": Plan(attacked=False),
    "no_groups": Plan(**NOTHING),
    "only_errors": Plan(**NOTHING, singles=0),
    "empty": Plan(**NOTHING, singles=0, errors=0),
    "none_attacked_in_risk_arm": Plan(copies=(2,), extracted=(), singles=3),
}
"""Every state that a run may be in."""


@cache
def picture(number: int, size: int = SIZE) -> NDArray[np.uint8]:
    """A picture of its own for every number: a sky, a ground, a few shapes."""
    rng = np.random.default_rng(number)
    top, low, ground = rng.integers(30, 256, (3, 3))
    ramp = np.linspace(0, 1, size)[:, None, None]
    image = Image.fromarray(np.broadcast_to(top * (1 - ramp) + low * ramp, (size, size, 3)).astype(np.uint8))
    draw = ImageDraw.Draw(image)
    draw.rectangle((0, int(size * 0.7), size, size), fill=tuple(ground))
    for _ in range(4):
        x, y, r = rng.integers(0, size, 3)
        shape = (int(x - r / 3), int(y - r / 3), int(x + r / 3) + 2, int(y + r / 3) + 2)
        draw.ellipse(shape, fill=tuple(rng.integers(0, 256, 3)), outline=(20, 20, 20))
    return np.asarray(image)


def noisy(pixels: NDArray[np.uint8], amount: float, seed: int) -> NDArray[np.uint8]:
    """The picture as a model might give it back."""
    noise = np.random.default_rng(seed).normal(0, 255 * amount, pixels.shape)
    return (pixels + noise).clip(0, 255).astype(np.uint8)


def png(pixels: NDArray[np.uint8]) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def prompt_id(caption: str) -> str:
    return hashlib.sha256(caption.encode()).hexdigest()[:16]


@cache
def look(number: int) -> tuple[str, bytes]:
    """The picture's pixel hash and its 32 × 32 thumbnail, as the samples table holds them."""
    pixels = picture(number)
    small = Image.fromarray(pixels).resize((32, 32), Image.Resampling.BOX)
    return hashlib.sha256(pixels.tobytes()).hexdigest(), small.tobytes()


def sample(sample_id: int, number: int, caption: str | None, **more: Any) -> dict[str, Any]:
    """A row of the samples table that shows picture `number`."""
    digest, small = look(number)
    return {
        "sample_id": sample_id,
        "shard": "00000",
        "key": f"{sample_id:09d}",
        "url": f"https://example.org/{sample_id}.png",
        "caption": caption,
        "width": SIZE,
        "height": SIZE,
        "file_sha256": "0" * 64,
        "pixel_sha256": digest,
        "phash": number,
        "thumbnail": small,
        "file": "00000.tar",
        "offset": 0,
        "length": 1,
    } | more


def caption_of_group(i: int) -> str:
    return f"a framed print of picture {i}, studio light"


RECALL = {
    **{"rows": 56, "pairs": 40, "found": 38, "recall": 0.95},
    **{"with_neighbours": 16, "complete": 15, "low": 0.698, "high": 0.998},
}
"""What the planted run says that its search missed."""


def make_run(path: Path, plan: Plan | None = None, recall: object = RECALL) -> Run:
    """A finished run as planned."""
    plan = plan or Plan()
    run = Run.claim(path, {"dataset": "planted/", "model": {"name": "demo"}, "seed": 7, "threshold": 0.5})
    rows, groups, members = _data(plan)
    SAMPLES.write(run.path, SAMPLES.frame(rows), part="00000")
    GROUPS.write(run.path, GROUPS.frame(groups))
    MEMBERS.write(run.path, MEMBERS.frame(members))
    CAPTIONS.write(run.path, count_captions(*(run.read(table) for table in (SAMPLES, MEMBERS, GROUPS))).captions)
    ERRORS.write(run.path, ERRORS.frame(_errors(plan)))
    prompts = _prompts(plan, groups, rows)
    PROMPTS.write(run.path, PROMPTS.frame(prompts))
    run.finish("audit", {"rows_in": len(rows) + plan.errors, "recall": recall})
    if plan.attacked:
        _attack(run, plan, prompts, groups)
    return run


def _data(plan: Plan) -> tuple[list[dict[str, Any]], list[dict[str, Any]], list[dict[str, Any]]]:
    rows: list[dict[str, Any]] = []
    groups: list[dict[str, Any]] = []
    members: list[dict[str, Any]] = []
    for i, copies in enumerate(plan.copies):
        first = len(rows)
        # the first row shows the picture, the second a light edit (its own pixels), the rest the first again
        rows += [
            sample(first + n, i, caption_of_group(i), **({"pixel_sha256": f"edit-{i}"} if n == 1 else {}))
            for n in range(copies)
        ]
        members += [
            {"sample_id": first + n, "group_id": first, "similarity_to_medoid": 0.91 if n == 1 else 1.0}
            for n in range(copies)
        ]
        groups.append(
            {
                "group_id": first,
                "copies": copies,
                "distinct_images": 2,
                "distinct_captions": 1 + i % 2,
                "top_caption": caption_of_group(i),
                "top_caption_share": 1.0 - 0.25 * (i % 2),
                "caption_entropy": 0.8 * (i % 2),
                "min_similarity": 0.91,
                "median_similarity": 1.0,
                "medoid": first,
                "split_from": None if i else 99_000,
            }
        )
    first = len(rows)
    rows += [sample(first + n, 1000 + n, f"a quiet single scene number {n}") for n in range(plan.singles)]
    return rows, groups, members


def _errors(plan: Plan) -> list[dict[str, Any]]:
    reasons = (("decode", "truncated_image"), ("read", "missing_image"))
    return [
        {
            "shard": "00001",
            "key": f"broken{i}",
            "stage": reasons[i % 2][0],
            "reason": reasons[i % 2][1],
            "message": "The file ends before the picture does.",
        }
        for i in range(plan.errors)
    ]


def _prompts(
    plan: Plan, groups: Sequence[Mapping[str, Any]], rows: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    risk = [
        {
            "rank": i + 1,
            "arm": "risk",
            "caption": group["top_caption"],
            "group_id": group["group_id"],
            "copies": group["copies"],
            "caption_copies": group["copies"],
            "sample_id": group["medoid"],
            "risk": 0.95 * 0.9**i,
            "reason": f"{group['copies']} copies, one caption on nearly all of them, a specific caption",
        }
        for i, group in enumerate(groups)
    ]
    control = [
        {
            "rank": i + 1,
            "arm": "control",
            "caption": row["caption"],
            "group_id": None,
            "copies": 1,
            "caption_copies": 1,
            "sample_id": row["sample_id"],
            "risk": None,
            "reason": "control: stands once",
        }
        for i, row in enumerate(rows[len(rows) - plan.singles :])
    ]
    more = {"caption_groups": 1, "url": "https://example.org/a.png"}
    return [{"prompt_id": prompt_id(row["caption"]), **row, **more} for row in risk + control]


def _attack(run: Run, plan: Plan, prompts: list[dict[str, Any]], groups: list[dict[str, Any]]) -> None:
    run.claim_part("attack", {"target": "planted-model/", "steps": 20, "guidance": 3.0, "seeds": 8})
    held_back = len(plan.copies) - 1
    attacked = [prompt for i, prompt in enumerate(prompts) if i != held_back]
    hit_ids = {prompts[i]["prompt_id"] for i in plan.extracted}
    hit_ids |= {prompt["prompt_id"] for prompt in prompts[len(groups) : len(groups) + plan.control_hits]}
    TRIAGE.write(run.path, TRIAGE.frame(_triage(prompts, held_back)))
    CANDIDATES.write(run.path, CANDIDATES.frame(_candidate(prompt, hit_ids) for prompt in attacked))
    singles = sum(plan.copies)
    originals = {
        prompt["prompt_id"]: prompt["group_id"] if i < len(groups) else singles + i - len(groups)
        for i, prompt in enumerate(prompts)
    }
    numbers = {
        prompt["prompt_id"]: i if i < len(groups) else 1000 + i - len(groups) for i, prompt in enumerate(prompts)
    }
    HITS.write(run.path, HITS.frame(_hit(prompt["prompt_id"], originals, hit_ids) for prompt in attacked))
    for identifier in sorted(hit_ids):
        rows = _generations(identifier, originals[identifier], numbers[identifier])
        GENERATIONS.write(run.path, GENERATIONS.frame(rows), part=identifier)
    recorded = {"rate": 0.025, "controls": plan.singles, "passing": plan.control_hits}
    agreement = recorded | {"value": 0.12, "ceiling": 0.12}
    triage = recorded | {"value": 1.5, "passing": 0}
    run.finish("attack", {"normalised_threshold": agreement, "triage_threshold": triage, "edge_threshold": 0.1})


def _triage(prompts: Sequence[Mapping[str, Any]], held_back: int) -> list[dict[str, Any]]:
    return [
        {
            "prompt_id": prompt["prompt_id"],
            "detector": "wen_2024",
            "score": 1.0 if prompt["arm"] == "control" or i == held_back else 2.0,
            "threshold": 1.5,
            "passed": prompt["arm"] == "risk" and i != held_back,
            "evaluations": 2,
        }
        for i, prompt in enumerate(prompts)
    ]


def _candidate(prompt: Mapping[str, Any], hit_ids: set[str]) -> dict[str, Any]:
    accepted = prompt["prompt_id"] in hit_ids
    return {
        "prompt_id": prompt["prompt_id"],
        "generated": 2 if accepted else 15,
        "clique_decision": "no",
        "clique_size": 0,
        "mean_distance": None,
        "seeds": [],
        "decision": "accepted" if accepted else "rejected",
        "miss_bound": 0.09,
        "evaluations": 32 if accepted else 240,
    }


def _hit(identifier: str, originals: Mapping[str, int], hit_ids: set[str]) -> dict[str, Any]:
    found = identifier in hit_ids
    return {
        "prompt_id": identifier,
        "verdict": "matching" if found else "none",
        "sample_id": originals[identifier] if found else None,
        "original_state": "as_audited" if found else None,
        "agreeing": EVIDENCE if found else 0,
        "l2": 0.031 if found else 0.3,
        "normalised_l2": 0.042 if found else 0.4,
        "tile_l2": 0.083 if found else 0.5,
        "reconstruction_l2": 0.036 if found else 0.4,
        "copy_similarity": 0.97 if found else 0.2,
        "template_area": None,
        "k": 3 if found else 1,
        "seed": 42 if found else None,
        "evidence": EVIDENCE if found else 0,
        "paper_rule": found,
        "paper_l2": 0.031 if found else 0.3,
    }


def _generations(identifier: str, sample_id: int, number: int) -> list[dict[str, Any]]:
    """Two search images and the evidence, of which the last is unusable; nearer with a larger index."""
    indices = [0, 1, *(1_000_000 + n for n in range(EVIDENCE + 1))]
    return [
        {
            "prompt_id": identifier,
            "image_index": index,
            "seed": 10_000 + index,
            "steps": 20,
            "sample_id": sample_id,
            "normalised_l2": 0.09 - 0.01 * n,
            "near": [sample_id],
            "near_l2": [0.09],
            "l2": 0.03,
            "l2_sample_id": sample_id,
            "png": png(noisy(picture(number), 0.03 + 0.01 * n, n)),
            "defect": "flat" if n == len(indices) - 1 else None,
        }
        for n, index in enumerate(indices)
    ]


def overwrite(run: Run, table: Any, **columns: Any) -> None:
    """Write one of the run's single-file tables again with some columns set to literals or expressions."""
    frame = run.read(table).with_columns(**{name: _expression(value) for name, value in columns.items()})
    table.write(run.path, frame)


def _expression(value: Any) -> pl.Expr:
    return value if isinstance(value, pl.Expr) else pl.lit(value)


def originals(sample_ids: Sequence[int]) -> dict[int, bytes]:
    """A `pictures` callable that knows the pictures of the default plan's groups and singles."""
    plan, found, first = Plan(), {}, 0
    for i, copies in enumerate(plan.copies):
        found |= {first + n: i for n in range(copies)}
        first += copies
    found |= {first + n: 1000 + n for n in range(plan.singles)}
    return {sample_id: png(picture(found[sample_id])) for sample_id in sample_ids if sample_id in found}


def classed(run: Run) -> Run:
    """The planted run with classes of risk: the first two risk prompts are high, the next four medium, the rest low."""
    high, medium = pl.col("rank") <= 2, pl.col("rank") <= 6
    label = pl.when(high).then(pl.lit("high")).when(medium).then(pl.lit("medium")).otherwise(pl.lit("low"))
    overwrite(run, PROMPTS, risk_class=pl.when(pl.col("arm") == "risk").then(label), caption_rows=5)
    return run
