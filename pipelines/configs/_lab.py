"""The options of the lab: targets to train, canaries to plant, runs to score."""

import re
from dataclasses import dataclass

from scanner.errors import UnusableInputError

DEFAULT_PLAN = "8x5,32x5,128x5"
"""Fifteen canaries in 840 rows: below, at and above where Stable Diffusion's extraction begins (about 100 copies,
Carlini et al. 2023); the lab's own small targets give pictures back from 8 copies on."""


FAMILIES = ("latent", "pixel", "unconditional")
"""Targets that the lab trains, as `pipelines.lab` has them."""


@dataclass(frozen=True, kw_only=True)
class TrainConfig:
    """How the lab trains a target."""

    family: str = "latent"
    """latent (Stable-Diffusion-shaped: autoencoder, CLIP text encoder), pixel (DeepFloyd-IF-shaped: T5 text encoder, no
    autoencoder) or unconditional (DDPM-shaped: captions are not read)."""
    size: int | None = None
    """Side of the square pictures, pixels; by default 64 (latent) or 32 (pixel, unconditional)."""
    steps: int | None = None
    """Steps of the denoiser; by default 3,000."""
    batch: int | None = None
    """Rows in one such step; by default 64 (latent) or 32 (pixel, unconditional)."""
    seed: int = 0
    """Seed of weights, order and noise, and of what a plan of copies draws."""
    copies: str | None = None
    """Plan of copies, such as 1x400,8x20,128x4: train on 400 pictures of the data set once, on 20 eight times, on 4 128
    times, drawn by the seed from pictures that are unlike one another and have a caption (a picture without one will do
    for unconditional). By default the data set is trained on as it is."""
    templates: str | None = None
    """Beside a plan of copies, VARIANTSxLAYOUTS, such as 32x12: 12 layouts of 32 pictures each, which differ in one
    region and carry one caption."""
    write_dataset: str | None = None
    """Folder for the planned data set, copies and all, as webdataset shards: what `scanner audit` is to be given."""

    def __post_init__(self) -> None:
        if self.family not in FAMILIES:
            raise UnusableInputError(f"There is no family '{self.family}'; use one of {', '.join(FAMILIES)}.")
        if min(self.size or 1, self.steps or 1, self.batch or 1) < 1 or 0 in (self.size, self.steps, self.batch):
            raise UnusableInputError("--size, --steps and --batch are at least 1.")
        if self.write_dataset is not None and self.copies is None:
            raise UnusableInputError("--write-dataset writes the set that --copies plans; give both.")
        if self.templates is not None and self.copies is None:
            raise UnusableInputError("--templates stands beside a plan of copies; give --copies too.")
        self.plan()
        self.template_plan()

    def plan(self) -> dict[int, int] | None:
        """How many pictures get how many copies; None without a plan."""
        return None if self.copies is None else _plan_of("--copies", self.copies, "copies", "pictures")

    def template_plan(self) -> dict[int, int]:
        """How many layouts get how many variants."""
        return {} if self.templates is None else _plan_of("--templates", self.templates, "variants", "layouts")


def _plan_of(option: str, text: str, of: str, what: str) -> dict[int, int]:
    parts = [re.fullmatch(r"\s*([1-9]\d*)x([1-9]\d*)\s*", part) for part in text.split(",")]
    plan = {int(part[1]): int(part[2]) for part in parts if part}
    if len(plan) < len(parts):
        raise UnusableInputError(
            f"{option} {text} is no plan; give each number of {of} once with its {what}, as 1x400,128x4."
        )
    return plan


@dataclass(frozen=True, kw_only=True)
class PlantConfig:
    """Which canaries are planted, and how the data set is read that they are to fit into."""

    plan: str = DEFAULT_PLAN
    """COPIESxCANARIES, comma separated: how many canaries are planted how often."""
    seed: int = 0
    """Seed of pictures, captions and the order of the rows."""
    edits: str = "exact"
    """How the copies of one canary differ: exact (one file), or light (re-encoded at JPEG quality 75 to 90 and resized
    to 75 to 100 %)."""
    layout: str | None = None
    """Layout of the data set (webdataset, parquet, arrow or folder); by default the data are looked at."""
    caption_column: str | None = None
    """Column, or field of a .json, that holds the caption; by default found by its name."""
    key_column: str | None = None
    """Column of the row's key."""
    image_column: str | None = None
    """Column, or extension in a tar, of the image."""
    limit: int | None = None
    """Look at no more than this many rows of the data set, for the words of its captions and the size of its images; by
    default at all."""


@dataclass(frozen=True, kw_only=True)
class ScoreConfig:
    """How an attacked run is held against the truth."""

    memorised_from: int = 8
    """Copies from which a detector is expected to notice a prompt: the positives of its ROC. Prompts of 2 copies and
    more but fewer than these are left out of it."""

    precision: float = 0.95
    """Of each stored score, give the threshold of this precision or more, above 0 to 1, that most planted prompts pass,
    with its recall."""

    def __post_init__(self) -> None:
        if self.memorised_from < 1:
            raise UnusableInputError("--memorised-from is at least 1.")
        if not 0 < self.precision <= 1:
            raise UnusableInputError(f"--precision lies above 0 and at most at 1, not at {self.precision}.")
