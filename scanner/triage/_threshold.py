"""Thresholds from the control arm: the score that a stated share of control prompts passes, and no finer.

With n controls no false-positive rate below 1/n can be told apart from zero, so a finer wish is answered with the
finest rate that the arm supports, and that rate is named. Several detectors share one rate: each lets the same number
of controls pass, as many as keep the controls that pass any of them within the stated share. Bonferroni's rate /
detectors would be safe and waste what detectors that agree have in common; the arm itself says what they have.

    >>> control_threshold([1.0, 2.0, 3.0, 4.0], rate=0.25)
    ControlThreshold(value=3.0, rate=0.25, controls=4, passing=1)
"""

import math
from collections.abc import Mapping, Sequence
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
    supported, allowed = _allowed(len(scores), rate)
    return _threshold(scores, allowed, supported)


def shared_thresholds(scores: Mapping[str, Sequence[float]], *, rate: float) -> dict[str, ControlThreshold]:
    """Thresholds of several detectors, by name, such that ⌊rate × controls⌋ controls at most pass any of them.

    `scores` are those of the same controls in the same order. Each threshold lets as many of its detector's controls
    pass as the others', the largest such number. Its `rate` is that of all detectors together. One detector alone has
    its `control_threshold`. Raises UnusableInputError as that does.
    """
    supported, most = _allowed(min((len(each) for each in scores.values()), default=0), rate)
    for allowed in range(most, -1, -1):
        found = {name: _threshold(each, allowed, supported) for name, each in scores.items()}
        if _passing_any(scores, found) <= most:
            break
    return found


def _allowed(controls: int, rate: float) -> tuple[float, int]:
    """The rate that an arm supports, and how many of its prompts may pass at it."""
    if not controls:
        raise UnusableInputError("A threshold needs control prompts; ask for some with --control.")
    if not 0 < rate < 1:
        raise UnusableInputError(f"A false-positive rate lies between 0 and 1, not at {rate}.")
    supported = max(rate, 1 / controls)
    return supported, min(math.floor(supported * controls + 1e-9), controls - 1)


def _threshold(scores: Sequence[float], allowed: int, rate: float) -> ControlThreshold:
    value = sorted(scores, reverse=True)[allowed]
    return ControlThreshold(
        value=value, rate=rate, controls=len(scores), passing=sum(score > value for score in scores)
    )


def _passing_any(scores: Mapping[str, Sequence[float]], thresholds: Mapping[str, ControlThreshold]) -> int:
    passes = [[score > thresholds[name].value for score in each] for name, each in scores.items()]
    return sum(any(one) for one in zip(*passes, strict=True))
