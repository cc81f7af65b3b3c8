"""Cheap detectors: one or a few denoiser evaluations a prompt instead of hundreds of images.

A detector is made once on a target and called with captions; it gives a score per caption (larger is more
suspicious) and what that cost. One file per detector, named for its paper.

    >>> detector = NoiseMagnitude(target, run_seed=0)                          # doctest: +SKIP
    >>> detector(["a red fox"], ["9f86d081884c7d65"])                          # doctest: +SKIP
"""

from scanner.triage._detector import Detector
from scanner.triage._threshold import ControlThreshold, control_threshold
from scanner.triage._wen import NoiseMagnitude

__all__ = ["ControlThreshold", "Detector", "NoiseMagnitude", "control_threshold"]
