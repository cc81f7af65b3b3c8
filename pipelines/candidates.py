"""The candidates table: what the search decided on each attacked prompt, and the paper's clique test beside it.

A prompt that was accepted has its full-step evidence to be clustered; the others have the images of the search, as
has every prompt of the paper's own attack (`--exhaustive`). Fewer images than the clique's size leave it undecided.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.configs import AttackOptions
from pipelines.rounds import Arm
from pipelines.search import Search, usable_distances
from scanner.attack import EVIDENCE_FIRST, Clique, clique_of, is_there, miss_bound
from scanner.tables import CANDIDATES
from scanner.verify import EDGE_CEILING, edge_threshold


@dataclass(frozen=True, kw_only=True)
class _Images:
    """What is known of one prompt's images."""

    distances: NDArray[np.float32]
    """(n, n) tile distances of the clustered images."""
    seeds: Sequence[int]
    """Their seeds."""
    generated: int
    """Images of the search that came, usable or not."""
    usable: int
    """Those of them that can be compared."""
    evaluations: int
    """Denoiser evaluations of all its images."""


class Attacked(Protocol):
    """Both arms after their rounds."""

    @property
    def risk(self) -> Arm: ...

    @property
    def control(self) -> Arm: ...

    def accepted(self) -> frozenset[str]: ...


def write_candidates(search: Search, attacked: Attacked, config: AttackOptions) -> float:
    """Write the table, a row for every prompt that images were made of; returns the edge threshold of its cliques."""
    accepted = attacked.accepted()
    prompts = (*attacked.risk.prompts, *attacked.control.prompts)
    images = {
        prompt.prompt_id: _read(rows, evidence=prompt.prompt_id in accepted and not config.exhaustive)
        for prompt, rows in zip(prompts, search.generations(prompts), strict=True)
        if len(rows)
    }
    edge = config.edge or EDGE_CEILING
    if config.edge is None and config.exhaustive:  # the control arm has images of as many steps to compare with
        controls = [p.prompt_id for p in attacked.control.prompts if p.prompt_id not in accepted]
        distances = [images[prompt].distances for prompt in controls]
        edge = edge_threshold(distances, ceiling=EDGE_CEILING, rate=config.false_positive_rate)
    rows = [
        _outcome(prompt, found, _decision(prompt, found, attacked, config), config)
        | _clustered(found, edge=edge, size=config.clique)
        for prompt, found in images.items()
    ]
    CANDIDATES.write(search.run.path, CANDIDATES.frame(rows))
    return edge


def _read(rows: pl.DataFrame, *, evidence: bool) -> _Images:
    made = rows.filter(pl.col("image_index") < EVIDENCE_FIRST)
    distances, seeds = usable_distances(rows, evidence=evidence)
    return _Images(
        distances=distances,
        seeds=seeds,
        generated=made.filter(is_there()).height,
        usable=made.filter(pl.col("defect").is_null()).height,
        evaluations=int(rows["evaluations"].sum()),
    )


def _decision(prompt: str, images: _Images, attacked: Attacked, config: AttackOptions) -> str:
    if prompt in attacked.accepted():
        return "accepted"
    settled = prompt not in attacked.risk.unsettled
    bound = miss_bound(images.usable, rate=config.rate, chase=config.chase)
    return "rejected" if settled and bound <= config.miss else "open"


def _outcome(prompt: str, images: _Images, decision: str, config: AttackOptions) -> dict[str, Any]:
    return {
        "prompt_id": prompt,
        "generated": images.generated,
        "evaluations": images.evaluations,
        "decision": decision,
        "miss_bound": miss_bound(images.usable, rate=config.rate, chase=config.chase),
    }


def _clustered(images: _Images, *, edge: float, size: int) -> dict[str, Any]:
    enough = len(images.distances) >= size
    clique = clique_of(images.distances <= edge, size=size) if enough else Clique(decision="undecided", members=())
    members = list(clique.members)
    inside = images.distances[np.ix_(members, members)][np.triu_indices(len(members), 1)]
    return {
        "clique_decision": clique.decision,
        "clique_size": len(members),
        "mean_distance": float(inside.mean()) if len(inside) else None,
        "seeds": [images.seeds[i] for i in members],
    }
