"""The adaptive distance of the unconditional attack (Carlini et al. 2023, section 5.1, arXiv 2301.13188).

How near is near differs from picture to picture: generations of plain pictures lie close to many training images that
they do not show. So the distance to the nearest one is measured in that to its neighbourhood,

    ℓ(x̂, x; S) = l2(x̂, x) / (α · mean of l2(x̂, y) over y in S),    S: the n training images nearest to x̂,

with the paper's n = 50 and α = 0.5: below 1 the nearest image is less than half as far as the 50 are on average.

Where we differ: the paper's S is of rows, and a picture of 50 copies would be its own neighbourhood, with ℓ = 2 for an
exact copy. Our S is of distinct pictures: the nearest row of each of the 50 nearest duplicate groups (a row in no group
is a group of its own). In a set without duplicates the two are the same.

    >>> Neighbourhood(sample_id=7, l2=0.02, mean_l2=0.2).adaptive_l2
    0.2
"""

from dataclasses import dataclass

NEIGHBOURS = 50
"""n: distinct training images in the neighbourhood, the nearest among them."""
ALPHA = 0.5
"""α: part of the neighbourhood's mean distance at which the adaptive distance is 1."""
PAPER_ADAPTIVE = 1.0
"""A generation below it is the paper's candidate for a memorised image."""


@dataclass(frozen=True, kw_only=True)
class Neighbourhood:
    """What lies around one image among the training images."""

    sample_id: int
    """The nearest."""
    l2: float
    """Its plain l2, 0 to 1."""
    mean_l2: float
    """Mean plain l2 to the 50 nearest distinct images."""

    @property
    def adaptive_l2(self) -> float:
        """0 for an exact copy, at most 1 / α = 2; that also where all 50 are equal to the image."""
        return self.l2 / (ALPHA * self.mean_l2) if self.mean_l2 > 0 else 1 / ALPHA
