"""The distance at which the full-step images of each attacked prompt begin to agree on one original.

It is `agreement` over a whole run at once, from the stored lists of near originals, and what the verdict's threshold
cuts: a prompt agrees at every threshold from its level on. A test holds it to `agreement`.

>>> agreement_levels(Run.open(Path("RUN")))                                   # doctest: +SKIP
"""

import polars as pl

from scanner.attack._agreement import NEEDED
from scanner.attack._generate import EVIDENCE_FIRST
from scanner.run import Run
from scanner.tables import GENERATIONS, MEMBERS


def agreement_levels(run: Run) -> pl.DataFrame:
    """`prompt_id` and `agreement_l2` (normalised l2), a row for every prompt of which two usable full-step images have
    one original near them; rows of one duplicate group are one original."""
    usable = (pl.col("image_index") >= EVIDENCE_FIRST) & pl.col("defect").is_null()
    near = (
        GENERATIONS.scan(run.path)
        .filter(usable)
        .select("prompt_id", "image_index", sample_id="near", distance="near_l2")
        .explode("sample_id", "distance")
        .filter(pl.col("distance").is_finite())
        .collect()
    )
    wanted = near.lazy().select("sample_id").unique()
    groups = MEMBERS.scan(run.path).join(wanted, on="sample_id", how="semi").select("sample_id", "group_id").collect()
    named = near.join(groups, on="sample_id", how="left").with_columns(original=pl.coalesce("group_id", "sample_id"))
    of_images = named.group_by("prompt_id", "original", "image_index").agg(pl.col("distance").min())
    agreed = (
        of_images.sort("distance")
        .group_by("prompt_id", "original")
        .agg(pl.col("distance").get(NEEDED - 1, null_on_oob=True))
    )
    levels = agreed.drop_nulls("distance").group_by("prompt_id").agg(agreement_l2=pl.col("distance").min())
    return levels.with_columns(pl.col("agreement_l2").cast(pl.Float64)).sort("prompt_id")
