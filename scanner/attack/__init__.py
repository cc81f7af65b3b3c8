"""The generate-and-cluster extraction attack of Carlini et al. 2023, in rounds that stop where the evidence is.

>>> from scanner.attack import clique_of, tile_distances
>>> clique_of(tile_distances(images) <= 0.10, size=10)                      # doctest: +SKIP
"""

from scanner.attack._agreement import NEEDED, Agreement, agreement
from scanner.attack._budget import Budget, BudgetSpent
from scanner.attack._clique import Clique, clique_of
from scanner.attack._distance import (
    as_unit,
    block_means,
    l2,
    normalise,
    normalised_l2,
    tile_distances,
    tile_l2,
)
from scanner.attack._evidence import ByClique, ByOriginals, Rule, Shown, clique_level
from scanner.attack._generate import (
    EVIDENCE_FIRST,
    Generator,
    Lookup,
    Near,
    PromptImages,
    Sampling,
    from_png,
    is_there,
)
from scanner.attack._rounds import Rounds, miss_bound, required_images

__all__ = [
    "EVIDENCE_FIRST",
    "NEEDED",
    "Agreement",
    "Budget",
    "BudgetSpent",
    "ByClique",
    "ByOriginals",
    "Clique",
    "Generator",
    "Lookup",
    "Near",
    "PromptImages",
    "Rounds",
    "Rule",
    "Sampling",
    "Shown",
    "agreement",
    "as_unit",
    "block_means",
    "clique_level",
    "clique_of",
    "from_png",
    "is_there",
    "l2",
    "miss_bound",
    "normalise",
    "normalised_l2",
    "required_images",
    "tile_distances",
    "tile_l2",
]
