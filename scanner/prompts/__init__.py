"""Prompts to try: captions of duplicate groups ranked by risk, and a control arm of captions that occur once.

>>> from scanner.prompts import RankConfig, draw_controls, rank_prompts
>>> risky = rank_prompts(samples, found.members, found.groups, RankConfig())            # doctest: +SKIP
>>> controls = draw_controls(samples, found.members, risky, count=100, seed=0)             # doctest: +SKIP
"""

from scanner.duplicates.captions import prompt_id
from scanner.prompts._classes import BOUNDARIES, risk_class
from scanner.prompts._controls import draw_controls
from scanner.prompts._coverage import Coverage, Step
from scanner.prompts._curve import (
    BUCKETS,
    Curve,
    Measured,
    bucket_label,
    measure_curve,
    read_curve,
    shipped_curve,
)
from scanner.prompts._curve import FILE as CURVE_FILE
from scanner.prompts._rank import Agreement, RankConfig, Ranking, rank_prompts, ranking
from scanner.prompts._risk import (
    agreement_factor,
    combined_risk,
    concentration,
    copies_part,
    risk_score,
    specificity,
    text_part,
)

__all__ = [
    "BOUNDARIES",
    "BUCKETS",
    "CURVE_FILE",
    "Agreement",
    "Coverage",
    "Curve",
    "Measured",
    "RankConfig",
    "Ranking",
    "Step",
    "agreement_factor",
    "bucket_label",
    "combined_risk",
    "concentration",
    "copies_part",
    "draw_controls",
    "measure_curve",
    "prompt_id",
    "rank_prompts",
    "ranking",
    "read_curve",
    "risk_class",
    "risk_score",
    "shipped_curve",
    "specificity",
    "text_part",
]
