"""The reference that the attack is measured against: 500 full-step images of every prompt of both arms, no triage, no
early stop (Carlini et al. 2023), and how near each lies to an original.

    python -m tests.benchmarks.exhaustive RUN TARGET OUT.parquet --every 3 --steps 12 --guidance 3

RUN is an audited run; every third prompt of its ranked list and as many controls are attacked. Hours of CPU, so what it
found ships beside this file; a stopped one goes on. The denoiser is compiled and computes in bfloat16 (three times
faster here; images differ from those of float32 by rounding). Distances are those of the attack, to originals and to
their reconstructions, by brute force over all of them.

Rows: prompt_id, arm, copies, image_index, original (duplicate group, or sample, that lies nearest), normalised_l2 (to
it), l2 (plain, to the nearest original under plain l2).
"""

import argparse
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import polars as pl
import torch

from pipelines.configs import TargetOptions
from pipelines.engines import LocalEngine
from pipelines.targets import open_target
from pipelines.verification import open_originals
from scanner.attack import NEEDED, agreement, as_unit, normalise
from scanner.run import Run
from scanner.tables import MEMBERS, PROMPTS
from scanner.targets import Target, image_seed
from scanner.verify import NORMALISED_CEILING, AgreementThreshold, Originals, agreement_threshold

FOLDER = Path(__file__).with_name("reference")
IMAGES, BATCH = 500, 100
CLIQUE = 10
NAMES = ("prompt_id", "arm", "copies")


def sampled(run: Run, every: int) -> pl.DataFrame:
    """Every so many-th ranked prompt and as many controls: `prompt_id, arm, copies, caption, rank`."""
    columns = ("prompt_id", "arm", "copies", "caption", "rank")
    risk, control = (run.read(PROMPTS).filter(pl.col("arm") == arm).sort("rank") for arm in ("risk", "control"))
    chosen = risk.gather_every(every)
    return pl.concat([chosen.select(columns), control.gather_every(every).head(len(chosen)).select(columns)])


@dataclass(frozen=True, kw_only=True)
class Everything:
    """All originals in memory, to compare with by brute force."""

    original: np.ndarray
    """(n,) group, or sample where there is none."""
    normalised: tuple[torch.Tensor, ...]
    """Normalised pixels (n, d): of the originals and, where there is an autoencoder, of their reconstructions."""
    plain: torch.Tensor
    """Pixels (n, d) on [0, 1]."""

    @classmethod
    def of(cls, originals: Originals, target: Target) -> "Everything":
        ids = originals.blocks.sample_id.tolist()
        pictures = originals.pictures(ids)
        seen = [pictures]
        if target.has_autoencoder:
            seen.append(np.concatenate([target.reconstruct(pictures[i : i + 64]) for i in range(0, len(ids), 64)]))
        return cls(
            original=np.array([originals.group_of.get(sample, sample) for sample in ids]),
            normalised=tuple(flat(normalise(as_unit(one))) for one in seen),
            plain=flat(as_unit(pictures)),
        )

    def nearest(self, images: np.ndarray) -> pl.DataFrame:
        """`original, normalised_l2, l2` of images uint8 (n, size, size, 3)."""
        unit = as_unit(images)
        distances = torch.stack([pairwise_l2(flat(normalise(unit)), one) for one in self.normalised]).amin(dim=0)
        nearest = distances.min(dim=1)
        return pl.DataFrame(
            {
                "original": self.original[nearest.indices.numpy()],
                "normalised_l2": nearest.values.numpy(),
                "l2": pairwise_l2(flat(unit), self.plain).amin(dim=1).numpy(),
            }
        )


def flat(images: np.ndarray) -> torch.Tensor:
    return torch.from_numpy(images.reshape(len(images), -1).astype(np.float32))


def pairwise_l2(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    squared = a.square().sum(1)[:, None] + b.square().sum(1) - 2 * a @ b.T
    return squared.clamp(min=0).div(a.shape[1]).sqrt()


def compiled(target: Target) -> None:
    """The denoiser compiled, in bfloat16 arithmetic."""
    network = target.denoiser.network
    inner = network.forward

    def forward(*args: object, **kwargs: object) -> tuple[torch.Tensor]:
        with torch.autocast("cpu", torch.bfloat16):
            out = inner(*args, **kwargs)
        return ((out[0] if isinstance(out, tuple) else out.sample).float(),)

    network.forward = torch.compile(forward)


def pixels_of(target: Target, prompt_id: str, caption: str, *, steps: int, guidance: float) -> np.ndarray:
    """All images of one prompt, uint8 (500, size, size, 3)."""
    parts = []
    for first in range(0, IMAGES, BATCH):
        seeds = [image_seed(0, prompt_id, first + i) for i in range(BATCH)]
        for one in target.generate([caption] * BATCH, seeds, steps=steps, guidance=guidance):
            parts.append(np.asarray((np.nan_to_num(one.image).clip(0, 1) * 255).round(), np.uint8))
    return np.stack(parts)


def make(prompts: pl.DataFrame, out: Path, images: Callable[[str, str], np.ndarray], everything: Everything) -> None:
    """Write OUT, by way of one file a prompt beside it."""
    parts = out.with_suffix(".parts")
    parts.mkdir(parents=True, exist_ok=True)
    for prompt, arm, copies, caption, _ in prompts.iter_rows():
        part = parts / f"{prompt}.parquet"
        if not part.exists():
            rows = everything.nearest(images(prompt, caption)).with_row_index("image_index")
            named = (pl.lit(value).alias(name) for name, value in zip(NAMES, (prompt, arm, copies), strict=True))
            rows.select(*named, *rows.columns).write_parquet(part)
    whole = pl.concat([pl.read_parquet(parts / f"{prompt}.parquet") for prompt in prompts["prompt_id"]])
    whole.with_columns(pl.col("normalised_l2", "l2").cast(pl.Float32).round(5)).write_parquet(out, compression_level=19)


@dataclass(frozen=True, kw_only=True)
class Exhaustive:
    """What the reference found."""

    threshold: AgreementThreshold
    """Of the verdict, from its own control arm."""
    rate: Mapping[str, float]
    """Of every hit of the risk arm, at least 10 of whose images (the paper's clique) show one original: the share of
    its 500 images that do."""
    few: Mapping[str, float]
    """The same of the prompts of which 2 to 9 images show one original: no clique would have flagged them."""
    controls: int
    """Controls that pass."""


def read(stored: Path, rate: float = 0.01) -> tuple[pl.DataFrame, Exhaustive]:
    """The stored reference of a target, and its hits under the verdict's own rule."""
    rows = pl.read_parquet(stored)
    levels: dict[str, dict[str, float | None]] = {"risk": {}, "control": {}}
    for (prompt, arm), part in rows.group_by("prompt_id", "arm"):
        near = [[pair] for pair in part.select("original", "normalised_l2").iter_rows()]
        agreed = agreement(near, {}, threshold=0)
        levels[arm][prompt] = None if agreed is None else agreed.distance
    threshold = agreement_threshold(list(levels["control"].values()), ceiling=NORMALISED_CEILING, rate=rate)
    near = rows.filter(pl.col("arm") == "risk", pl.col("normalised_l2") <= threshold.value)
    shown = near.group_by("prompt_id", "original").len().group_by("prompt_id").agg(pl.col("len").max())
    rates = {prompt: count / IMAGES for prompt, count in shown.sort("prompt_id").iter_rows()}
    hits, few = ({p: r for p, r in rates.items() if (r * IMAGES >= CLIQUE) is flagged} for flagged in (True, False))
    few = {prompt: rate for prompt, rate in few.items() if rate * IMAGES >= NEEDED}
    return rows, Exhaustive(threshold=threshold, rate=hits, few=few, controls=threshold.passing)


def write_reference(run: Run, model: str, out: Path, *, every: int, steps: int, guidance: float) -> None:
    """Attack every so many-th prompt of a run exhaustively and write OUT; a stopped one goes on."""
    target = open_target(model, TargetOptions())
    group_of = dict(run.read(MEMBERS).select("sample_id", "group_id").iter_rows())
    everything = Everything.of(open_originals(run, target, group_of, LocalEngine()), target)
    compiled(target)

    def images(prompt: str, caption: str) -> np.ndarray:
        return pixels_of(target, prompt, caption, steps=steps, guidance=guidance)

    make(sampled(run, every), out, images, everything)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("run", type=Path)
    parser.add_argument("target")
    parser.add_argument("out", type=Path)
    parser.add_argument("--every", type=int, default=3)
    parser.add_argument("--steps", type=int, default=12)
    parser.add_argument("--guidance", type=float, default=3.0)
    given = parser.parse_args()
    asked = {"every": given.every, "steps": given.steps, "guidance": given.guidance}
    write_reference(Run.open(given.run), given.target, given.out, **asked)


if __name__ == "__main__":
    main()
