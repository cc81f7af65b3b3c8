"""The generate-and-cluster extraction attack of Carlini et al. 2023, in rounds that stop where the evidence is.

>>> from scanner.attack import clique_of, tile_distances
>>> clique_of(tile_distances(images) <= 0.10, size=10)                      # doctest: +SKIP
"""

from scanner.attack._adaptive import ALPHA, NEIGHBOURS, PAPER_ADAPTIVE, Neighbourhood
from scanner.attack._clique import Clique, clique_of
from scanner.attack._distance import (
    as_unit,
    block_means,
    l2,
    normalise,
    normalised_l2,
    tile_l2,
)
from scanner.attack._generate import EVIDENCE_FIRST, Generator, Lookup, Near, PromptImages, Sampling, from_png
from scanner.attack._pairs import tile_distances
from scanner.attack._rounds import NEEDED, Agreement, Rounds, agreement, miss_bound, required_images
from scanner.attack._unprompted import Unprompted

__all__ = [
    "ALPHA",
    "EVIDENCE_FIRST",
    "NEEDED",
    "NEIGHBOURS",
    "PAPER_ADAPTIVE",
    "Agreement",
    "Clique",
    "Generator",
    "Lookup",
    "Near",
    "Neighbourhood",
    "PromptImages",
    "Rounds",
    "Sampling",
    "Unprompted",
    "agreement",
    "as_unit",
    "block_means",
    "clique_of",
    "from_png",
    "l2",
    "miss_bound",
    "normalise",
    "normalised_l2",
    "required_images",
    "tile_distances",
    "tile_l2",
]
