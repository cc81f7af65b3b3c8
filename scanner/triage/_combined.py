"""A combined rule: logistic regression on the scores of several detectors, fitted on lab data.

The coefficients ship in `combined.json` with where they were fitted; `python -m tests.benchmarks.detectors RUN --fit`
writes them. A positive score enters as its logarithm, a negative one as minus the logarithm of its size, so that
ratios count. The result ranks prompts; its threshold is read off the control arm as any other's, so a target on which
the parts have other scales moves it along. Its parts' scores are always reported beside it. On the demo's target,
cross-fitted in 5 folds (no prompt scored by a rule that saw it): AUC 0.978 against 200 controls, 90 % of the 89
verified prompts at 1 % false positives, 8 evaluations; its parts alone 0.973 and 71 %, 0.951 and 80 %. Of the five
choices of parts that were tried this one did best.

    >>> rule = CombinedRule([DenoisingConfidence(target, run_seed=0), ...])    # doctest: +SKIP
    >>> rule(["a red fox"], ["9f86d081884c7d65"])                              # doctest: +SKIP
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from scanner.triage._detector import Detector

FITTED = Path(__file__).with_name("combined.json")
RIDGE = 0.01
"""Weight of the coefficients' squares in the fit, on scores of deviation 1."""

Scores = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Fit:
    """What `combined.json` holds."""

    fitted_on: str
    """The target and the prompts."""
    parts: tuple[str, ...]
    """Names of the detectors, as the command line has them."""
    names: tuple[str, ...]
    """The same, as the triage table has them."""
    coefficients: tuple[float, ...]
    """Of the logarithms of the scores."""
    intercept: float
    """Log odds where all of these are 0."""


class CombinedRule:
    """The rule over detectors on one target; itself a detector."""

    name = "combined"

    def __init__(self, parts: Sequence[Detector]) -> None:
        self.parts, self.fit = tuple(parts), stored_fit()
        assert tuple(part.name for part in parts) == self.fit.names

    @staticmethod
    def fitted_parts() -> tuple[str, ...]:
        """The detectors that the shipped coefficients are for, as the command line has them."""
        return stored_fit().parts

    @property
    def evaluations(self) -> int:
        """Denoiser evaluations per prompt, of all parts."""
        return sum(part.evaluations for part in self.parts)

    def __call__(self, captions: Sequence[str], prompt_ids: Sequence[str]) -> Scores:
        """Scores (n,): the log odds of a verified prompt among those that the rule was fitted on."""
        return self.combine({part.name: part(captions, prompt_ids) for part in self.parts})

    def combine(self, scores: Mapping[str, Scores]) -> Scores:
        """The rule's scores from its parts', (n,); NaN where a part has none."""
        columns = np.stack([signed_log(scores[name]) for name in self.fit.names], axis=1)
        return np.asarray(columns @ np.array(self.fit.coefficients) + self.fit.intercept)


@cache
def stored_fit() -> Fit:
    """The coefficients that ship."""
    stored = json.loads(FITTED.read_text(encoding="utf-8"))
    lists = {name: tuple(stored[name]) for name in ("parts", "names", "coefficients")}
    return Fit(fitted_on=stored["fitted_on"], intercept=stored["intercept"], **lists)


def signed_log(scores: Scores) -> Scores:
    """log(s) of a positive score, −log(−s) of a negative one; 0 counts as the smallest number there is."""
    size = np.maximum(np.abs(scores), np.finfo(np.float64).tiny)
    return np.asarray(np.where(scores < 0, -np.log(size), np.log(size)))


def fit_logistic(columns: Scores, positive: NDArray[np.bool_]) -> tuple[Scores, float]:
    """Coefficients and intercept for columns (n, parts): ridge logistic regression on standardised columns."""
    mean, deviation = columns.mean(axis=0), np.maximum(columns.std(axis=0), 1e-12)
    design = np.c_[(columns - mean) / deviation, np.ones(len(columns))]
    penalty = np.r_[np.full(columns.shape[1], RIDGE), 0.0]

    def loss(weights: Scores) -> tuple[float, Scores]:
        logits = design @ weights
        chance = 1 / (1 + np.exp(-logits))
        value = (np.logaddexp(0, logits) - positive * logits).mean() + (penalty * weights**2).sum()
        return float(value), design.T @ (chance - positive) / len(positive) + 2 * penalty * weights

    weights = minimize(loss, np.zeros(design.shape[1]), jac=True, method="L-BFGS-B").x
    coefficients = weights[:-1] / deviation
    return coefficients, float(weights[-1] - coefficients @ mean)
