"""Triage: a cheap detector's score of every prompt, and the risk prompts that pass the control arm's threshold."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from pipelines.configs import AttackOptions
from pipelines.search import Prompt
from scanner.run import Run
from scanner.tables import TRIAGE
from scanner.targets import Target
from scanner.triage import Detector, NoiseMagnitude, control_threshold


def detectors_of(target: Target, config: AttackOptions) -> tuple[Detector, ...]:
    """The detectors that the options name. Raises UnusableInputError when the target has no such view."""
    if config.triage == "none" or config.exhaustive:
        return ()
    return (NoiseMagnitude(target, run_seed=config.seed),)


def triage(
    run: Run,
    detectors: Sequence[Detector],
    risk: Sequence[Prompt],
    control: Sequence[Prompt],
    config: AttackOptions,
) -> tuple[tuple[Prompt, ...], dict[str, Any] | None]:
    """The risk prompts that pass, and the threshold they passed; all of them without a detector."""
    if not detectors:
        TRIAGE.write(run.path, TRIAGE.empty())
        return tuple(risk), None
    (detector,) = detectors
    prompts = (*risk, *control)
    if not TRIAGE.exists(run.path):
        scores = detector([p.caption for p in prompts], [p.prompt_id for p in prompts])
        of_controls = scores[len(risk) :].tolist()
        threshold = control_threshold(of_controls, rate=config.triage_rate)
        rows = [
            {
                "prompt_id": prompt.prompt_id,
                "detector": detector.name,
                "score": float(score),
                "threshold": threshold.value,
                "passed": bool(score > threshold.value),
                "evaluations": detector.evaluations,
            }
            for prompt, score in zip(prompts, scores, strict=True)
        ]
        TRIAGE.write(run.path, TRIAGE.frame(rows))
    table = run.read(TRIAGE)
    score_of = dict(table.select("prompt_id", "score").iter_rows())
    passed = set(table.filter("passed")["prompt_id"])
    threshold = control_threshold([score_of[p.prompt_id] for p in control], rate=config.triage_rate)
    return tuple(p for p in risk if p.prompt_id in passed), asdict(threshold)
