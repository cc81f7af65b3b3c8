"""How neighbours are looked for, and in how many parts, which is told without opening an index.

>>> parts_of(40_000, NeighbourConfig(block_rows=10_000))
(range(0, 3), range(0, 4))
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class NeighbourConfig:
    """How pairs are looked for."""

    exhaustive_rows: int = 50_000
    """Up to so many rows every pair is compared; beyond, rows are compared inside cells."""
    probes: int = 9
    """Cells that half of the rows ask at least: the more, the nearer to the borders of their own."""
    block_rows: int = 1024
    """Rows that make a part where all are compared."""
    part_rows: int = 16_384
    """Rows whose cells, or buckets, make a part."""
    decides: bool = False
    """The cosine makes a pair, so that a row near a leader's member, and not near the leader, must be found too."""
    fresh: int = 0
    """Rows before this one are known: pairs of two of them are not looked for."""
    across: bool = False
    """Look only for pairs of a known row and a fresh one."""
    seed: int = 0
    """Decides which rows the directions and cells are fitted on."""


def parts_of(count: int, config: NeighbourConfig) -> tuple[range, range]:
    """`star_parts` and `pair_parts` of a search over `count` rows."""
    if count < 2:
        return range(0), range(0)
    cuts = range(-(-count // config.part_rows))
    whole = count <= config.exhaustive_rows
    pair_parts = range(-(-(count - config.fresh) // config.block_rows)) if whole else cuts
    return range(0) if config.across else cuts, pair_parts
