"""How many parts a search has, without opening its index.

>>> parts_of(40_000, NeighbourConfig(block_rows=10_000))
(range(0, 3), range(0, 4))
"""

from scanner.duplicates.neighbours._neighbours import _PART, NeighbourConfig


def parts_of(count: int, config: NeighbourConfig) -> tuple[range, range]:
    """`star_parts` and `pair_parts` of a search over `count` rows under this configuration."""
    if count < 2:
        return range(0), range(0)
    cuts = range(-(-count // _PART))
    whole = count <= config.exhaustive_rows
    pair_parts = range(-(-(count - config.fresh) // config.block_rows)) if whole else cuts
    return range(0) if config.across else cuts, pair_parts
