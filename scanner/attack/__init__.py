"""The generate-and-cluster extraction attack of Carlini et al. 2023, in rounds that stop where the evidence is.

>>> from scanner.attack import clique_of, tile_distances
>>> clique_of(tile_distances(images) <= 0.10, size=10)                      # doctest: +SKIP
"""

from scanner.attack._adaptive import ALPHA, NEIGHBOURS, PAPER_ADAPTIVE, Neighbourhood
from scanner.attack._agreement import NEEDED, Agreement, agreement
from scanner.attack._clique import Clique, clique_of
from scanner.attack._cost import (
    PAPER_IMAGES,
    CostProtocol,
    PerImage,
    Phase,
    RiskKind,
    Round,
    Span,
    allowed_controls,
    attack_cost,
    exactly,
    first_kinds,
    paper_cost,
    prompts_within,
    total_cost,
    undecided,
)
from scanner.attack._distance import (
    DEVIATION,
    LEAST_DEVIATION,
    as_unit,
    block_means,
    l2,
    normalise,
    normalised_l2,
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
    png,
)
from scanner.attack._levels import agreement_levels
from scanner.attack._pairs import tile_distances
from scanner.attack._rounds import Rounds, miss_bound, required_images
from scanner.attack._spending import BudgetSpent, Spending
from scanner.attack._unprompted import Unprompted

__all__ = [
    "ALPHA",
    "DEVIATION",
    "EVIDENCE_FIRST",
    "LEAST_DEVIATION",
    "NEEDED",
    "NEIGHBOURS",
    "PAPER_ADAPTIVE",
    "PAPER_IMAGES",
    "Agreement",
    "BudgetSpent",
    "ByClique",
    "ByOriginals",
    "Clique",
    "CostProtocol",
    "Generator",
    "Lookup",
    "Near",
    "Neighbourhood",
    "PerImage",
    "Phase",
    "PromptImages",
    "RiskKind",
    "Round",
    "Rounds",
    "Rule",
    "Sampling",
    "Shown",
    "Span",
    "Spending",
    "Unprompted",
    "agreement",
    "agreement_levels",
    "allowed_controls",
    "as_unit",
    "attack_cost",
    "block_means",
    "clique_level",
    "clique_of",
    "exactly",
    "first_kinds",
    "from_png",
    "is_there",
    "l2",
    "miss_bound",
    "normalise",
    "normalised_l2",
    "paper_cost",
    "png",
    "prompts_within",
    "required_images",
    "tile_distances",
    "tile_l2",
    "total_cost",
    "undecided",
]
