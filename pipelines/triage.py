"""Triage: cheap detectors' scores of every prompt, and the risk prompts that pass the control arm's thresholds.

Scores are computed a few prompts at a time and stored, so that triage shows how far it is and goes on where it was
stopped; thresholds and decisions follow from the stored scores. With several detectors a prompt is attacked when any
of them lets it through, at thresholds that keep the controls let through by any within the stated rate. A combined
rule decides alone for its parts: their scores stand beside it, at thresholds of their own. A score that is no number
(a model that gives NaN) never holds a prompt back.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.configs import AttackOptions
from pipelines.engines import Job, LocalEngine, require
from pipelines.fetching import can_be_fetched
from pipelines.search import Prompt
from pipelines.verification import open_originals
from scanner.errors import ScannerError, UnusableInputError
from scanner.run import Run
from scanner.tables import TRIAGE, TRIAGE_SCORES
from scanner.targets import Target
from scanner.triage import (
    Anisotropy,
    BrightEnding,
    CombinedRule,
    ControlThreshold,
    DenoisingConfidence,
    Detector,
    EdgeConsistency,
    FewStepLookup,
    HessianSharpness,
    Nearest,
    NoiseMagnitude,
    OneStepContrast,
    control_threshold,
    shared_thresholds,
)
from scanner.verify import Originals

PROMPTS_TOGETHER = 32
"""Prompts whose scores are computed and stored together."""
NO_NUMBER = "The model gave no finite number, so the prompt is attacked."

Scores = Mapping[str, NDArray[np.float64]]
"""By detector, the scores of all prompts."""


@dataclass(frozen=True, kw_only=True)
class _Part:
    """Some prompts and the detector that scores them."""

    detector: Detector
    name: str
    prompts: tuple[Prompt, ...]


def detectors_of(target: Target, config: AttackOptions, nearest: Nearest | None = None) -> tuple[Detector, ...]:
    """The detectors that the options name; `nearest` looks images up among the originals, for lookup.

    Raises UnusableInputError, in one sentence, for a detector that has no view of this target.
    """
    return () if config.exhaustive else tuple(_detector(name, target, config, nearest) for name in config.triage_names)


def _detector(name: str, target: Target, config: AttackOptions, nearest: Nearest | None) -> Detector:
    if name == "combined":
        return CombinedRule([_detector(part, target, config, nearest) for part in CombinedRule.fitted_parts()])
    if name == "lookup":
        if nearest is None:
            raise UnusableInputError(
                "The detector lookup needs the originals before the attack, and this one has none of them (they are "
                "yet to be downloaded, or left out with --no-originals); choose another with --triage."
            )
        return FewStepLookup(target, nearest, run_seed=config.seed, guidance=config.guidance)
    makers: Mapping[str, Callable[..., Detector]] = {
        "wen": NoiseMagnitude,
        "webster": DenoisingConfidence,
        "edges": EdgeConsistency,
        "bright-ending": BrightEnding,
        "jeon": HessianSharpness,
        "anisotropy": Anisotropy,
        "contrast": OneStepContrast,
    }
    return makers[name](target, run_seed=config.seed)


def nearest_originals(run: Run, target: Target, config: AttackOptions, engine: LocalEngine) -> Nearest | None:
    """Looks images up among the originals, whose index is opened when first asked; None for originals that are yet to
    be downloaded (only those of attacked prompts are)."""
    if not config.originals or (config.fetch and can_be_fetched(run)):
        return None

    @cache
    def originals() -> Originals:
        return open_originals(run, target, {}, engine)

    return lambda images: originals().nearest_blocks(images)


def triage(  # noqa: PLR0913, PLR0917 - the recipe hands on what it has
    run: Run,
    detectors: Sequence[Detector],
    risk: Sequence[Prompt],
    control: Sequence[Prompt],
    config: AttackOptions,
    engine: LocalEngine | None = None,
) -> tuple[tuple[Prompt, ...], dict[str, Any] | None]:
    """The risk prompts that pass, and the thresholds they passed; all of them without a detector.

    Raises ScannerError when the model gives too few numbers for a threshold.
    """
    if not detectors:
        TRIAGE.write(run.path, TRIAGE.empty())
        return tuple(risk), None
    prompts = (*risk, *control)
    scores = _scores(run, detectors, prompts, engine or LocalEngine())
    of_controls = {name: scores[name][len(risk) :] for name in scores}
    thresholds = _thresholds(of_controls, [detector.name for detector in detectors], config.triage_rate)
    rows = _rows(_spent(run), detectors, prompts, scores, thresholds)
    TRIAGE.write(run.path, rows)
    passed = set(rows.filter("decides", "passed")["prompt_id"])
    recorded = _recorded(detectors, thresholds, sum(prompt.prompt_id in passed for prompt in control))
    return tuple(prompt for prompt in risk if prompt.prompt_id in passed), recorded


def _computed(detectors: Sequence[Detector]) -> dict[str, Detector]:
    """By name, the detectors that look at the target: those named, and the parts of those that are combined."""
    parts = [part for one in detectors for part in (one.parts if isinstance(one, CombinedRule) else (one,))]
    return {part.name: part for part in parts}


def _scores(run: Run, detectors: Sequence[Detector], prompts: Sequence[Prompt], engine: LocalEngine) -> Scores:
    """The scores of all prompts, in their order, by each detector that is named or a part of one."""
    for name, detector in _computed(detectors).items():
        require(engine.run(_job(run, name, detector, prompts)))
    stored = TRIAGE_SCORES.read(run.path).select("detector", "prompt_id", "score")
    of = {(detector, prompt): score for detector, prompt, score in stored.iter_rows()}
    scores = {name: np.array([of[name, p.prompt_id] for p in prompts]) for name in _computed(detectors)}
    return scores | {one.name: one.combine(scores) for one in detectors if isinstance(one, CombinedRule)}


def _job(run: Run, name: str, detector: Detector, prompts: Sequence[Prompt]) -> Job[_Part, pl.DataFrame]:
    return Job(
        name=f"triage: {name}",
        shards=list(_parts(name, detector, prompts)),
        make=lambda: _score,
        done=lambda part: TRIAGE_SCORES.exists(run.path, part.name),
        write=lambda part, rows: TRIAGE_SCORES.write(run.path, rows, part.name),
    )


def _parts(name: str, detector: Detector, prompts: Sequence[Prompt]) -> Iterator[_Part]:
    for number, at in enumerate(range(0, len(prompts), PROMPTS_TOGETHER)):
        some = tuple(prompts[at : at + PROMPTS_TOGETHER])
        yield _Part(detector=detector, name=f"{name}-{number:05d}", prompts=some)


def _score(part: _Part) -> pl.DataFrame:
    scores = part.detector([p.caption for p in part.prompts], [p.prompt_id for p in part.prompts])
    spent = part.detector.evaluations
    return TRIAGE_SCORES.frame(
        {"prompt_id": p.prompt_id, "detector": part.detector.name, "score": float(score), "evaluations": spent}
        for p, score in zip(part.prompts, scores, strict=True)
    )


def _thresholds(controls: Scores, deciding: Sequence[str], rate: float) -> dict[str, ControlThreshold]:
    """Those of the deciding detectors share the rate; a part that only stands beside has it for itself."""
    ranked = {name: _ranked(scores) for name, scores in controls.items()}
    shared = shared_thresholds({name: ranked[name] for name in deciding}, rate=rate)
    beside = {name: control_threshold(scores, rate=rate) for name, scores in ranked.items() if name not in shared}
    for name, threshold in (shared | beside).items():
        if math.isinf(threshold.value):
            raise ScannerError(
                f"The detector {name} gave no finite number for more of the {threshold.controls} control prompts than "
                "the rate allows, so it has no threshold; load the target with --dtype float32, or choose another "
                "detector with --triage."
            )
    return shared | beside


def _ranked(scores: NDArray[np.float64]) -> list[float]:
    """As thresholds see them: what is no number lies above all others."""
    return [float(score) if np.isfinite(score) else math.inf for score in scores]


def _spent(run: Run) -> dict[tuple[str, str], int]:
    """By detector and prompt, the evaluations of the stored scores."""
    stored = TRIAGE_SCORES.read(run.path).select("detector", "prompt_id", "evaluations")
    return {(detector, prompt): evaluations for detector, prompt, evaluations in stored.iter_rows()}


def _rows(
    spent: Mapping[tuple[str, str], int],
    detectors: Sequence[Detector],
    prompts: Sequence[Prompt],
    scores: Scores,
    thresholds: Mapping[str, ControlThreshold],
) -> pl.DataFrame:
    deciding = {detector.name for detector in detectors}
    return TRIAGE.frame(
        {
            "prompt_id": prompt.prompt_id,
            "detector": name,
            "score": float(score),
            "threshold": thresholds[name].value,
            "passed": not math.isfinite(score) or bool(score > thresholds[name].value),
            "evaluations": spent.get((name, prompt.prompt_id), 0),
            "decides": name in deciding,
            "note": None if math.isfinite(score) else NO_NUMBER,
        }
        for name, of_prompts in scores.items()
        for prompt, score in zip(prompts, of_prompts, strict=True)
    )


def _recorded(
    detectors: Sequence[Detector], thresholds: Mapping[str, ControlThreshold], passing: int
) -> dict[str, Any]:
    """For the manifest: the threshold of the one that decides, or those of several under their names."""
    if len(detectors) == 1:
        return asdict(thresholds[detectors[0].name])
    first = thresholds[detectors[0].name]
    values = {detector.name: thresholds[detector.name].value for detector in detectors}
    return {"rate": first.rate, "controls": first.controls, "passing": passing, "values": values}
