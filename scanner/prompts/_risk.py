"""The risk that a model gives a picture back under a caption: one formula of five named parts, each 0 to 1.

    risk          = max(copy risk, TEMPLATE_WEIGHT × template risk) × agreement factor
    copy risk     = copies_part × text_part                 of a duplicate group: one picture, many rows
    template risk = copies_part × text_part                 of a template family: one layout, many pictures
    copies_part   = further / (further + half_copies)       further = rows − 1: how often it was seen again
    text_part     = √(concentration × specificity)          how firmly this caption points at it
    concentration = 0.8 × shared words + 0.2 × exact share  of the group's (the family's) rows
    specificity   = rows under it here / rows under it everywhere, near-duplicate captions counted with it
    agreement factor = 1 − 0.25 × (1 − agreement)           1 where the agreement is unknown

`copies_part` is a logistic curve over the logarithm of the further copies, one half at `half_copies`, and zero for a
picture that occurs once. Extraction starts around 100 copies in Stable Diffusion 1.4 (Carlini et al. 2023,
https://arxiv.org/abs/2301.13188); small models that train for long start at 8 to 32, which shifts the scale and not
the order. Text conditioning matters about as much as duplication (Somepalli et al. 2023,
https://arxiv.org/abs/2305.20086), so both parts weigh the same. `specificity` is how often a training step that reads
the caption also shows this picture: boilerplate over many pictures points at none of them.

Shared words: of each word of the caption the share of the rows whose caption holds it, the mean over the words. A text
encoder reads words, so every copy captioned "clip art of X" also teaches "picture: X". Measured on the demo (253
prompts, full attack, `tests/benchmarks/test_ranking.py`): the exact share alone ranks worse than copies alone do, a
share that counts near-duplicates (`scanner.duplicates.captions`, four words and more) no better, the shared words
better than either. That is in-sample: one data set and one target. Neither paper gives a formula; this one is ours.

>>> round(risk_score(copies=301, share=1.0, specificity=1.0, half_copies=100), 2)
0.75
"""

from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

EXACT_WEIGHT = 0.2
"""What the exact share weighs beside the shared words: of two wordings, the one that more copies carry."""
TEMPLATE_WEIGHT = 0.5
"""A template stands behind copies: what comes back is the layout, with a region that differs (Webster 2023,
https://arxiv.org/abs/2305.08694, calls it a template verbatim). One half is a choice, not a measurement."""
AGREEMENT_WEIGHT = 0.25
"""The most that a caption loses which says nothing of its picture: mild, since models also memorise noisy captions.
A choice, not a measurement."""

Numbers = TypeVar("Numbers", float, NDArray[np.float64])


def copies_part(copies: Numbers, half_copies: float) -> Numbers:
    """0 to 1, growing with `copies` (1 or more): 0 at one copy, one half at `half_copies` further ones."""
    return (copies - 1) / (copies - 1 + half_copies)


def concentration(shared_words: Numbers, exact_share: Numbers) -> Numbers:
    """0 to 1: how far the rows of a group speak as this caption does, from two shares of its rows."""
    return (1 - EXACT_WEIGHT) * shared_words + EXACT_WEIGHT * exact_share


def specificity(here: Numbers, everywhere: Numbers) -> Numbers:
    """0 to 1: of the rows that carry the caption (or a near-duplicate) everywhere, the part that is in the group."""
    return here / everywhere


def text_part(share: Numbers, specificity: Numbers) -> Numbers:
    """0 to 1, the geometric mean of the caption's concentration in the group and the group's share of the caption."""
    mean: Numbers = (share * specificity) ** 0.5
    return mean


def risk_score(*, copies: Numbers, share: Numbers, specificity: Numbers, half_copies: float) -> Numbers:
    """0 to 1, of a group or of a family; grows with the rows (1 or more), the share and the specificity (0 to 1)."""
    return copies_part(copies, half_copies) * text_part(share, specificity)


def agreement_factor(agreement: Numbers) -> Numbers:
    """0.75 to 1, growing with the text-image agreement, 0 to 1 (NaN stays NaN)."""
    return 1 - AGREEMENT_WEIGHT * (1 - agreement)


def combined_risk(copy_risk: NDArray[np.float64], template_risk: NDArray[np.float64]) -> NDArray[np.float64]:
    """0 to 1: the larger of the two axes, the template's discounted; `template_risk` is 0 where there is no family."""
    return np.maximum(copy_risk, TEMPLATE_WEIGHT * template_risk)
