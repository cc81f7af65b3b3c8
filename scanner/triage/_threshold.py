"""Thresholds from the control arm: the score that a stated share of control prompts passes, and no finer.

With n controls no false-positive rate below 1/n can be told apart from zero, so a finer wish is answered with the
finest rate that the arm supports, and that rate is named.

    >>> control_threshold([1.0, 2.0, 3.0, 4.0], rate=0.25)
    ControlThreshold(value=3.0, rate=0.25, controls=4, passing=1)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from scanner.errors import UnusableInputError


@dataclass(frozen=True)
class ControlThreshold:
    """A score, and what it means in the control arm."""

    value: float
    """A score passes when it is above this."""
    rate: float
    """The false-positive rate that the arm supports: the wished one, or 1 / controls if that is larger."""
    controls: int
    """Control prompts that it was read from."""
    passing: int
    """Control prompts above the value."""


def control_threshold(scores: Sequence[float], *, rate: float) -> ControlThreshold:
    """The smallest threshold that at most ⌊rate × controls⌋ control scores exceed (at least one is allowed).

    Raises UnusableInputError without controls or with a rate outside (0, 1).
    """
    if not scores:
        raise UnusableInputError("A threshold needs control prompts; ask for some with --control.")
    if not 0 < rate < 1:
        raise UnusableInputError(f"A false-positive rate lies between 0 and 1, not at {rate}.")
    supported = max(rate, 1 / len(scores))
    allowed = min(math.floor(supported * len(scores) + 1e-9), len(scores) - 1)
    ordered = sorted(scores, reverse=True)
    value = ordered[allowed]
    return ControlThreshold(
        value=value, rate=supported, controls=len(scores), passing=sum(score > value for score in scores)
    )
