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
from scanner.prompts._checksum import list_checksum
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
from scanner.prompts._rank import AskAgreement, RankConfig, Ranking, rank_prompts, ranking
from scanner.prompts._risk import FORMULA as RISK_FORMULA
from scanner.prompts._risk import (
    TEMPLATE_WEIGHT,
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
    "FEWEST_REFERENCES",
    "MOST_REFERENCES",
    "RISK_FORMULA",
    "TEMPLATE_WEIGHT",
    "Agreement",
    "AskAgreement",
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
    "draw_references",
    "list_checksum",
    "measure_curve",
    "measure_pairs",
    "prompt_id",
    "rank_prompts",
    "ranking",
    "read_curve",
    "risk_class",
    "risk_score",
    "share_below",
    "shipped_curve",
    "specificity",
    "text_part",
]
