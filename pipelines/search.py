"""Making a run's images, and reading what they showed: a batch of images is the unit of resume.

A batch's file is there or it isn't. What is made next follows from the files alone, so an attack that was stopped asks
for the same batches again and skips those that exist, inside a prompt too.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.engines import Job, LocalEngine, require
from scanner.attack import (
    EVIDENCE_FIRST,
    Generator,
    PromptImages,
    Shown,
    Spending,
    from_png,
    tile_distances,
)
from scanner.run import Run
from scanner.tables import GENERATIONS

BATCH_IMAGES = 64
"""Images in one file at most."""


_OF_DISTANCES = ("prompt_id", "image_index", "defect", "near", "near_l2")


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A prompt to attack."""

    prompt_id: str
    """Its id."""
    caption: str
    """Its text."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Images that are made and stored together."""

    part: str
    """Name of their file."""
    prompts: tuple[PromptImages, ...]
    """What to make."""

    @property
    def images(self) -> int:
        return sum(len(part.indices) for part in self.prompts)


@dataclass(frozen=True, kw_only=True)
class Images:
    """A prompt's usable images, by number."""

    search: tuple[Shown, ...] = ()
    """Of few steps."""
    evidence: tuple[Shown, ...] = ()
    """Of full steps, with the numbers of the search (equal number, equal seed)."""


class Search:
    """Makes images of a run's prompts with one target, and reads what they showed."""

    def __init__(
        self, run: Run, engine: LocalEngine, stages: Callable[[int], Generator], spending: Spending | None = None
    ) -> None:
        self.run, self.engine, self.stages, self.spending = run, engine, stages, spending
        self._read = set[str]()
        self._distances = GENERATIONS.empty().select(_OF_DISTANCES)
        if spending is not None and GENERATIONS.exists(run.path):
            made = GENERATIONS.scan(run.path).select(pl.len(), pl.col("evaluations").sum()).collect().row(0)
            spending.count(images=made[0], evaluations=made[1])

    def make(self, name: str, wanted: Sequence[PromptImages], *, steps: int) -> None:
        """The images, in this order, unless they are there. Raises BudgetSpent where no more may be made."""
        job = Job(
            name=f"images: {name}",
            shards=list(_batches(name, wanted)),
            make=lambda: partial(self._one, self.stages(steps)),
            done=lambda batch: GENERATIONS.exists(self.run.path, batch.part),
            write=lambda batch, rows: GENERATIONS.write(self.run.path, rows, batch.part),
        )
        require(self.engine.run(job))

    def _one(self, generator: Generator, batch: Batch) -> pl.DataFrame:
        if self.spending is not None:
            self.spending.allow(batch.images)
        rows = generator(batch.prompts)
        if self.spending is not None:
            self.spending.count(images=batch.images, evaluations=int(rows["evaluations"].sum()))
        return rows

    def images(self, prompts: Sequence[Prompt], *, pictures: bool = False) -> dict[str, Images]:
        """What each prompt's images showed, by prompt_id; with their `pictures` where a rule looks at these."""
        ids = [prompt.prompt_id for prompt in prompts]
        mine = pl.col("prompt_id").is_in(ids)
        if pictures:
            rows = GENERATIONS.scan(self.run.path).filter(mine).select(*_OF_DISTANCES, "png").collect()
        else:
            rows = self._all_distances().filter(mine)
        found: dict[str, list[tuple[int, Shown | None]]] = {key: [] for key in ids}
        for row in rows.sort("prompt_id", "image_index").iter_rows(named=True):
            found[row["prompt_id"]].append((row["image_index"], None if row["defect"] else _shown(row)))
        return {prompt: _images(rows) for prompt, rows in found.items()}

    def _all_distances(self) -> pl.DataFrame:
        """What all images that were made so far lie near: each file is read once, since none changes once it is
        there."""
        new = [part for part in GENERATIONS.parts(self.run.path) if part.name not in self._read]
        if new:
            self._read.update(part.name for part in new)
            rows = pl.scan_parquet(new).select(_OF_DISTANCES).collect()
            self._distances = pl.concat([self._distances, rows], rechunk=len(self._read) % 64 == 0)
        return self._distances

    def shown(self, prompts: Sequence[Prompt]) -> set[str]:
        """The prompts of which the search has an image that can be compared, by their ids."""
        ids = [prompt.prompt_id for prompt in prompts]
        usable = GENERATIONS.scan(self.run.path).filter(pl.col("prompt_id").is_in(ids), pl.col("defect").is_null())
        return set(usable.select(pl.col("prompt_id").unique()).collect()["prompt_id"])

    def generations(self, prompts: Sequence[Prompt]) -> Iterator[pl.DataFrame]:
        """Per prompt all its rows of the generations table, in the order of image numbers; none where none was made."""
        if not GENERATIONS.exists(self.run.path):
            yield from (GENERATIONS.empty() for _ in prompts)
            return
        table = GENERATIONS.scan(self.run.path, file_column="file")
        where = table.select("prompt_id", "file").unique().collect()
        files = {key: sorted(part["file"]) for (key,), part in where.partition_by("prompt_id", as_dict=True).items()}
        for prompt in prompts:
            if prompt.prompt_id not in files:
                yield GENERATIONS.empty()
                continue
            rows = pl.scan_parquet(files[prompt.prompt_id]).filter(pl.col("prompt_id") == prompt.prompt_id)
            yield rows.collect().sort("image_index")


def _shown(row: Mapping[str, Any]) -> Shown:
    near = tuple(zip(row["near"] or (), row["near_l2"] or (), strict=True))
    return Shown(index=row["image_index"] % EVIDENCE_FIRST, near=near, png=row.get("png"))


def _images(rows: Sequence[tuple[int, Shown | None]]) -> Images:
    return Images(
        search=tuple(shown for index, shown in rows if shown is not None and index < EVIDENCE_FIRST),
        evidence=tuple(shown for index, shown in rows if shown is not None and index >= EVIDENCE_FIRST),
    )


def usable_distances(generations: pl.DataFrame, *, evidence: bool) -> tuple[NDArray[np.float32], list[int]]:
    """Tile distances (n, n) of a prompt's usable images of the evidence or of the search, and their seeds."""
    full = pl.col("image_index") >= EVIDENCE_FIRST
    rows = generations.filter(pl.col("defect").is_null(), full if evidence else ~full)
    images = np.empty((0, 4, 4, 3), np.uint8)
    for number, encoded in enumerate(rows["png"]):  # one after the other: 500 of 512 × 512 are 393 MB as it is
        pixels = from_png(encoded)
        images = images if number else np.empty((rows.height, *pixels.shape), np.uint8)
        images[number] = pixels
    return tile_distances(images), rows["seed"].to_list()


def _batches(name: str, wanted: Sequence[PromptImages]) -> Iterator[Batch]:
    """Files of at most BATCH_IMAGES images, in order; a prompt of more is cut."""
    parts = [
        PromptImages(prompt_id=one.prompt_id, caption=one.caption, indices=one.indices[at : at + BATCH_IMAGES])
        for one in wanted
        for at in range(0, len(one.indices), BATCH_IMAGES)
    ]
    batch, number, images = list[PromptImages](), 0, 0
    for part in parts:
        if batch and images + len(part.indices) > BATCH_IMAGES:
            yield Batch(part=f"{name}-{number:05d}", prompts=tuple(batch))
            batch, number, images = [], number + 1, 0
        batch.append(part)
        images += len(part.indices)
    if batch:
        yield Batch(part=f"{name}-{number:05d}", prompts=tuple(batch))
