"""Classes of risk, with stated boundaries.

A picture whose copies all carry one caption, found nowhere else, is `high` from 101 copies on, where extraction from
Stable Diffusion 1.4 starts (Carlini et al. 2023, https://arxiv.org/abs/2301.13188), and `medium` from 13 on: the lab's
small targets, trained for long, begin to give pictures back at 8 to 32 copies. The boundaries are ours.

>>> risk_class(0.6)
'high'
"""

BOUNDARIES = {"high": 0.5, "medium": 0.1, "low": 0.0}
"""The smallest risk of each class, highest first."""


def risk_class(risk: float) -> str:
    """high, medium or low, for a risk of 0 to 1."""
    return next(name for name, least in BOUNDARIES.items() if risk >= least)
