"""Thresholds read off the control arm: never looser than the stated ceiling, tighter where controls ask for it.

Both are quantities of prompts whose pictures are not duplicated, so whatever passes there is a false positive of the
protocol. The ceiling is what the thresholds were before anyone looked at this arm; as long as the arm does not lower
it, the arm's false-positive rate is an unbiased estimate, and where it does, the run says so.

    >>> agreement_threshold([0.30, 0.20, None], ceiling=0.12, rate=0.01)
    AgreementThreshold(value=0.12, ceiling=0.12, rate=0.3333333333333333, controls=3, passing=0)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NORMALISED_CEILING = 0.12
"""Normalised l2 for two agreeing generations: 1 of 100 controls and 95 % of prompts of 32 copies passed in a trial
on 1,385 pictures at 64 × 64 (see ARCHITECTURE.md)."""
TEMPLATE_CEILING = NORMALISED_CEILING
"""The same for two generations that show a layout, compared there alone."""
EDGE_CEILING = 0.15
"""Tile l2 of an edge: the looser of the two values that re-implementations of the paper use (0.05 and 0.15)."""


@dataclass(frozen=True)
class AgreementThreshold:
    """The distance at which two generations agree on an original."""

    value: float
    """Normalised l2: generations at most this far from an original show it."""
    ceiling: float
    """The value before the control arm was looked at."""
    rate: float
    """False-positive rate asked of the arm: the wished one, or 1 / controls if that is larger."""
    controls: int
    """Control prompts that were attacked."""
    passing: int
    """Control prompts that agree on an original at the value."""


def agreement_threshold(
    distances: Sequence[float | None], *, ceiling: float, rate: float, spent: int = 0
) -> AgreementThreshold:
    """The largest threshold up to `ceiling` that at most ⌊rate × controls⌋ controls pass (at least one is allowed).

    `distances`: per control prompt the normalised l2 at which its generations begin to agree on an original
    (`scanner.attack.Agreement.distance`), None where they never do. `spent`: controls that another rule lets pass
    already, which are not among those that do here; so many fewer may.
    """
    reached = sorted(distance for distance in distances if distance is not None)
    controls = len(distances)
    supported = max(rate, 1 / controls) if controls else 1.0
    allowed = max(0, math.floor(supported * controls + 1e-9) - spent)
    value = ceiling
    if len(reached) > allowed and reached[allowed] <= ceiling:
        value = float(np.nextafter(reached[allowed], 0))
    return AgreementThreshold(
        value=value,
        ceiling=ceiling,
        rate=supported,
        controls=controls,
        passing=sum(distance <= value for distance in reached),
    )


def edge_threshold(control_distances: Sequence[NDArray[np.floating]], *, ceiling: float, rate: float) -> float:
    """Tile l2 below which two generations are joined: at most `ceiling`, and at most `rate` of control pairs are.

    `control_distances`: per control prompt the symmetric matrix of its generations' tile distances. Without control
    pairs, the ceiling.
    """
    pairs = [matrix[np.triu_indices(len(matrix), 1)] for matrix in control_distances]
    together = np.concatenate(pairs) if pairs else np.empty(0)
    if not len(together):
        return ceiling
    return min(ceiling, float(np.quantile(together, rate, method="lower")))
