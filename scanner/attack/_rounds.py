"""Generation in rounds: accept where generations agree, reject where a miss has become improbable enough.

A memorised prompt gives its image back in a large share of its seeds, so 2 images settle most of them; the paper
spends 500 on every prompt. Two generations that lie near one original agree. If each generation shows the original
with probability `rate`, n generations show it less than twice with probability (1 − r)ⁿ + n r (1 − r)ⁿ⁻¹
(binomial); a prompt is rejected once that is at most `miss`.

    >>> required_images(rate=0.25, miss=0.1)
    15
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import comb

from scanner.errors import UnusableInputError

NEEDED = 2
"""Generations that must agree on one original."""


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """How many images a prompt gets, in steps, and when it is given up."""

    totals: tuple[int, ...] = (2, 4, 8, 32, 128, 500)
    """Images a prompt has after each round."""
    rate: float = 0.25
    """Share of seeds in which a prompt must reproduce its image to be looked for."""
    miss: float = 0.10
    """Chance of missing such a prompt that is accepted."""

    def __post_init__(self) -> None:
        if not self.totals or any(b <= a for a, b in zip((0, *self.totals), self.totals, strict=False)):
            raise UnusableInputError(f"The rounds {self.totals} do not grow; give rising numbers of images.")
        if not (0 < self.rate <= 1 and 0 < self.miss < 1):
            raise UnusableInputError(
                f"The rate {self.rate} and the chance of a miss {self.miss} must lie between 0 and 1."
            )

    def schedule(self) -> tuple[int, ...]:
        """The rounds up to the number of images at which a prompt without agreement is rejected."""
        needed = required_images(rate=self.rate, miss=self.miss)
        return (
            *(total for total in self.totals if total < needed),
            *((needed,) if needed <= self.totals[-1] else ()),
        )


@dataclass(frozen=True, kw_only=True)
class Agreement:
    """The original that most generations lie near."""

    sample_id: int
    """The original (of its group, the row nearest to a generation)."""
    count: int
    """Generations within the threshold of it (of any row of its group)."""
    distance: float
    """The NEEDED-th smallest distance: the threshold at which the agreement begins."""


def agreement(
    near: Sequence[Sequence[tuple[int, float]]], group_of: Mapping[int, int], *, threshold: float
) -> Agreement | None:
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


def miss_bound(images: int, *, rate: float) -> float:
    """Chance that a prompt which shows its image at `rate` shows it fewer than two times in `images`."""
    return float(sum(comb(images, k) * rate**k * (1 - rate) ** (images - k) for k in range(min(NEEDED, images + 1))))


def required_images(*, rate: float, miss: float) -> int:
    """The smallest number of images with `miss_bound` at most `miss`."""
    images = NEEDED
    while miss_bound(images, rate=rate) > miss:
        images += 1
    return images
