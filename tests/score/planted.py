"""A run made by hand with the truth of its data set: every figure of its score is known.

Twelve pictures: canaries of 8, 8, 8, 2 and 1 copies, a twin for each of the first four in as many audited rows, and
ten rows of the user's own that stand once. What happened to them:

    canary-0  8 copies   attacked, matching, its own picture
    canary-1  8          attacked, retrieved: canary-0's picture came back
    canary-2  8          stopped by triage
    canary-3  2          ranked below --prompts
    canary-4  1          drawn as a control, none
    canary-5  8          the audit made no prompt of it
    twin-0    8          attacked, none
    twin-1    8          attacked, matching: a false hit
    twin-2    8          stopped by triage
    twin-3    2          ranked below --prompts
    own rows  1          three controls, none; the others were not asked
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import polars as pl

from scanner.canaries import TRUTH
from scanner.duplicates.captions import prompt_id
from scanner.run import Run
from scanner.tables import CANDIDATES, GENERATIONS, HITS, MEMBERS, PROMPTS, SAMPLES, TRIAGE

EVALUATIONS = 8
"""Of triage, per prompt."""
PER_IMAGE = 16
EVIDENCE = 1_000_000


@dataclass(frozen=True, kw_only=True)
class Picture:
    """One picture, with what happened to it."""

    name: str
    rows: int
    shard: str = "planted/canaries/canaries-00000"
    arm: str | None = "risk"
    score: float | None = None
    verdict: str | None = None
    """None: not attacked."""
    shows: str | None = None
    """Picture that came back."""
    images: tuple[int, int] = (0, 0)
    """Of the search, and of the evidence."""

    @property
    def caption(self) -> str:
        return f"Picture {self.name}, in the manner of Klasox"


TWINS = "planted/twins/twins-00000"
PICTURES = (
    Picture(name="canary-0", rows=8, score=9.0, verdict="matching", shows="canary-0", images=(2, 4)),
    Picture(name="canary-1", rows=8, score=8.0, verdict="retrieved", shows="canary-0", images=(4, 4)),
    Picture(name="canary-2", rows=8, score=1.5),
    Picture(name="twin-0", rows=8, shard=TWINS, score=4.0, verdict="none", images=(8, 0)),
    Picture(name="twin-1", rows=8, shard=TWINS, score=3.0, verdict="matching", shows="twin-1", images=(8, 4)),
    Picture(name="twin-2", rows=8, shard=TWINS, score=0.5),
    Picture(name="canary-3", rows=2),
    Picture(name="twin-3", rows=2, shard=TWINS),
    Picture(name="canary-4", rows=1, arm="control", score=1.0, verdict="none", images=(8, 0)),
    *(
        Picture(
            name=f"own-{i}", rows=1, shard="data/00000", arm="control", score=float(i), verdict="none", images=(8, 0)
        )
        for i in range(3)
    ),
    Picture(name="canary-5", rows=8, arm=None),
    *(Picture(name=f"own-{i}", rows=1, shard="data/00000", arm=None) for i in range(3, 10)),
)
PROMPTS_TRIED, CONTROLS_TRIED = 6, 4
"""The attack's --prompts and --control."""


def make_run(path: Path, *, attacked: bool = True) -> Run:
    """The run, with an attack or without."""
    run = Run.claim(path, {"dataset": "planted/", "seed": 0})
    first: dict[str, int] = {}
    samples, members = [], []
    for picture in PICTURES:
        first[picture.name] = len(samples)
        for row in range(picture.rows):
            sample = {"sample_id": len(samples), "shard": picture.shard, "key": f"{picture.name}-{row:03d}"}
            if picture.rows > 1:
                members.append({"sample_id": len(samples), "group_id": first[picture.name], "similarity_to_medoid": 1})
            samples.append(dict.fromkeys(SAMPLES.columns) | sample | {"caption": picture.caption})
    SAMPLES.write(run.path, SAMPLES.frame(samples), part="00000")
    MEMBERS.write(run.path, MEMBERS.frame(members))
    PROMPTS.write(run.path, PROMPTS.frame(_prompts(first)))
    run.finish("audit", {})
    if attacked:
        _attack(run, first)
    return run


def _prompts(first: dict[str, int]) -> Iterator[dict[str, Any]]:
    ranks = {"risk": 0, "control": 0}
    for picture in PICTURES:
        if picture.arm is not None:
            ranks[picture.arm] += 1
            row = {"prompt_id": prompt_id(picture.caption), "rank": ranks[picture.arm], "arm": picture.arm}
            yield dict.fromkeys(PROMPTS.columns) | row | {
                "caption": picture.caption, "sample_id": first[picture.name], "risk": 0.5
            }  # fmt: skip


def _attack(run: Run, first: dict[str, int]) -> None:
    run.claim_part("attack", {"prompts": PROMPTS_TRIED, "control": CONTROLS_TRIED, "triage": "wen"})
    scored = [one for one in PICTURES if one.score is not None]
    asked = [one for one in PICTURES if one.verdict is not None]
    TRIAGE.write(run.path, TRIAGE.frame(_triage(one) for one in scored))
    ids = {one.name: prompt_id(one.caption) for one in asked}
    CANDIDATES.write(
        run.path,
        CANDIDATES.frame(
            dict.fromkeys(CANDIDATES.columns) | {"prompt_id": ids[one.name], "decision": "open"} for one in asked
        ),
    )
    HITS.write(
        run.path,
        HITS.frame(
            dict.fromkeys(HITS.columns)
            | {"prompt_id": ids[one.name], "verdict": one.verdict}
            | {"sample_id": first[one.shows] + 1 if one.shows else None}
            for one in asked
        ),
    )
    GENERATIONS.write(run.path, GENERATIONS.frame(_images(asked)), part="all")
    run.finish("attack", {})


def _triage(one: Picture) -> dict[str, Any]:
    return {
        "prompt_id": prompt_id(one.caption), "detector": "wen", "score": one.score, "threshold": 2.0,
        "passed": one.score > 2, "evaluations": EVALUATIONS,
    }  # fmt: skip


def _images(asked: list[Picture]) -> Iterator[dict[str, Any]]:
    for one in asked:
        for start, count in zip((0, EVIDENCE), one.images, strict=True):
            for number in range(count):
                row = {"prompt_id": prompt_id(one.caption), "image_index": start + number, "evaluations": PER_IMAGE}
                yield dict.fromkeys(GENERATIONS.columns) | row


def make_truth(path: Path) -> Path:
    """The truth of canaries and twins, as `scanner lab plant` writes it."""
    rows = [
        {
            "shard": one.shard.rpartition("/")[2], "key": f"{one.name}-{row:03d}", "caption": one.caption,
            "copies": one.rows if one.name.startswith("canary") else 0, "planted": one.name.startswith("canary"),
            "picture": one.name, "sha256": "0", "file": "0",
            "twin_of": one.name.replace("twin", "canary") if one.name.startswith("twin") else None,
        }
        for one in PICTURES
        if not one.name.startswith("own")
        for row in range(one.rows)
    ]  # fmt: skip
    pl.DataFrame(rows, schema=TRUTH).write_parquet(path)
    return path
