"""Prompts to try: captions of duplicate groups ranked by risk, and a control arm of captions that occur once.

>>> from scanner.prompts import RankConfig, draw_controls, rank_prompts
>>> risky = rank_prompts(samples, found.members, found.groups, RankConfig())            # doctest: +SKIP
>>> controls = draw_controls(samples, found.members, risky, count=100, seed=0)             # doctest: +SKIP
"""

from scanner.duplicates.captions import prompt_id
from scanner.prompts._agreement import (
    FEWEST_REFERENCES,
    MOST_REFERENCES,
    Agreement,
    draw_references,
    measure_pairs,
    share_below,
)
from scanner.prompts._classes import BOUNDARIES, risk_class
from scanner.prompts._controls import draw_controls
from scanner.prompts._rank import RankConfig, rank_prompts
from scanner.prompts._risk import copies_part, risk_score, text_part

__all__ = [
    "BOUNDARIES",
    "FEWEST_REFERENCES",
    "MOST_REFERENCES",
    "Agreement",
    "RankConfig",
    "copies_part",
    "draw_controls",
    "draw_references",
    "measure_pairs",
    "prompt_id",
    "rank_prompts",
    "risk_class",
    "risk_score",
    "share_below",
    "text_part",
]
