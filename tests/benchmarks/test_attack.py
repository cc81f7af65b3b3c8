"""The attack against the paper's: hits found and denoiser evaluations spent, on two targets that the lab trained.

    make bench

The reference (`tests/benchmarks/exhaustive.py`, an hour of one core) gave every prompt of a risk and a control arm of
equal size 500 images of full steps; that of the demo's target is stored. Our attack is run anew on the same prompts and
must find the same hits for a fraction of the evaluations, those of the control arm, of triage and of the evidence
included. Its settings were chosen on the demo's prompts with run seed 0; other seeds are told beside it.
Writes the curves of hits against evaluations and the table of detectors to bench-results/.
"""

import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest
from scipy.stats import rankdata

from pipelines.attack import attack
from pipelines.audit import audit
from pipelines.configs import DETECTORS, AttackOptions, TargetOptions
from pipelines.demo import ATTACK, AUDIT
from pipelines.engines import LocalEngine
from pipelines.targets import open_target
from pipelines.triage import detectors_of, nearest_originals
from scanner.attack import EVIDENCE_FIRST
from scanner.demo import build_demo, target_folder
from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.tables import GENERATIONS, HITS, MEMORISED, PROMPTS, TRIAGE
from tests.benchmarks.exhaustive import FOLDER, IMAGES, Exhaustive, read, write_reference
from tests.benchmarks.lab_targets import lab_target
from tests.benchmarks.test_demo import say

mpl.use("Agg")
from matplotlib import pyplot as plt

pytestmark = pytest.mark.bench
RESULTS = Path("bench-results")
LEAST_RATE = 0.2
"""Share of seeds from which on a hit must be found by the cheap attack."""
CHEAP = replace(ATTACK, triage="none", search_steps="2,3", focus=0.4, rate=0.45, miss=0.1, record=2, keep_images="best")
"""Looks for what comes back in many seeds: 2 images of 2 steps for every prompt, 2 of 3 steps for the nearest 40 %."""
PATIENT = replace(CHEAP, search_steps="3,3,4,6", focus=0.7, rate=0.1, miss=0.05, chase=200, look_rate=0.15)
"""Looks for what comes back in a tenth of the seeds: up to 29 images of 3, 4 and 6 steps, the deeper rounds for the
nearest 70 % each."""
OTHER_SEEDS = (1, 2, 3)
"""Run seeds that no setting was chosen by."""


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """One attack of ours."""

    hits: frozenset[str]
    """Verified risk prompts."""
    controls: int
    """Verified controls."""
    evaluations: int
    """Of both arms, all in all."""
    curve: tuple[tuple[int, int], ...]
    """(evaluations so far, hits so far)."""


def prepared(base: Run, path: Path, prompts: pl.Series) -> Run:
    """A copy of an audited run that has only these prompts."""
    shutil.copytree(base.path, path)
    run = Run.open(path)
    PROMPTS.write(path, run.read(PROMPTS).filter(pl.col("prompt_id").is_in(prompts.implode())))
    return run


def attacked(run: Run, target: str, config: AttackOptions) -> Outcome:
    attack(run, target, config, LocalEngine())
    arm = dict(run.read(PROMPTS).select("prompt_id", "arm").iter_rows())
    verified = run.read(HITS).filter(pl.col("verdict") != "none")["prompt_id"]
    hits = frozenset(prompt for prompt in verified if arm[prompt] == "risk")
    spent = int(run.read(TRIAGE)["evaluations"].sum())
    curve = [(spent, 0)]
    seen: dict[str, int] = {}
    for part in sorted(GENERATIONS.parts(run.path), key=lambda file: file.stat().st_mtime_ns):
        rows = GENERATIONS.read(run.path, part.stem)
        spent += int(rows["evaluations"].sum())
        for prompt in rows.filter(pl.col("image_index") >= EVIDENCE_FIRST)["prompt_id"]:
            seen[prompt] = seen.get(prompt, 0) + 1
        curve.append((spent, sum(seen.get(prompt, 0) >= 2 for prompt in hits)))
    return Outcome(hits=hits, controls=len(verified) - len(hits), evaluations=spent, curve=tuple(curve))


def followed(order: pl.Series, reference: Exhaustive, *, first: int, each: int) -> list[tuple[int, int]]:
    """The paper's attack on prompts in this order, after `first` evaluations were spent on ordering them."""
    found = np.cumsum([prompt in reference.rate for prompt in order])
    return [(first, 0), *((first + each * (i + 1), int(hits)) for i, hits in enumerate(found))]


def detector_rows(run: Run, target: str, reference: Exhaustive, each: int) -> Iterator[dict[str, object]]:
    """Each detector on both arms: how well it tells the hits from the controls, and what that costs."""
    opened = open_target(target, TargetOptions())
    prompts = run.read(PROMPTS).select("prompt_id", "caption", "arm", "rank").sort("rank", "arm")
    hit = prompts["prompt_id"].is_in(list(reference.rate)).to_numpy()
    control = (prompts["arm"] == "control").to_numpy()
    for name in DETECTORS:
        config = replace(ATTACK, triage=name)
        try:
            (detector,) = detectors_of(opened, config, nearest_originals(run, opened, config, LocalEngine()))
            scores = np.asarray(detector(prompts["caption"].to_list(), prompts["prompt_id"].to_list()))
        except UnusableInputError as error:  # a detector that has no view of this family says so
            yield {"detector": name, "refused": str(error)}
            continue
        both = np.concatenate([scores[hit], scores[control]])
        area = (rankdata(both)[: hit.sum()].sum() - hit.sum() * (hit.sum() + 1) / 2) / (hit.sum() * control.sum())
        at_one = np.sort(scores[control])[::-1][max(1, int(0.01 * control.sum()))]
        passed = scores > at_one
        spent = detector.evaluations * len(prompts) + each * int(passed.sum())
        yield {
            "detector": name,
            "auc": float(area),
            "tpr_at_1_fpr": float((scores[hit] > at_one).mean()),
            "evaluations_a_prompt": detector.evaluations,
            "hits": int((passed & hit).sum()),
            "evaluations_a_hit": spent / max(1, int((passed & hit).sum())),
            "order": prompts["prompt_id"].gather(np.argsort(-scores, kind="stable")),
        }


def plot(curves: Mapping[str, list[tuple[int, int]]], hits: int, path: Path) -> None:
    """Share of the exhaustive hits against evaluations, on a logarithmic axis."""
    figure, axes = plt.subplots(figsize=(9, 5.5), layout="constrained")
    for number, (name, points) in enumerate(curves.items()):
        spent, found = zip(*points, strict=True)
        ours = name.startswith("ours")
        style = {"lw": 2.5 if ours else 1.1, "color": f"C{number}", "ls": "-" if ours else (0, (4, 1 + number % 4))}
        axes.step(np.maximum(spent, 1), np.array(found) / hits, where="post", label=name, **style)
    axes.set(xscale="log", xlabel="denoiser evaluations, both arms", ylabel=f"share of the {hits} exhaustive hits")
    axes.set(xlim=(100, None), ylim=(0, 1.02))
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    path.parent.mkdir(exist_ok=True)
    figure.savefig(path, dpi=150)
    plt.close(figure)


def measured(name: str, base: Run, target: str, stored: Path, guidance: float, times: int, tmp_path: Path) -> None:
    """Prints and plots everything, and asserts what the project promises; the cheap attack takes `times` fewer
    evaluations than the exhaustive one."""
    rows, reference = read(stored)
    prompts = rows["prompt_id"].unique(maintain_order=True)
    cheap, patient = (replace(settings, guidance=guidance) for settings in (CHEAP, PATIENT))
    each = IMAGES * cheap.steps * (2 if cheap.guidance > 1 else 1)
    paper = each * len(prompts)
    often = {prompt for prompt, rate in reference.rate.items() if rate >= LEAST_RATE}
    say(f"{name}: prompts, of these controls", f"{len(prompts)}, {len(prompts) // 2}")
    say("exhaustive hits, of these in at least a fifth of the seeds", f"{len(reference.rate)}, {len(often)}")
    say("prompts of which 2 to 9 of 500 images show an original (no clique)", sorted(reference.few.values()))
    say("controls that the exhaustive attack verifies", reference.controls)
    say("threshold of the exhaustive attack", f"{reference.threshold.value:.4f}")

    first = attacked(prepared(base, tmp_path / "cheap", prompts), target, cheap)
    second = attacked(prepared(base, tmp_path / "patient", prompts), target, patient)
    for what, outcome, wanted in (("cheap", first, often), ("patient", second, set(reference.rate))):
        say(f"{what}: evaluations a prompt", f"{outcome.evaluations / len(prompts):.1f}")
        say(f"{what}: times fewer than the exhaustive attack", f"{paper / outcome.evaluations:.0f}")
        say(f"{what}: of the hits asked for", f"{len(outcome.hits & wanted)} of {len(wanted)}")
        say(f"{what}: of all exhaustive hits", f"{len(outcome.hits & set(reference.rate))} of {len(reference.rate)}")
        say(f"{what}: missed, as shares of their 500 images", sorted(reference.rate[p] for p in wanted - outcome.hits))
        say(f"{what}: hits that the exhaustive attack has not", len(outcome.hits - set(reference.rate)))
        say(f"{what}: verified controls", outcome.controls)
        say(f"{what}: evaluations a verified hit", f"{outcome.evaluations / max(1, len(outcome.hits)):.0f}")
    for what, settings, wanted in (("cheap", cheap, often), ("patient", patient, set(reference.rate))):
        for seed in OTHER_SEEDS:
            run = prepared(base, tmp_path / f"{what}-{seed}", prompts)
            other = attacked(run, target, replace(settings, seed=seed))
            found = f"{len(other.hits & wanted)} of {len(wanted)}, {paper / other.evaluations:.0f} times fewer"
            say(f"{what}, run seed {seed}: of the hits asked for", f"{found}, verified controls {other.controls}")
    say("the paper's attack: evaluations a hit", f"{paper / len(reference.rate):.0f}")

    run = prepared(base, tmp_path / "detectors", prompts)
    ranked = run.read(PROMPTS).sort("rank", "arm")["prompt_id"]
    curves = {"ours, cheap": list(first.curve), "ours, patient": list(second.curve)}
    curves["the paper's attack, by rank"] = followed(ranked, reference, first=0, each=each)
    for row in detector_rows(run, target, reference, each):
        if "refused" in row:
            say(f"{row['detector']}", row["refused"])
            continue
        order, figures = row.pop("order"), ("auc", "tpr_at_1_fpr", "evaluations_a_prompt", "evaluations_a_hit")
        said = ", ".join(f"{row[figure]:.4g}" for figure in figures)
        say(f"{row['detector']}: AUC, TPR at 1 % FPR, evaluations a prompt, a hit", said)
        ordering = int(row["evaluations_a_prompt"]) * len(prompts)
        curves[f"{row['detector']}, then the paper's"] = followed(order, reference, first=ordering, each=each)
    plot(curves, len(reference.rate), RESULTS / f"attack-{name}.png")
    say("curves", RESULTS / f"attack-{name}.png")

    assert len(first.hits & often) >= 0.98 * len(often)
    assert paper / first.evaluations >= times
    assert len(second.hits & set(reference.rate)) >= 0.98 * len(reference.rate)
    assert paper / second.evaluations >= 50


def test_the_demo_target(tmp_path: Path) -> None:
    base = audit(build_demo(tmp_path / "data"), tmp_path / "base", AUDIT, LocalEngine())
    measured("demo", base, str(target_folder()), FOLDER / "demo.parquet", CHEAP.guidance, 500, tmp_path)


def test_a_pixel_space_target(tmp_path: Path) -> None:
    """Trained and attacked exhaustively here, unless SCANNER_LAB_TARGETS has both: an hour of one core.

    Guidance spoils its images, so there is none. Nearly every risk prompt of it is a hit, whose two full-step images
    alone are 1/250 of the exhaustive attack's: 500 times fewer are out of reach however short the search.
    """
    target, data = lab_target("pixel", tmp_path)
    base, stored = audit(data, tmp_path / "base", AUDIT, LocalEngine()), target.with_name("exhaustive.parquet")
    if not stored.exists():
        write_reference(base, str(target), stored, every=2, steps=CHEAP.steps, guidance=1.0)
    measured("pixel", base, str(target), stored, 1.0, 250, tmp_path)


def test_a_model_without_prompts_gives_its_duplicates_back(tmp_path: Path) -> None:
    """Trained here, unless SCANNER_LAB_TARGETS has it: ten minutes of one core."""
    target, data = lab_target("unconditional", tmp_path)
    run = audit(data, tmp_path / "run", AUDIT, LocalEngine())
    attack(run, str(target), replace(ATTACK, images=1024, steps=25), LocalEngine())
    memorised = run.read(MEMORISED).filter("memorised")
    counts = dict(memorised["copies"].value_counts().sort("copies").iter_rows())
    say("unconditional: memorised pictures by copies", counts)
    assert counts.get(256)
    assert counts.get(1, 0) <= 3
