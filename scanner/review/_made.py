"""The generated images of a run, and in which of its files each lies.

An attack writes at most 64 images into a file, so that a large run has thousands of them: where an image lies is read
once, from the columns beside the pixels, and an image is then read from its own file alone.

    >>> made = MadeImages(Run.open(Path("RUN")))                                 # doctest: +SKIP
    >>> made.png("5f1d7a84db00d2fc", 1_000_000)                                  # doctest: +SKIP
"""

import polars as pl

from scanner.attack import EVIDENCE_FIRST
from scanner.run import Run
from scanner.tables import GENERATIONS, UNCONDITIONAL, Table

SCHEMA = pl.Schema(
    {
        "image_index": pl.Int64,
        "seed": pl.Int64,
        "steps": pl.Int64,
        "distance": pl.Float64,
        "part": pl.String,
    }
)
_NOTHING = pl.DataFrame(schema=SCHEMA)


class MadeImages:
    """Full-step images of prompts, and the images of a model that takes none; several threads may ask."""

    def __init__(self, run: Run) -> None:
        full = pl.col("image_index") >= EVIDENCE_FIRST
        rows = _rows(run, GENERATIONS).filter(full, pl.col("defect").is_null())
        names = ("prompt_id", "image_index", "seed", "steps", "sample_id", "part")
        self.usable = rows.select(*names, distance=pl.col("normalised_l2").fill_nan(None)).collect()
        """One row a full-step image without a defect: prompt_id, image_index, seed, steps, sample_id of the original
        nearest to it, part (the file), distance (normalised l2 to that original)."""
        by_prompt = self.usable.select("prompt_id", *SCHEMA).partition_by("prompt_id", as_dict=True, include_key=False)
        self._prompts = {str(prompt_id): frame for (prompt_id,), frame in by_prompt.items()}
        alone = _rows(run, UNCONDITIONAL).select("image_index", "seed", "steps", "part", distance="adaptive_l2")
        self._alone = {row["image_index"]: row for row in alone.collect().iter_rows(named=True)}

    def of(self, prompt_id: str | None, image_index: int | None) -> pl.DataFrame:
        """The usable images of a prompt (without one: the image of that index) whose pixels are kept: image_index,
        seed, steps, distance."""
        rows = self._listed(prompt_id, image_index)
        kept = [self._pixels(part, prompt_id) for part in rows["part"].unique(maintain_order=True)]
        stored = pl.concat([frame.filter(pl.col("png").is_not_null()) for frame in kept]) if kept else rows.clear()
        return rows.join(stored, on="image_index", how="semi", maintain_order="left").select(SCHEMA.names()[:-1])

    def png(self, prompt_id: str | None, image_index: int) -> bytes | None:
        """The encoded image; None where there is none, or its pixels are not kept."""
        part = self._listed(prompt_id, image_index).filter(pl.col("image_index") == image_index)["part"]
        if part.is_empty():
            return None
        found = self._pixels(part[0], prompt_id).filter(pl.col("image_index") == image_index)["png"]
        return None if found.is_empty() else found[0]

    def _listed(self, prompt_id: str | None, image_index: int | None) -> pl.DataFrame:
        if prompt_id is not None:
            return self._prompts.get(prompt_id, _NOTHING)
        row = None if image_index is None else self._alone.get(image_index)
        return _NOTHING if row is None else pl.DataFrame([row], schema=SCHEMA)

    def _pixels(self, part: str, prompt_id: str | None) -> pl.DataFrame:
        rows = pl.scan_parquet(part)
        mine = rows if prompt_id is None else rows.filter(pl.col("prompt_id") == prompt_id)
        return mine.select("image_index", "png").collect()


def _rows(run: Run, table: Table) -> pl.LazyFrame:
    """All rows with their file in `part`; a column that an older run lacks is null."""
    parts = table.parts(run.path)
    if not parts:
        return table.empty().lazy().with_columns(part=pl.lit(None, dtype=pl.String))
    return pl.scan_parquet(
        parts, schema=table.schema, missing_columns="insert", extra_columns="ignore", include_file_paths="part"
    )
