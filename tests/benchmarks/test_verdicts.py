"""What each part of the verdict earns: an ablation on four targets, and how well templates are labelled.

    make bench

Eight full images of every prompt, risk and control, are compared with every original by brute force, and each rule is
read off the same images. A rule's own threshold is the design's; beside it stands how many memorised prompts it finds
at the threshold that one control of a hundred passes, so that rules are compared at equal false positives. Whether the
picture is the right one does not count here. Targets: the demo's, and those that the lab trains (`lab_targets`): pixel
space, where there is no autoencoder, scenes with the statistics of photographs, and layouts with varying regions.
"""

import dataclasses
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from pipelines.attack import attack
from pipelines.audit import audit
from pipelines.configs import TargetOptions
from pipelines.demo import ATTACK, AUDIT
from pipelines.engines import LocalEngine
from pipelines.targets import open_target
from pipelines.verification import open_originals
from scanner.attack import as_unit, clique_level, normalise, tile_distances
from scanner.demo import build_demo, target_folder
from scanner.run import Run
from scanner.score import ErrorRates, read_truth, score
from scanner.tables import MEMBERS, PROMPTS
from scanner.targets import Target, image_seed
from scanner.verify import Originals
from tests.benchmarks.exhaustive import flat, pairwise_l2
from tests.benchmarks.lab_targets import lab_target
from tests.benchmarks.test_demo import say

pytestmark = pytest.mark.bench
IMAGES, STEPS, CONTROLS, CLIQUE = 8, 8, 100, 4
RISK = 120
BUCKETS = ((8, 31), (32, 127), (128, 10_000))
TILES = 4


class Everything:
    """All originals and their reconstructions in memory."""

    def __init__(self, originals: Originals, target: Target) -> None:
        ids = originals.blocks.sample_id.tolist()
        self.group = np.unique([originals.group_of.get(sample, sample) for sample in ids], return_inverse=True)[1]
        pictures = originals.pictures(ids)
        self.seen = [as_unit(pictures)]
        if target.has_autoencoder:
            parts = [target.reconstruct(pictures[i : i + 64]) for i in range(0, len(ids), 64)]
            self.seen.append(as_unit(np.concatenate(parts)))

    def plain(self, images: np.ndarray) -> np.ndarray:
        """(n, originals) l2 to the originals."""
        return _pairs(images, self.seen[0])

    def normalised(self, images: np.ndarray, *, restored: bool) -> np.ndarray:
        """(n, originals) normalised l2, with `restored` to the nearer of original and reconstruction."""
        seen = self.seen if restored else self.seen[:1]
        return np.min([_pairs(normalise(images), normalise(one)) for one in seen], axis=0)

    def tile(self, images: np.ndarray) -> np.ndarray:
        """(n, originals) largest plain l2 over 4 × 4 tiles, to the nearer of original and reconstruction."""
        side = images.shape[1] // TILES
        cuts = [
            (slice(y, y + side), slice(x, x + side))
            for y in range(0, images.shape[1], side)
            for x in range(0, images.shape[2], side)
        ]
        return np.min(
            [np.max([_pairs(images[:, y, x], one[:, y, x]) for y, x in cuts], axis=0) for one in self.seen], axis=0
        )

    def of_groups(self, distances: np.ndarray) -> np.ndarray:
        """(n, groups): the nearest row of each."""
        found = np.full((len(distances), self.group.max() + 1), np.inf)
        for image, row in zip(found, distances, strict=True):
            np.minimum.at(image, self.group, row)
        return found


def _pairs(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    return pairwise_l2(flat(np.ascontiguousarray(a)), flat(np.ascontiguousarray(b))).numpy()


def one_image(distances: np.ndarray) -> float:
    return float(distances.min())


def two_agree(distances: np.ndarray) -> float:
    """The distance at which two images show one original; (n, groups)."""
    return float(np.sort(distances, axis=0)[1].min())


def scores(images: np.ndarray, everything: Everything) -> dict[str, float]:
    """The distance of each rule; smaller is more suspicious. Images uint8 (8, size, size, 3)."""
    units = as_unit(images)
    plain, tile = (everything.of_groups(d(units)) for d in (everything.plain, everything.tile))
    bare, ours = (everything.of_groups(everything.normalised(units, restored=restored)) for restored in (False, True))
    return {
        "l2 to an original, one image (the paper's distance)": one_image(plain),
        "l2, two agree on one original": two_agree(plain),
        "normalised l2, one image": one_image(bare),
        "normalised l2, two agree": two_agree(bare),
        "the same, to the original or its reconstruction (ours)": two_agree(ours),
        "tile l2 to either, one image": one_image(tile),
        "tile l2 to either, two agree": two_agree(tile),
        "clique only: 4 of 8 mutually alike by tile l2": clique_level(tile_distances(images), CLIQUE),
    }


THRESHOLDS = (0.15, 0.15, 0.12, 0.12, 0.12, 0.12, 0.12, 0.10)


def generated(target: Target, prompt: str, caption: str, guidance: float) -> np.ndarray:
    """uint8 (IMAGES, size, size, 3)."""
    seeds = [image_seed(0, prompt, i) for i in range(IMAGES)]
    made = target.generate([caption] * IMAGES, seeds, steps=STEPS, guidance=guidance)
    return np.stack([np.asarray((np.nan_to_num(one.image).clip(0, 1) * 255).round(), np.uint8) for one in made])


def ablation(name: str, run: Run, model: str, guidance: float) -> pl.DataFrame:
    target = open_target(model, TargetOptions())
    group_of = dict(run.read(MEMBERS).select("sample_id", "group_id").iter_rows())
    everything = Everything(open_originals(run, target, group_of, LocalEngine()), target)
    table = run.read(PROMPTS).sort("rank")
    risk = table.filter(pl.col("arm") == "risk", pl.col("copies") >= BUCKETS[0][0])
    risk = risk.unique("group_id", keep="first", maintain_order=True)
    prompts = pl.concat([risk.head(RISK), table.filter(pl.col("arm") == "control").head(CONTROLS)])
    rows = [
        {"arm": arm, "copies": copies, **scores(generated(target, prompt, caption, guidance), everything)}
        for prompt, arm, copies, caption in prompts.select("prompt_id", "arm", "copies", "caption").iter_rows()
    ]
    found = pl.DataFrame(rows)
    control = found.filter(pl.col("arm") == "control")
    lines = [
        f"\n{name}: {len(control)} controls; "
        + ", ".join(
            f"{found.filter(pl.col('arm') == 'risk', pl.col('copies').is_between(*b)).height} of {b[0]} copies and more"
            for b in BUCKETS
        )
    ]
    lines.append(
        "| rule | threshold | controls | "
        + " | ".join(f"from {low}" for low, _ in BUCKETS)
        + " | all, 1 control passes |"
    )
    lines.append("|---|---|---|" + "---|" * (len(BUCKETS) + 1))
    for rule, threshold in zip(found.columns[2:], THRESHOLDS, strict=True):
        passing = [f"{(control[rule] <= threshold).mean():.2f}"]
        memorised = found.filter(pl.col("arm") == "risk")
        for low, high in BUCKETS:
            part = memorised.filter(pl.col("copies").is_between(low, high))[rule]
            passing.append(f"{(part <= threshold).mean():.2f}" if len(part) else "–")
        strict = np.sort(control[rule].to_numpy())[1]
        passing.append(f"{(memorised[rule] < strict).mean():.2f}")
        lines.append(f"| {rule} | {threshold:.2f} | " + " | ".join(passing) + " |")
    print("\n".join(lines))
    return found


def passing(found: pl.DataFrame, rule: str, threshold: float, arm: str) -> float:
    return float((found.filter(pl.col("arm") == arm)[rule] <= threshold).mean())


@pytest.fixture(scope="module")
def scratch(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("verdicts")


def test_the_demos_target(scratch: Path) -> None:
    build_demo(scratch / "demo")
    run = audit(scratch / "demo", scratch / "demo-run", AUDIT, LocalEngine())
    found = ablation("demo (latent, clip art)", run, str(target_folder()), ATTACK.guidance)
    ours = found.columns[6]
    assert passing(found, ours, 0.12, "control") <= 0.03
    assert passing(found, ours, 0.12, "risk") > passing(found, found.columns[5], 0.12, "risk") - 0.01


def test_pixel_space(scratch: Path) -> None:
    target, data = lab_target("pixel", scratch)
    found = ablation("pixel", audit(data, scratch / "pixel-run", AUDIT, LocalEngine()), str(target), guidance=1.0)
    assert passing(found, found.columns[6], 0.12, "control") <= 0.05


def test_scenes_are_close_to_one_another_and_the_control_arm_says_so(scratch: Path) -> None:
    target, data = lab_target("scenes", scratch)
    run = audit(data, scratch / "scenes-run", AUDIT, LocalEngine())
    found = ablation("scenes", run, str(target), ATTACK.guidance)
    assert passing(found, found.columns[6], 0.12, "control") > 0.05
    attack(run, str(target), dataclasses.replace(ATTACK, prompts=200, control=100), LocalEngine())
    threshold = run.manifest()["parts"]["attack"]["normalised_threshold"]
    say("scenes: threshold that the control arm leaves of 0.12", f"{threshold['value']:.3f}")
    rates = say_score(run, target)
    assert rates["matching"].precision.share == 1
    assert rates["any"].false_positives.hits <= 1


def test_templates_are_labelled(scratch: Path) -> None:
    target, data = lab_target("templates", scratch)
    run = audit(data, scratch / "templates-run", AUDIT, LocalEngine())
    attack(run, str(target), dataclasses.replace(ATTACK, prompts=200, control=100), LocalEngine())
    rates = say_score(run, target)
    assert rates["template"].recall.share >= 0.8
    assert rates["matching"].precision.share == 1
    assert rates["any"].false_positives.hits <= max(1, 0.01 * rates["any"].false_positives.tried)


def say_score(run: Run, target: Path) -> dict[str, ErrorRates]:
    """The run held against the truth of a lab target, by verdict; printed."""
    scored = score(run, read_truth(target / "truth.parquet"), names=("truth", "run")).score
    rates = {one.verdict: one for one in scored.error_rates}
    for one in scored.confusion:
        given = f"matching {one.matching}, template {one.template}, retrieved {one.retrieved}, none {one.none}"
        say(one.truth, f"{given}, not attacked {one.not_attacked}")
    for verdict, one in rates.items():
        say(
            f"{verdict}: precision, recall",
            f"{one.precision.hits} of {one.precision.tried}, {one.recall.hits} of {one.recall.tried}",
        )
        say(f"{verdict}: of others", f"{one.false_positives.hits} of {one.false_positives.tried}")
    return rates
