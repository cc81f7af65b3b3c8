"""The search of the attack: images in rounds, each round's prompts chosen by what the rounds before it showed.

A batch of prompts is the unit of resume: its file is there or it isn't, and since every round follows from the files
of the rounds before, a resumed search asks for the same batches again and skips those that exist.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from numpy.typing import NDArray

from pipelines.engines import Job, LocalEngine, require
from scanner.attack import (
    EVIDENCE_FIRST,
    NEEDED,
    Agreement,
    Generator,
    PromptImages,
    agreement,
    from_png,
    tile_distances,
)
from scanner.run import Run
from scanner.tables import GENERATIONS

BATCH_IMAGES = 64
"""Images in one file at most (a prompt's images of one round stay together)."""


@dataclass(frozen=True, kw_only=True)
class Prompt:
    """A prompt to attack."""

    prompt_id: str
    """Its id."""
    caption: str
    """Its text."""


@dataclass(frozen=True, kw_only=True)
class Searched:
    """What the search did."""

    attacked: tuple[Prompt, ...]
    """Prompts that images were made of: suspicious risk prompts, then controls."""
    control: tuple[Prompt, ...]
    """The controls among them."""
    accepted: Mapping[str, Agreement]
    """Prompts whose generations agree on an original, by prompt_id."""


@dataclass(frozen=True, kw_only=True)
class Batch:
    """Prompts whose images are made and stored together."""

    part: str
    """Name of their file."""
    prompts: tuple[PromptImages, ...]
    """What to make."""


class Search:
    """Makes images of a run's prompts with one target, and reads what they showed."""

    def __init__(
        self, run: Run, engine: LocalEngine, stages: Callable[[int], Generator], group_of: Mapping[int, int]
    ) -> None:
        self.run, self.engine, self.stages, self.group_of = run, engine, stages, group_of

    def make(self, name: str, prompts: Sequence[Prompt], *, first: int, count: int, steps: int) -> None:
        """Images first … first + count − 1 of each prompt, unless they are there."""
        wanted = [PromptImages(prompt_id=p.prompt_id, caption=p.caption, first=first, count=count) for p in prompts]
        job = Job(
            name=f"images: {name}",
            shards=list(_batches(name, wanted)),
            make=lambda: self._stage(steps),
            done=lambda batch: GENERATIONS.exists(self.run.path, batch.part),
            write=lambda batch, rows: GENERATIONS.write(self.run.path, rows, batch.part),
        )
        require(self.engine.run(job))

    def _stage(self, steps: int) -> Callable[[Batch], pl.DataFrame]:
        generator = self.stages(steps)
        return lambda batch: generator(batch.prompts)

    def rounds(
        self, name: str, prompts: Sequence[Prompt], schedule: Sequence[int], *, steps: int, threshold: float
    ) -> dict[str, Agreement]:
        """Attack in rounds; a prompt leaves when its generations agree. Returns the agreement of those that left."""
        accepted: dict[str, Agreement] = {}
        made, active = 0, list(prompts)
        for number, total in enumerate(schedule):
            self.make(f"{name}-{number}", active, first=made, count=total - made, steps=steps)
            made = total
            found = self.agreements(active, threshold=threshold)
            accepted |= {prompt: agreed for prompt, agreed in found.items() if agreed.count >= NEEDED}
            active = [prompt for prompt in active if prompt.prompt_id not in accepted]
        return accepted

    def agreements(self, prompts: Sequence[Prompt], *, threshold: float) -> dict[str, Agreement]:
        """Per prompt whose search images have an original in common: the best agreement, within `threshold` or not."""
        ids = [prompt.prompt_id for prompt in prompts]
        rows = GENERATIONS.scan(self.run.path).filter(
            pl.col("prompt_id").is_in(ids),
            pl.col("near").is_not_null(),
            pl.col("image_index") < EVIDENCE_FIRST,
        )
        frame = rows.select("prompt_id", "image_index", "near", "near_l2").collect().sort("prompt_id", "image_index")
        near: dict[str, list[list[tuple[int, float]]]] = {}
        for prompt, _, samples, distances in frame.iter_rows():
            near.setdefault(prompt, []).append(list(zip(samples, distances, strict=True)))
        found = {prompt: agreement(lists, self.group_of, threshold=threshold) for prompt, lists in near.items()}
        return {prompt: agreed for prompt, agreed in found.items() if agreed is not None}

    def generations(self, prompts: Sequence[Prompt]) -> Iterator[pl.DataFrame]:
        """Per prompt all its rows of the generations table, in the order of image numbers."""
        table = GENERATIONS.scan(self.run.path, file_column="file")
        where = table.select("prompt_id", "file").unique().collect()
        files = {key: sorted(part["file"]) for (key,), part in where.partition_by("prompt_id", as_dict=True).items()}
        for prompt in prompts:
            rows = pl.scan_parquet(files[prompt.prompt_id]).filter(pl.col("prompt_id") == prompt.prompt_id)
            yield rows.collect().sort("image_index")


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
    size = max(1, BATCH_IMAGES // wanted[0].count) if wanted else 1
    for number, at in enumerate(range(0, len(wanted), size)):
        yield Batch(part=f"{name}-{number:05d}", prompts=tuple(wanted[at : at + size]))
