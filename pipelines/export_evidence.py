"""The part of an export that is about hits: an evidence bundle of what was verified.

export_evidence(run, Path("evidence"), selected_prompts(run, options), overwrite=False)
"""

import json
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.configs import TargetOptions
from pipelines.targets import is_pipeline, loading_of
from scanner.attack import EVIDENCE_FIRST
from scanner.errors import UnusableInputError
from scanner.exports.evidence import BUNDLE_FILE, Generation, Hit, original_of, write_bundle
from scanner.run import Run, versions
from scanner.tables import GENERATIONS, HITS, MEMBERS
from scanner.targets import Transform

_OF_PROMPT = ("prompt_id", "arm", "rank", "caption", "copies", "risk", "reason")
_OF_GENERATION = ("image_index", "seed", "steps", "normalised_l2", "l2", "defect", "note")


def export_evidence(run: Run, out: Path, prompts: pl.DataFrame, *, overwrite: bool) -> int:
    """Write a bundle of the hits among these prompts and return their number.

    Raises UnusableInputError, and writes nothing, when the attack is not finished, there is no hit among them, or `out`
    exists and may not be replaced.
    """
    config, summary = run.part_config("attack"), run.manifest()["parts"].get("attack")
    if config is None or summary is None or not HITS.exists(run.path):
        raise UnusableInputError(
            f"{run.path} holds no finished attack on prompts, so there is no hit to give evidence of; attack it first."
        )
    hits = run.read(HITS).filter(pl.col("verdict") != "none")
    hits = hits.join(prompts.select(_OF_PROMPT), on="prompt_id", how="inner").sort(
        "arm", "rank", descending=[True, False]
    )
    if hits.is_empty():
        raise UnusableInputError("There is no verified hit among these prompts, so nothing was written.")
    _make_room(out, overwrite=overwrite)
    return write_bundle(out, _facts(run, config, summary), _hits(run, config, summary, hits))


def _make_room(out: Path, *, overwrite: bool) -> None:
    if not out.exists():
        return
    if not overwrite:
        raise UnusableInputError(f"{out} exists; name another place, or give --overwrite to replace it.")
    if not (out / BUNDLE_FILE).exists():
        raise UnusableInputError(f"{out} is no evidence bundle, and is not replaced; name another place.")
    shutil.rmtree(out)


def _facts(run: Run, config: Mapping[str, Any], summary: Mapping[str, Any]) -> dict[str, Any]:
    manifest = json.loads((run.path / "manifest.json").read_text(encoding="utf-8"))
    return {
        "format": "trainset-scanner evidence 1",
        "dataset": run.config["dataset"],
        "target": config["target"],
        "target_checksum": config["target_checksum"],
        "loading": _loading(config, summary["target"]),
        "transform": config["transform"],
        "run_seed": config["seed"],
        "guidance": config["guidance"],
        "normalised_threshold": summary["normalised_threshold"],
        "settings": config,
        "target_settings": summary["target"],
        "versions_of_the_attack": manifest["versions"],
        "versions_of_this_export": versions(),
    }


def _loading(config: Mapping[str, Any], settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """What `load_target` is told, with what came about where rounding depends on it; None for a target that can't be
    asked for its images again."""
    if not is_pipeline(config["target"]):
        return None
    known = {field.name for field in fields(TargetOptions)}
    given: dict[str, Any] = {
        name: tuple(v) if isinstance(v, list) else v for name, v in config.items() if name in known
    }
    slicing = "on" if settings["attention_slicing"] else "off"
    came_about = {"dtype": settings["dtype"], "compile": settings["compiled"], "attention_slicing": slicing}
    return asdict(loading_of(TargetOptions(**given | came_about)))


def _hits(run: Run, config: Mapping[str, Any], summary: Mapping[str, Any], hits: pl.DataFrame) -> Iterator[Hit]:
    transform, threshold = Transform(**config["transform"]), summary["normalised_threshold"]["value"]
    group_of = dict(run.read(MEMBERS).select("sample_id", "group_id").iter_rows())
    for row in hits.iter_rows(named=True):
        full = GENERATIONS.scan(run.path).filter(
            pl.col("prompt_id") == row["prompt_id"], pl.col("image_index") >= EVIDENCE_FIRST
        )
        original = group_of.get(row["sample_id"], row["sample_id"])

        def shows(near: list[int] | None, distances: list[float] | None, original: int = original) -> bool:
            pairs = zip(near or (), distances or (), strict=True)
            return any(group_of.get(sample, sample) == original and d <= threshold for sample, d in pairs)

        yield Hit(
            prompt_id=row["prompt_id"],
            facts={name: value for name, value in row.items() if name != "sample_id"},
            original=original_of(run, row["sample_id"], transform),
            generations=tuple(
                Generation(
                    facts={
                        **{name: one[name] for name in _OF_GENERATION if name != "image_index"},
                        "shows_original": shows(one["near"], one["near_l2"]),
                    },
                    png=one["png"],
                )
                for one in full.collect().sort("image_index").iter_rows(named=True)
            ),
        )
