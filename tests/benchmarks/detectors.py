"""What each triage detector is worth on the demo's target: AUC, hits at 1 % and 5 % false positives, evaluations.

    python -m tests.benchmarks.detectors RUN                       # every detector as the command line has it
    python -m tests.benchmarks.detectors RUN --settings            # and with 1, 2 and 4 seeds
    python -m tests.benchmarks.detectors RUN --reference DIR       # hits by how often they come back, too
    python -m tests.benchmarks.detectors RUN --fit                 # writes scanner/triage/combined.json

RUN is an audited demo run with at least 200 control prompts; it stays as it is but for the index of originals. The hits
are the prompts that `full_attack.csv` says the attack verified with up to 500 images, the others are not. DIR holds, in
generations/PROMPT.parquet, exhaustive generations of some prompts: a share of at least a fifth of them within a
normalised l2 of 0.12 of one original makes a frequent hit. `detectors.csv` beside RUN is the table,
`detector-scores.parquet` holds every score.
"""

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.configs import DETECTORS
from pipelines.demo import ATTACK
from pipelines.engines import LocalEngine
from pipelines.triage import nearest_originals
from scanner.demo import target_folder
from scanner.run import Run, write_json
from scanner.tables import PROMPTS
from scanner.targets import DiffusersTarget, load_target
from scanner.triage import (
    FITTED,
    Anisotropy,
    BrightEnding,
    DenoisingConfidence,
    Detector,
    EdgeConsistency,
    FewStepLookup,
    HessianSharpness,
    Nearest,
    NoiseMagnitude,
    OneStepContrast,
    control_threshold,
    fit_logistic,
    signed_log,
)
from tests.benchmarks.full_attack import stored_outcome

CONTROLS = 200
NEAR, FREQUENT = 0.12, 0.2
FITTED_PARTS = ("webster", "lookup")
FOLDS = 5

Scores = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Arm:
    """Prompts with what is known of them."""

    prompt_ids: list[str]
    """Risk prompts by rank, then controls."""
    captions: list[str]
    """Their texts."""
    hit: NDArray[np.bool_]
    """Verified by the full attack; no control is."""
    control: NDArray[np.bool_]
    """In the control arm."""


def known_prompts(run: Run, controls: int = CONTROLS) -> Arm:
    """The risk arm and the first controls of a demo run, with the outcome that ships."""
    table = run.read(PROMPTS).sort("rank")
    rows = pl.concat([table.filter(pl.col("arm") == "risk"), table.filter(pl.col("arm") == "control").head(controls)])
    verified = set(stored_outcome().filter("verified")["prompt_id"])
    hit = [arm == "risk" and prompt in verified for arm, prompt in rows.select("arm", "prompt_id").iter_rows()]
    return Arm(
        prompt_ids=rows["prompt_id"].to_list(),
        captions=rows["caption"].to_list(),
        hit=np.array(hit),
        control=(rows["arm"] == "control").to_numpy(),
    )


def frequent_hits(reference: Path, arm: Arm) -> NDArray[np.bool_]:
    """Which prompts of an arm come back in at least a fifth of the exhaustive generations, of those that are there."""
    return np.array([_share(reference / "generations" / f"{prompt}.parquet") >= FREQUENT for prompt in arm.prompt_ids])


def _share(file: Path) -> float:
    if not file.exists():
        return 0.0
    rows = pl.read_parquet(file, columns=["near", "near_l2"])
    close = rows.explode("near", "near_l2").filter(pl.col("near_l2") <= NEAR)
    return close["near"].value_counts()["count"].max() / rows.height if close.height else 0.0


def auc(positive: Scores, negative: Scores) -> float:
    """Chance that a positive's score is above a negative's, ties counted half."""
    ordered = np.sort(negative)
    below, not_above = np.searchsorted(ordered, positive), np.searchsorted(ordered, positive, side="right")
    return float((below + not_above).mean() / (2 * len(negative)))


def measured(name: str, scores: Scores, evaluations: int, arm: Arm, frequent: NDArray[np.bool_]) -> dict[str, object]:
    """One row of the table."""
    ranked = np.where(np.isfinite(scores), scores, np.inf)
    control = ranked[arm.control]
    at = {rate: control_threshold(control.tolist(), rate=rate).value for rate in (0.01, 0.05)}
    some = frequent.any()
    return {
        "detector": name,
        "evaluations": evaluations,
        "auc_controls": auc(ranked[arm.hit], control),
        "auc_all": auc(ranked[arm.hit], ranked[~arm.hit]),
        "tpr_1": float((ranked[arm.hit] > at[0.01]).mean()),
        "tpr_5": float((ranked[arm.hit] > at[0.05]).mean()),
        "auc_frequent": auc(ranked[frequent], control) if some else None,
        "tpr_5_frequent": float((ranked[frequent] > at[0.05]).mean()) if some else None,
    }


def as_named(target: DiffusersTarget, nearest: Nearest, seed: int) -> dict[str, Detector]:
    """Every detector but the combined rule, as the command line makes it."""
    found: dict[str, Detector] = {
        "wen": NoiseMagnitude(target, run_seed=seed),
        "webster": DenoisingConfidence(target, run_seed=seed),
        "edges": EdgeConsistency(target, run_seed=seed),
        "bright-ending": BrightEnding(target, run_seed=seed),
        "jeon": HessianSharpness(target, run_seed=seed),
        "anisotropy": Anisotropy(target, run_seed=seed),
        "contrast": OneStepContrast(target, run_seed=seed),
        "lookup": FewStepLookup(target, nearest, run_seed=seed, guidance=ATTACK.guidance),
    }
    assert {*found, "combined"} == set(DETECTORS)
    return found


def other_settings(target: DiffusersTarget, nearest: Nearest, seed: int) -> Iterator[tuple[str, Detector]]:
    """The same with other numbers of seeds and steps."""
    makers: dict[str, Callable[..., Detector]] = {
        "wen": NoiseMagnitude,
        "webster": DenoisingConfidence,
        "contrast": OneStepContrast,
        "anisotropy": Anisotropy,
    }
    for name, maker in makers.items():
        for seeds in (1, 2, 4):
            yield f"{name}, {seeds} seeds", maker(target, run_seed=seed, seeds=seeds)
    for guidance in (1.0, ATTACK.guidance):
        for seeds, steps in ((1, 2), (2, 2), (1, 4), (2, 4)):
            made = FewStepLookup(target, nearest, run_seed=seed, guidance=guidance, seeds=seeds, steps=steps)
            yield f"lookup, guidance {guidance:g}, {seeds} seeds, {steps} steps", made
    yield "bright-ending, 4 steps", BrightEnding(target, run_seed=seed, steps=4)
    yield "edges, guidance 3", EdgeConsistency(target, run_seed=seed, guidance=3.0)


def cross_fitted(columns: Scores, hit: NDArray[np.bool_]) -> Scores:
    """Each prompt's log odds by a rule that was fitted without it and its fold."""
    fold = np.random.default_rng(0).integers(0, FOLDS, len(hit))
    scores = np.empty(len(hit))
    for k in range(FOLDS):
        coefficients, intercept = fit_logistic(columns[fold != k], hit[fold != k])
        scores[fold == k] = columns[fold == k] @ coefficients + intercept
    return scores


def columns_of(scores: dict[str, Scores], parts: Sequence[str]) -> Scores:
    """What the combined rule is fitted on, (n, parts)."""
    return np.stack([signed_log(scores[name]) for name in parts], axis=1)


def write_fit(scores: dict[str, Scores], detectors: dict[str, Detector], arm: Arm) -> None:
    """The shipped coefficients, from all prompts."""
    coefficients, intercept = fit_logistic(columns_of(scores, FITTED_PARTS), arm.hit)
    others = f"{(~arm.hit).sum()} others, {arm.control.sum()} of them controls"
    said = f"demo target, 64 px, guidance {ATTACK.guidance:g}: {arm.hit.sum()} verified prompts and {others}"
    write_json(
        FITTED,
        {
            "fitted_on": said,
            "parts": list(FITTED_PARTS),
            "names": [detectors[name].name for name in FITTED_PARTS],
            "coefficients": [round(float(value), 4) for value in coefficients],
            "intercept": round(intercept, 4),
        },
    )


def main(path: Path, *, settings: bool, fit: bool, reference: Path | None) -> pl.DataFrame:
    """Score, print and write the table."""
    run, target, engine = Run.open(path), load_target(str(target_folder()), batch=64), LocalEngine()
    arm, nearest = known_prompts(run), nearest_originals(run, target, ATTACK, engine)
    assert nearest is not None, "the demo's images are all there"
    frequent = frequent_hits(reference, arm) if reference else np.zeros(len(arm.hit), np.bool_)
    print(f"{arm.hit.sum()} hits, {frequent.sum()} known to be frequent, {arm.control.sum()} controls", flush=True)
    detectors = as_named(target, nearest, ATTACK.seed)
    scores, rows = dict[str, Scores](), list[dict[str, object]]()

    def add(name: str, found: Scores, evaluations: int) -> None:
        rows.append(measured(name, found, evaluations, arm, frequent))
        print(rows[-1], flush=True)

    def run_all(some: Iterable[tuple[str, Detector]]) -> None:
        for name, detector in some:
            scores[name] = detector(arm.captions, arm.prompt_ids)
            add(name, scores[name], detector.evaluations)

    run_all(sorted(detectors.items(), key=lambda pair: pair[1].evaluations))
    crossed = cross_fitted(columns_of(scores, FITTED_PARTS), arm.hit)
    add("combined (cross-fitted)", crossed, sum(detectors[part].evaluations for part in FITTED_PARTS))
    if fit:
        write_fit(scores, detectors, arm)
    if settings:
        run_all(other_settings(target, nearest, ATTACK.seed))
    table = pl.DataFrame(rows).with_columns(pl.col(pl.Float64).round(4))
    table.write_csv(path.parent / "detectors.csv")
    pl.DataFrame({"prompt_id": arm.prompt_ids, **scores}).write_parquet(path.parent / "detector-scores.parquet")
    return table


if __name__ == "__main__":
    where = Path(sys.argv[sys.argv.index("--reference") + 1]) if "--reference" in sys.argv else None
    main(Path(sys.argv[1]), settings="--settings" in sys.argv, fit="--fit" in sys.argv, reference=where)
