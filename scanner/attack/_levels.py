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

TOGETHER = 5_000
"""Prompts whose lists are unrolled at once."""
SCHEMA = {"prompt_id": pl.String, "agreement_l2": pl.Float64}


def agreement_levels(run: Run) -> pl.DataFrame:
    """`prompt_id` and `agreement_l2` (normalised l2), a row for every prompt of which two usable full-step images have
    one original near them; rows of one duplicate group are one original."""
    usable = (pl.col("image_index") >= EVIDENCE_FIRST) & pl.col("defect").is_null()
    images = GENERATIONS.scan(run.path).filter(usable).select("prompt_id", "near", "near_l2").collect()
    images = images.sort("prompt_id").with_row_index("image")
    first = images.select(pl.col("prompt_id").rle_id() // TOGETHER).to_series().rename("part")
    parts = images.with_columns(first).partition_by("part", include_key=False)
    found = [_levels(run, part) for part in parts]
    return pl.concat([pl.DataFrame(schema=SCHEMA), *found])


def _levels(run: Run, images: pl.DataFrame) -> pl.DataFrame:
    near = images.select("prompt_id", "image", sample_id="near", distance=pl.col("near_l2").cast(pl.List(pl.Float64)))
    near = near.explode("sample_id", "distance").filter(pl.col("distance").is_finite())
    named = near.join(_groups(run, near), on="sample_id", how="left")
    original = pl.coalesce("group_id", "sample_id").alias("original")
    of_images = named.group_by("prompt_id", original, "image").agg(pl.col("distance").min())
    needed = pl.col("distance").bottom_k(NEEDED).max()
    agreed = of_images.group_by("prompt_id", "original").agg(needed, pl.len()).filter(pl.col("len") >= NEEDED)
    return agreed.group_by("prompt_id").agg(agreement_l2=pl.col("distance").min()).sort("prompt_id")


def _groups(run: Run, near: pl.DataFrame) -> pl.DataFrame:
    """sample_id → group_id of the originals that are near any image."""
    wanted = near.lazy().select("sample_id").unique()
    return MEMBERS.scan(run.path).join(wanted, on="sample_id", how="semi").select("sample_id", "group_id").collect()
