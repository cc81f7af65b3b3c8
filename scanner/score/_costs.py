"""What the attack cost by arm, and what a verified hit cost: denoiser evaluations and images, from the tables."""

import polars as pl

from scanner.attack import EVIDENCE_FIRST
from scanner.run import Run
from scanner.score._model import Cost
from scanner.tables import GENERATIONS, TRIAGE


def costs(run: Run, prompts: pl.DataFrame) -> tuple[Cost, ...]:
    """Of the risk arm, the control arm, and both; `prompts` is `prompts_of`.

    The line of both arms is the price of an attack's hits: the controls are part of it, their own hits are not.
    """
    evidence = pl.col("image_index") >= EVIDENCE_FIRST
    images = (
        GENERATIONS.scan(run.path)
        .group_by("prompt_id")
        .agg(
            search_images=(~evidence).sum(),
            search_evaluations=pl.col("evaluations").filter(~evidence).sum(),
            evidence_images=evidence.sum(),
            evidence_evaluations=pl.col("evaluations").filter(evidence).sum(),
        )
    )
    triage = run.read(TRIAGE).group_by("prompt_id").agg(triage_evaluations=pl.col("evaluations").sum())
    spent = prompts.filter("tried").join(images.collect(), on="prompt_id", how="left")
    spent = spent.join(triage, on="prompt_id", how="left")
    risk, control = (spent.filter(pl.col("arm") == arm) for arm in ("risk", "control"))
    hits = int(risk["verified"].sum())
    return (
        _cost("risk", risk, hits),
        _cost("control", control, int(control["verified"].sum())),
        _cost("both", spent, hits),
    )


def _cost(arm: str, spent: pl.DataFrame, hits: int) -> Cost:
    kinds = ("triage_evaluations", "search_images", "search_evaluations", "evidence_images", "evidence_evaluations")
    sums = {kind: int(spent[kind].sum()) for kind in kinds}
    images = sums["search_images"] + sums["evidence_images"]
    evaluations = sum(number for kind, number in sums.items() if kind.endswith("evaluations"))
    return Cost(
        arm=arm,
        tried=spent.height,
        hits=hits,
        images_per_hit=images / hits if hits else None,
        evaluations_per_hit=evaluations / hits if hits else None,
        **sums,
    )
