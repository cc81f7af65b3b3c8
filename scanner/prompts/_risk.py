"""The risk that a model gives a picture back under a caption: one formula of two parts, 0 to 1.

    risk        = copies_part × text_part
    copies_part = further / (further + half_copies)     further = copies − 1: how often the picture was seen again
    text_part   = √(share × specificity)                how firmly this caption points at it

`copies_part` is a logistic curve over the logarithm of the further copies, one half at `half_copies`, and zero for a
picture that occurs once. Extraction starts around 100 copies in Stable Diffusion 1.4 (Carlini et al. 2023,
https://arxiv.org/abs/2301.13188); small models that train for long start at 8 to 32, which shifts the scale and not
the order. `share` is the part of the group's copies that carry the caption: text conditioning matters about as much as
duplication (Somepalli et al. 2023, https://arxiv.org/abs/2305.20086), so both parts weigh the same. `specificity` is
the part of all rows under this caption that belong to the group: how often a training step that reads the caption also
shows this picture. Neither paper gives a formula; this one is ours.

>>> round(risk_score(copies=301, share=1.0, specificity=1.0, half_copies=100), 2)
0.75
"""

import math


def copies_part(copies: float, half_copies: float) -> float:
    """0 to 1, growing with `copies` (1 or more): 0 at one copy, one half at `half_copies` further ones."""
    return (copies - 1) / (copies - 1 + half_copies)


def text_part(share: float, specificity: float) -> float:
    """0 to 1, the geometric mean of the caption's share of the group and the group's share of the caption."""
    return math.sqrt(share * specificity)


def risk_score(*, copies: float, share: float, specificity: float, half_copies: float) -> float:
    """0 to 1; grows with the copies (1 or more), the share and the specificity (over 0 to 1)."""
    return copies_part(copies, half_copies) * text_part(share, specificity)
