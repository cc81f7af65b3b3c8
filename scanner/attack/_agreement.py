"""Generations that agree on one original: the evidence where the originals are at hand.

>>> agreement([[(7, 0.05)], [(7, 0.11)]], {}, threshold=0.12)
Agreement(sample_id=7, count=2, distance=0.11)
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

NEEDED = 2
"""Generations that must agree on one original."""

Near = Sequence[tuple[int, float]]
"""What lies near one generation: (sample_id, normalised l2), the nearest row of each group."""


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The original that most generations lie near."""

    sample_id: int
    """The original (of its group, the row nearest to a generation)."""
    count: int
    """Generations within the threshold of it (of any row of its group)."""
    distance: float
    """The NEEDED-th smallest distance: the threshold at which the agreement begins."""


def agreement(near: Sequence[Near], group_of: Mapping[int, int], *, threshold: float) -> Agreement | None:
    """The original on which at least two generations agree, from each generation's (sample_id, distance) list.

    Rows of one duplicate group count as one original. None when no two generations have one in common, at any
    distance; `count` may be below 2 when the agreement lies beyond the threshold.
    """
    by_original: dict[int, list[tuple[float, int]]] = {}
    for generation in near:
        best: dict[int, tuple[float, int]] = {}
        for sample, distance in generation:
            original = group_of.get(sample, sample)
            best[original] = min(best.get(original, (distance, sample)), (distance, sample))
        for original, pair in best.items():
            by_original.setdefault(original, []).append(pair)
    agreed = [
        Agreement(
            sample_id=min(pairs)[1],
            count=sum(distance <= threshold for distance, _ in pairs),
            distance=sorted(pairs)[NEEDED - 1][0],
        )
        for pairs in by_original.values()
        if len(pairs) >= NEEDED
    ]
    return min(agreed, key=lambda found: (-found.count, found.distance, found.sample_id), default=None)
