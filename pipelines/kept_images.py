"""What stays of the generated images once an attack is finished: the pixels that prove something, and every distance.

Every row of the generations table stays, with its seed, so that any image can be made again; only the pixels of the
others go. A file is rewritten whole or not at all, and one that was done already is left as it is.
"""

import polars as pl

from scanner.attack import EVIDENCE_FIRST
from scanner.run import Run
from scanner.tables import CANDIDATES, GENERATIONS


def drop_images(run: Run, kept: str) -> None:
    """Take away the pixels that `kept` (all, evidence, clique or best) does not name."""
    if kept == "all":
        return
    cliques = run.read(CANDIDATES).select("prompt_id", seed="seeds").explode("seed").drop_nulls()
    best = _best(run)
    for path in GENERATIONS.parts(run.path):
        rows = GENERATIONS.read(run.path, path.stem)
        key = pl.struct("prompt_id", "image_index")
        stays = key.is_in(best.select(key).to_series().implode())
        if kept != "best":
            stays |= pl.struct("prompt_id", "seed").is_in(cliques.to_struct().implode())
        if kept == "evidence":
            stays |= pl.col("image_index") >= EVIDENCE_FIRST
        if not rows.filter(~stays)["png"].is_null().all():
            GENERATIONS.write(run.path, rows.with_columns(png=pl.when(stays).then("png")), path.stem)


def _best(run: Run) -> pl.DataFrame:
    """Each prompt's image nearest to an original, of full steps where there is one; its first where none is near."""
    rows = GENERATIONS.scan(run.path).filter(pl.col("defect").is_null())
    order = (pl.col("near").list.len().fill_null(0) == 0, pl.col("image_index") < EVIDENCE_FIRST, "normalised_l2")
    ordered = rows.select("prompt_id", "image_index", "near", "normalised_l2").collect().sort(*order, nulls_last=True)
    return ordered.unique("prompt_id", keep="first", maintain_order=True).select("prompt_id", "image_index")
