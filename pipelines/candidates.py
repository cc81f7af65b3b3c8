"""The candidates table: what the search decided on each attacked prompt, and the paper's clique test beside it.

A prompt that the search accepted after two images has its full-step evidence to be clustered; the others have the
images of the search. Fewer images than the clique's size leave it undecided.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.configs import AttackOptions
from pipelines.search import Prompt, Search, Searched, usable_distances
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


def write_candidates(search: Search, searched: Searched, config: AttackOptions) -> float:
    """Write the table; returns the edge threshold at which its cliques were decided."""
    images = _read_images(search, searched)
    controls = [prompt.prompt_id for prompt in searched.control if prompt.prompt_id not in searched.accepted]
    edge = edge_threshold(
        [images[prompt].distances for prompt in controls], ceiling=EDGE_CEILING, rate=config.false_positive_rate
    )
    rows = [
        _outcome(prompt, images[prompt.prompt_id], searched, config)
        | _clustered(images[prompt.prompt_id], edge=edge, size=config.clique)
        for prompt in searched.attacked
    ]
    CANDIDATES.write(search.run.path, CANDIDATES.frame(rows))
    return edge


def _read_images(search: Search, searched: Searched) -> dict[str, _Images]:
    found = {}
    for prompt, rows in zip(searched.attacked, search.generations(searched.attacked), strict=True):
        made = rows.filter(pl.col("image_index") < EVIDENCE_FIRST)
        distances, seeds = usable_distances(rows, evidence=prompt.prompt_id in searched.accepted)
        found[prompt.prompt_id] = _Images(
            distances=distances,
            seeds=seeds,
            generated=made.filter(is_there()).height,
            usable=made.filter(pl.col("defect").is_null()).height,
            evaluations=int(rows["evaluations"].sum()),
        )
    return found


def _outcome(prompt: Prompt, images: _Images, searched: Searched, config: AttackOptions) -> dict[str, Any]:
    bound = miss_bound(images.usable, rate=config.rate)
    given_up = "rejected" if bound <= config.miss else "open"
    return {
        "prompt_id": prompt.prompt_id,
        "generated": images.generated,
        "evaluations": images.evaluations,
        "decision": "accepted" if prompt.prompt_id in searched.accepted else given_up,
        "miss_bound": bound,
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
