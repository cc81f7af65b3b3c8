"""Neighbours among unit vectors at a high cosine: cells, an upper bound that dismisses, exact cosines that decide.

>>> from scanner.duplicates.neighbours import Neighbours, UnitRows
>>> search = Neighbours(UnitRows.of(embeddings), 0.95)                               # doctest: +SKIP
>>> for part in search.pair_parts:                                                   # doctest: +SKIP
...     for pairs in search.pairs(part, is_open):
...         unite(parents, pairs.left, pairs.right)
"""

from scanner.duplicates.neighbours._bound import fast_type
from scanner.duplicates.neighbours._config import NeighbourConfig, parts_of
from scanner.duplicates.neighbours._leaders import Stars
from scanner.duplicates.neighbours._neighbours import PARALLEL, Component, Neighbours, Pairs
from scanner.duplicates.neighbours._rows import Behind, HashRows, Rows, Stored, UnitRows, cosines, slices

__all__ = [
    "PARALLEL",
    "Behind",
    "Component",
    "HashRows",
    "NeighbourConfig",
    "Neighbours",
    "Pairs",
    "Rows",
    "Stars",
    "Stored",
    "UnitRows",
    "cosines",
    "fast_type",
    "parts_of",
    "slices",
]
