"""Cheap detectors: one or a few denoiser evaluations a prompt instead of hundreds of images.

A detector is made once on a target and called with captions; it gives a score per caption (larger is more
suspicious) and what that cost. One file per detector, named for its paper; the two that are ours say so.

    >>> detector = NoiseMagnitude(target, run_seed=0)                          # doctest: +SKIP
    >>> detector(["a red fox"], ["9f86d081884c7d65"])                          # doctest: +SKIP
"""

from scanner.triage._anisotropy import Anisotropy
from scanner.triage._bright_ending import BrightEnding
from scanner.triage._combined import FITTED, CombinedRule, Fit, fit_logistic, signed_log
from scanner.triage._contrast import OneStepContrast
from scanner.triage._detector import Detector
from scanner.triage._jeon import HessianSharpness
from scanner.triage._lookup import FewStepLookup, Nearest
from scanner.triage._threshold import ControlThreshold, control_threshold, shared_thresholds
from scanner.triage._webster_confidence import DenoisingConfidence
from scanner.triage._webster_edges import EdgeConsistency
from scanner.triage._wen import NoiseMagnitude

__all__ = [
    "FITTED",
    "Anisotropy",
    "BrightEnding",
    "CombinedRule",
    "ControlThreshold",
    "DenoisingConfidence",
    "Detector",
    "EdgeConsistency",
    "FewStepLookup",
    "Fit",
    "HessianSharpness",
    "Nearest",
    "NoiseMagnitude",
    "OneStepContrast",
    "control_threshold",
    "fit_logistic",
    "shared_thresholds",
    "signed_log",
]
