"""The attack on a model that takes no prompt (Carlini et al. 2023, section 5): images of many seeds, each compared with
all training images by the adaptive distance.

    scanner attack RUN --target DDPM_FOLDER --images 4096

The paper's: images of seeds alone; the adaptive distance with its n = 50 and α = 0.5; a generation below 1 is a
candidate. (It drew 2²⁰ images of each of its CIFAR-10 models.)

Ours: the neighbourhood is of distinct pictures (see `scanner.attack._adaptive`). There are no control prompts to read
false positives off, so training pictures that stand once are the controls: each is compared with all *others* as if
it had been generated. A model that has learnt the distribution and no picture draws such images, so the share of
controls that pass is the rule's false-positive rate; near-duplicates that the audit missed make it larger, never
smaller. The threshold is the paper's 1, or lower where more than --false-positive-rate of the controls pass. Since
thousands of images are drawn, some pass by chance: `memorised` takes two generations of one picture. The paper's rule
is stored beside it, and the report gives both by copies, pictures that stand once among them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import polars as pl

from pipelines.configs import AttackOptions, TargetOptions
from pipelines.engines import Job, LocalEngine, require
from pipelines.targets import loading_of
from pipelines.verification import by_shard, copies_of, distinct_pictures, no_originals, shard_part, stored_images
from scanner.attack import NEEDED, PAPER_ADAPTIVE, Unprompted
from scanner.run import Run
from scanner.tables import GROUPS, MEMBERS, MEMORISED, SAMPLES, UNCONDITIONAL, UNCONDITIONAL_CONTROLS
from scanner.targets import UnconditionalTarget, load_unconditional
from scanner.verify import (
    AgreementThreshold,
    Neighbourhoods,
    Squares,
    agreement_threshold,
    squares_file,
    stored_neighbourhoods,
    write_squares,
)

BATCH_IMAGES = 256
"""Images in one file, the unit of resume."""
CONTROLS = 1000
"""Training pictures that are compared with the others; they cost no image."""


def attack_unconditional(
    run: Run, model: str, config: AttackOptions, engine: LocalEngine, options: TargetOptions
) -> None:
    """Attack such a model with an audited run: its tables are written, and the attack's part of the manifest.

    Resumes. Raises UnusableInputError before anything is written when the data set is gone, the target can't be
    loaded, or the run holds an attack under another configuration; and when no training image can be read, or fewer
    than 51 different ones.
    """
    stored_images(run)
    target = load_unconditional(model, loading_of(options))
    settings = {"target": model, "target_checksum": target.checksum, "transform": asdict(target.transform)}
    run.claim_part("attack", asdict(config) | options.identity() | settings | {"unconditional": True})
    group_of = dict(run.read(MEMBERS).select("sample_id", "group_id").iter_rows())
    index = _open_index(run, target, group_of, engine)
    threshold = _threshold(run, index, config)
    _generate(run, target, index, config, engine)
    _write_memorised(run, group_of, threshold.value)
    copies = copies_of(run)
    rows = SAMPLES.scan(run.path).select(pl.len()).collect().item()
    run.finish(
        "attack",
        {
            "adaptive_threshold": asdict(threshold),
            "images": config.images,
            "training_pictures": len(index.sample_id),
            "originals_missing": rows - sum(copies[int(sample)] for sample in index.sample_id),
        },
    )


def _open_index(
    run: Run, target: UnconditionalTarget, group_of: Mapping[int, int], engine: LocalEngine
) -> Neighbourhoods:
    """All distinct training pictures in the target's transform, read shard by shard unless they are there."""
    images, distinct = stored_images(run), distinct_pictures(run)
    if distinct.is_empty():
        raise no_originals(run)
    job = Job(
        name="training pictures",
        shards=by_shard(distinct),
        make=lambda: Squares(images, target.transform),
        done=lambda shard: squares_file(run.path, shard_part(shard)).exists(),
        write=lambda shard, arrays: write_squares(run.path, shard_part(shard), arrays),
    )
    require(engine.run(job))
    return stored_neighbourhoods(run.path, group_of)


def _threshold(run: Run, index: Neighbourhoods, config: AttackOptions) -> AgreementThreshold:
    """The adaptive distance that the stated share of controls pass, at most the paper's 1."""
    singles = index.singles()
    drawn = np.random.default_rng(config.seed).permutation(len(singles))[:CONTROLS]
    rows = np.sort(singles[drawn])
    around = index.without_themselves(rows)
    controls = [
        {
            "sample_id": int(index.sample_id[row]),
            "nearest": one.sample_id,
            "l2": one.l2,
            "mean_l2": one.mean_l2,
            "adaptive_l2": one.adaptive_l2,
        }
        for row, one in zip(rows, around, strict=True)
    ]
    UNCONDITIONAL_CONTROLS.write(run.path, UNCONDITIONAL_CONTROLS.frame(controls))
    below = float(np.nextafter(PAPER_ADAPTIVE, 0))
    return agreement_threshold([one.adaptive_l2 for one in around], ceiling=below, rate=config.false_positive_rate)


def _generate(
    run: Run, target: UnconditionalTarget, index: Neighbourhoods, config: AttackOptions, engine: LocalEngine
) -> None:
    """All images, in batches, unless they are there."""
    stage = Unprompted(target, index, run_seed=config.seed, steps=config.steps)
    job: Job[range, pl.DataFrame] = Job(
        name="images",
        shards=[range(at, min(at + BATCH_IMAGES, config.images)) for at in range(0, config.images, BATCH_IMAGES)],
        make=lambda: stage,
        done=lambda numbers: UNCONDITIONAL.exists(run.path, _part(numbers)),
        write=lambda numbers, rows: UNCONDITIONAL.write(run.path, rows, _part(numbers)),
    )
    require(engine.run(job))


def _part(numbers: Sequence[int]) -> str:
    return f"{numbers[0]:09d}"


def _write_memorised(run: Run, group_of: Mapping[int, int], threshold: float) -> None:
    """The memorised table, from the stored images alone."""
    candidates = (
        UNCONDITIONAL.scan(run.path)
        .filter(pl.col("adaptive_l2") < PAPER_ADAPTIVE)
        .select("image_index", "seed", "sample_id", "l2", "adaptive_l2")
        .collect()
        .sort("adaptive_l2", "image_index")
    )
    shown: dict[int, list[dict[str, Any]]] = {}
    for row in candidates.iter_rows(named=True):
        shown.setdefault(group_of.get(row["sample_id"], row["sample_id"]), []).append(row)
    copies = dict(run.read(GROUPS).select("group_id", "copies").iter_rows())
    MEMORISED.write(
        run.path,
        MEMORISED.frame(
            {
                **rows[0],
                "group_id": picture if picture in copies else None,
                "copies": copies.get(picture, 1),
                "candidates": len(rows),
                "generations": (within := sum(row["adaptive_l2"] <= threshold for row in rows)),
                "memorised": within >= NEEDED,
            }
            for picture, rows in shown.items()
        ),
    )
