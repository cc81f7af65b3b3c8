"""A target's folder: checkpoints while it trains, a diffusers pipeline once it is done, never two trainings in one."""

import dataclasses
import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from transformers.utils import logging

from scanner.errors import UnusableInputError
from scanner.files import replacing
from scanner.lab._recipe import Recipe

TRAINING_FOLDER = ".training"


def open_folder(out: Path, family: str, recipe: Recipe, fingerprint: str) -> Path:
    """The checkpoints' folder in `out`, new or of the same training: family, recipe and training set.

    Raises `UnusableInputError` when `out` holds a model already, or another training.
    """
    folder = out / TRAINING_FOLDER
    record = folder / "recipe.json"
    wanted = json.dumps({"family": family, **dataclasses.asdict(recipe), "training_set": fingerprint})
    if record.exists():
        _check_same(folder, json.loads(record.read_text()), json.loads(wanted))
    elif (out / "model_index.json").exists():
        raise UnusableInputError(f"{out} holds a model already: choose another folder or remove it.")
    else:
        with replacing(record) as temporary:
            temporary.write_text(wanted)
    return folder


def publish(pipeline: Any, folder: Path, out: Path) -> None:
    """Write the pipeline, its index last; then remove the checkpoints."""
    finished = folder / "pipeline"
    with _without_progress_bar():
        pipeline.save_pretrained(finished)
    _share_permissions(finished)
    for part in sorted(finished.iterdir(), key=lambda path: path.name == "model_index.json"):
        shutil.rmtree(out / part.name, ignore_errors=True)
        part.replace(out / part.name)
    (folder / "recipe.json").unlink()
    shutil.rmtree(folder)


def _check_same(folder: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    differing = [name for name in wanted if found.get(name) != wanted[name]]
    if differing:
        raise UnusableInputError(
            f"{folder} holds a training with another {differing[0]}: continue it with the same recipe "
            "and training set, or remove the folder."
        )


def _share_permissions(finished: Path) -> None:
    """The libraries leave weights readable by their owner only; give them the mode of the other files."""
    mode = (finished / "model_index.json").stat().st_mode
    for weights in finished.rglob("*.safetensors"):
        weights.chmod(mode)


@contextmanager
def _without_progress_bar() -> Iterator[None]:
    """transformers draws a bar on stderr even for one small file."""
    enabled = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()  # type: ignore[no-untyped-call, unused-ignore]
    try:
        yield
    finally:
        if enabled:
            logging.enable_progress_bar()  # type: ignore[no-untyped-call, unused-ignore]
