"""Rounds of few-step images: how many a prompt gets, when it is given up, and what that may miss.

A memorised prompt gives its image back in a large share of its seeds and within a few steps, so 2 images settle most
prompts; the paper spends 500 on every one. A prompt leaves the search when its images at full steps agree
(`_evidence`), or is rejected once the chance of having missed it is small enough. If each image shows the original
with probability `rate`, n search images all miss it with probability (1 − rate)ⁿ; and once one has shown it, the
`chase` search images all miss it a second time with probability at most (1 − rate)^(chase − n). The sum bounds the
chance of a miss from above, where `rate` is that of few steps and full steps alike.

    >>> required_images(rate=0.25, miss=0.1, chase=64)
    9
"""

from dataclasses import dataclass

from scanner.errors import UnusableInputError


@dataclass(frozen=True, kw_only=True)
class Rounds:
    """How many images a prompt gets, in steps, and when it is given up."""

    totals: tuple[int, ...] = (2, 4, 8, 32, 128, 500)
    """Images a prompt has after each round."""
    rate: float = 0.25
    """Share of seeds in which a prompt must reproduce its image to be looked for."""
    miss: float = 0.10
    """Chance of missing such a prompt that is accepted."""
    chase: int = 64
    """Search images of a prompt that has shown its original once: a second is looked for among so many."""

    def __post_init__(self) -> None:
        if not self.totals or any(b <= a for a, b in zip((0, *self.totals), self.totals, strict=False)):
            raise UnusableInputError(f"The rounds {self.totals} do not grow; give rising numbers of images.")
        if not (0 < self.rate <= 1 and 0 < self.miss < 1):
            raise UnusableInputError(
                f"The rate {self.rate} and the chance of a miss {self.miss} must lie between 0 and 1."
            )

    def schedule(self) -> tuple[int, ...]:
        """The rounds up to the number of images at which a prompt that showed nothing is rejected."""
        needed = required_images(rate=self.rate, miss=self.miss, chase=self.chase)
        return (
            *(total for total in self.totals if total < needed),
            *((needed,) if needed <= self.totals[-1] else ()),
        )


def miss_bound(images: int, *, rate: float, chase: int) -> float:
    """Upper bound of the chance that a prompt which shows its image at `rate` is missed after so many search images."""
    return float(min(1.0, (1 - rate) ** images + (1 - rate) ** max(chase - images, 0)))


def required_images(*, rate: float, miss: float, chase: int) -> int:
    """The smallest number of search images with `miss_bound` at most `miss`.

    Raises UnusableInputError when no number keeps the bound, since too few are left for the second one.
    """
    for images in range(1, chase + 1):
        if miss_bound(images, rate=rate, chase=chase) <= miss:
            return images
    raise UnusableInputError(
        f"{chase} search images can't keep the chance of missing a prompt at rate {rate} below {miss}; raise --chase, "
        "--rate or --miss."
    )
