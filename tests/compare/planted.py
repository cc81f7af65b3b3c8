"""Pairs of runs made by hand: rows by picture, groups by letter, prompts by caption: every difference is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from scanner.duplicates import count_captions
from scanner.duplicates.captions import prompt_id
from scanner.run import Run
from scanner.tables import CANDIDATES, CAPTIONS, FILES, GROUPS, HITS, MEMBERS, PROMPTS, SAMPLES, TRIAGE
from tests.report.planted import sample


@dataclass(frozen=True, kw_only=True)
class Row:
    """A row of a planted run."""

    picture: int
    """Number of its picture (`tests.report.planted.picture`)."""
    group: str | None = None
    """Name of its duplicate group; ids are given by place."""
    caption: str | None = None
    """Its caption."""
    more: Mapping[str, Any] = field(default_factory=dict)
    """Other columns of the samples table."""


@dataclass(frozen=True, kw_only=True)
class Tried:
    """An attacked prompt."""

    verdict: str = "none"
    """matching, retrieved, template or none."""
    held_back: bool = False
    """Whether triage let it not through."""


Ranked = tuple[str, str, float, int]
"""caption, arm, risk, copies."""


def copies(picture: int, times: int, group: str | None, caption: str | None = None, **more: Any) -> list[Row]:
    return [Row(picture=picture, group=group, caption=caption, more=more) for _ in range(times)]


def plant(
    path: Path,
    rows: Sequence[Row],
    prompts: Sequence[Ranked] = (),
    *,
    first: int = 0,
    config: Mapping[str, Any] | None = None,
    attack: Mapping[str, Any] | None = None,
    tried: Mapping[str, Tried] | None = None,
) -> Run:
    """A finished run of these rows; the sample ids begin at `first`."""
    run = Run.claim(path, {"dataset": f"{path.name}-data/", "model": "demo", "threshold": 0.9, **(config or {})})
    own = {"url": None}
    samples = [
        sample(first + i, row.picture, row.caption, **(own | {"key": f"{path.name}-{i}"} | dict(row.more)))
        for i, row in enumerate(rows)
    ]
    SAMPLES.write(run.path, SAMPLES.frame(samples), part="00000")
    FILES.write(run.path, FILES.frame([{"shard": "0", "file": "0.tar", "state": path.name, "number": 0, "added": 0}]))
    names = sorted({row.group for row in rows if row.group})
    members = {name: [first + i for i, row in enumerate(rows) if row.group == name] for name in names}
    MEMBERS.write(
        run.path, MEMBERS.frame({"sample_id": i, "group_id": ids[0]} for ids in members.values() for i in ids)
    )
    GROUPS.write(run.path, GROUPS.frame(_group(ids, rows, first) for ids in members.values()))
    counted = count_captions(*(run.read(table) for table in (SAMPLES, MEMBERS, GROUPS)))
    CAPTIONS.write(run.path, counted.captions)
    PROMPTS.write(run.path, PROMPTS.frame(_prompt(i, prompts, rows, first) for i in range(len(prompts))))
    run.finish("audit", {"rows_in": len(rows), "cosine": 0.9})
    if attack is not None:
        _attack(run, attack, tried or {})
    return run


def _group(ids: Sequence[int], rows: Sequence[Row], first: int) -> dict[str, Any]:
    caption = rows[ids[0] - first].caption
    share = {"top_caption_share": 1.0 if caption else None, "distinct_captions": 1}
    return {"group_id": ids[0], "copies": len(ids), "top_caption": caption, "medoid": ids[0]} | share


def _prompt(at: int, prompts: Sequence[Ranked], rows: Sequence[Row], first: int) -> dict[str, Any]:
    caption, arm, risk, number = prompts[at]
    place = next((first + i for i, row in enumerate(rows) if row.caption == caption), None)
    rank = [one[0] for one in prompts if one[1] == arm].index(caption) + 1
    return {
        **{"prompt_id": prompt_id(caption), "rank": rank, "arm": arm, "caption": caption, "sample_id": place},
        **{"risk": risk, "copies": number, "reason": f"{number} copies"},
    }


def _attack(run: Run, config: Mapping[str, Any], tried: Mapping[str, Tried]) -> None:
    run.claim_part("attack", config)
    prompts = {row["caption"]: row for row in run.read(PROMPTS).iter_rows(named=True)}
    made = {caption: one for caption, one in tried.items() if not one.held_back}
    scores = (
        {"prompt_id": prompts[caption]["prompt_id"], "detector": "wen", "score": 1.0, "passed": not one.held_back}
        for caption, one in tried.items()
    )
    TRIAGE.write(run.path, TRIAGE.frame({"threshold": 0.5, "evaluations": 1, **score} for score in scores))
    CANDIDATES.write(
        run.path,
        CANDIDATES.frame(
            {"prompt_id": prompts[caption]["prompt_id"], "generated": 8, "decision": "rejected", "evaluations": 8}
            for caption in made
        ),
    )
    HITS.write(
        run.path,
        HITS.frame(
            {"prompt_id": prompts[caption]["prompt_id"], "verdict": one.verdict, "evidence": 4, "paper_rule": False}
            | {"sample_id": prompts[caption]["sample_id"] if one.verdict != "none" else None}
            for caption, one in made.items()
        ),
    )
    run.finish("attack", {"normalised_threshold": {"value": 0.12, "ceiling": 0.12}})
