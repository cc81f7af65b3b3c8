"""The risk that a model gives a picture back under a caption: one formula of five named parts, each 0 to 1.

    risk          = max(copy risk, TEMPLATE_WEIGHT × template risk) × agreement factor
    copy risk     = copies_part × text_part                 of a duplicate group: one picture, many rows
    template risk = copies_part × text_part                 of a template family: one layout, many pictures
    copies_part   = further / (further + half_copies)       further = rows − 1: how often it was seen again
    text_part     = √(concentration × specificity)          how firmly this caption points at it
    concentration = enough of: the group's (the family's) rows that share its words (`_shared_words`)
    specificity   = enough of: of the rows under it (near-duplicates counted) everywhere, those that are here
    enough of x   = min(1, x / ENOUGH), ENOUGH = ½
    agreement factor = 1 + 0.25 × (agreement − ½)           1 where the agreement is unknown; the risk stays at most 1

`copies_part` is a logistic curve over the logarithm of the further copies (rows − 1), one half at `half_copies`, and
zero for a picture that occurs once. Extraction starts around 100 copies in Stable Diffusion 1.4 (Carlini et al. 2023,
https://arxiv.org/abs/2301.13188); small models that train for long start at 8 to 32, which shifts the scale and not
the order. Text conditioning matters about as much as duplication (Somepalli et al. 2023,
https://arxiv.org/abs/2305.20086), so both parts weigh the same. `specificity` is how often a training step that reads
the caption also shows this picture: boilerplate over many pictures points at none of them.

Shared words, since a text encoder reads words: every copy captioned "clip art of X" also teaches "picture: X". Half of
the rows count as all of them, since finer shares told nothing that was measured: in the demo's full attack (500 images
a prompt, `tests/benchmarks/test_ranking.py`) groups of 8 copies under one caption came back in 6 of 15 cases, under
several wordings in 4 of 5, and every share that was tried without a ceiling ranked worse than the copies alone (area
under the ROC 0.973 to 0.986 against 0.989). That is in-sample: one data set, one target. Neither paper gives a formula;
this one is ours.

>>> round(risk_score(copies=301, share=1.0, specificity=1.0, half_copies=100), 2)
0.75
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

FORMULA = 2
"""Number of this formula, for runs to be compared: 1 took the exact shares. It grows when any risk would change."""
ENOUGH = 0.5
"""A share of the rows from which on more makes no difference."""
TEMPLATE_WEIGHT = 0.5
"""A template stands behind copies: what comes back is the layout, with a region that differs (Webster 2023,
https://arxiv.org/abs/2305.08694, calls it a template verbatim). One half is a choice, not a measurement."""
AGREEMENT_WEIGHT = 0.25
"""Half of it is the most that a caption gains or loses by how well it fits its picture: mild, since models also
memorise noisy captions. A choice, not a measurement."""

Numbers = TypeVar("Numbers", float, NDArray[np.float64])


def copies_part(copies: Numbers, half_copies: float) -> Numbers:
    """0 to 1, growing with `copies` (1 or more): 0 at one copy, one half at `half_copies` further ones."""
    return (copies - 1) / (copies - 1 + half_copies)


def concentration(shared_words: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 to 1: how far the rows of a group speak as this caption does, from the share of its words."""
    return _enough(shared_words)


def specificity(here: NDArray[np.float64], everywhere: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 to 1: of the rows that carry the caption (or a near-duplicate) everywhere, the part that is in the group."""
    return _enough(here / everywhere)


def _enough(share: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.minimum(share / ENOUGH, 1.0)


def text_part(share: Numbers, specificity: Numbers) -> Numbers:
    """0 to 1, the geometric mean of the caption's concentration in the group and the group's share of the caption."""
    mean: Numbers = (share * specificity) ** 0.5
    return mean


def risk_score(*, copies: Numbers, share: Numbers, specificity: Numbers, half_copies: float) -> Numbers:
    """0 to 1, of a group or of a family; grows with the rows (1 or more), the share and the specificity (0 to 1)."""
    return copies_part(copies, half_copies) * text_part(share, specificity)


def agreement_factor(agreement: Numbers) -> Numbers:
    """0.875 to 1.125, growing with the text-image agreement, 0 to 1; an ordinary pair (½) changes nothing."""
    return 1 + AGREEMENT_WEIGHT * (agreement - 0.5)


def combined_risk(copy_risk: NDArray[np.float64], template_risk: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 to 1: the larger of the two axes, the template's discounted; `template_risk` is 0 where there is no family."""
    return np.maximum(copy_risk, TEMPLATE_WEIGHT * template_risk)
