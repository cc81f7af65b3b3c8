"""The target that an attack names: which kind it is is seen from its name, and it is opened with the options' settings.

    openai:MODEL                        a hosted image API
    a folder with a model_index.json    a diffusers pipeline
    any other folder, a .tar, .parquet  images that were generated elsewhere, with their prompts
    owner/name                          a diffusers pipeline on the hub

>>> open_target("models/mine", TargetOptions())                                # doctest: +SKIP
"""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import polars as pl

from pipelines.configs import TargetOptions
from pipelines.search import Prompt
from scanner.errors import UnusableInputError
from scanner.run import Run
from scanner.tables import SAMPLES
from scanner.targets import (
    ApiSettings,
    ApiTarget,
    DiffusersTarget,
    Loading,
    StoredTarget,
    Target,
    Transform,
    load_target,
    open_stored,
)

API = "openai:"
API_COMPARE_SIZE = 512
"""Side at which an API's images are compared: that of Stable Diffusion 1, as the paper's."""


def open_target(model: str, options: TargetOptions, run: Run | None = None) -> Target:
    """A loaded target; an API's keeps in the `run` what it has received and is not in a table yet.

    Raises UnusableInputError, in one sentence, for one that can't be had.
    """
    if is_pipeline(model):
        if options.compare_size is not None:
            raise UnusableInputError(
                f"{model} is a diffusers pipeline, whose images have a size of their own; use --image-size to change "
                "it."
            )
        return load_target(model, loading_of(options))
    if model.startswith(API):
        transform = Transform(fit=options.fit or "crop", size=options.compare_size or API_COMPARE_SIZE)
        return ApiTarget(_settings(model, options), transform, None if run is None else run.path / "api")
    stored = open_stored(model, fit=options.fit, size=options.compare_size)
    if run is not None:
        _refuse_originals(stored, run)
    return stored


def is_pipeline(model: str) -> bool:
    """Whether a target is a diffusers pipeline, which makes an image again from its seed."""
    return not model.startswith(API) and not _is_stored(Path(model))


def loading_of(options: TargetOptions) -> Loading:
    """What the options say to a diffusers pipeline."""
    return Loading(
        device=options.device,
        dtype=options.dtype,
        batch=options.batch,
        attention_slicing=options.attention_slicing,
        size=options.image_size,
        fit=options.fit,
        allow=options.allow,
        lora=options.lora,
        safety_checker=options.safety_checker == "on",
        watermarker=options.watermarker == "on",
        clean_captions=None if options.clean_captions == "auto" else options.clean_captions == "on",
        compile=options.compile,
    )


def _is_stored(path: Path) -> bool:
    if path.is_dir():
        return not (path / "model_index.json").exists()
    return path.is_file() and path.suffix in (".tar", ".parquet")


def _refuse_originals(target: StoredTarget, run: Run) -> None:
    """No model gives a file back byte for byte: what does so is the data set, and all of it would be a hit."""
    files = {image.sha256 for images in target.found.images.values() for image in images}
    same = SAMPLES.scan(run.path).filter(pl.col("file_sha256").is_in(files)).select(pl.col("file_sha256").n_unique())
    count = same.collect().item()
    if count:
        raise UnusableInputError(
            f"{count:,} of the {len(files):,} images in {target.name} are files of the audited data set, byte for "
            "byte, and not what a model made; give a folder of generated images, or a diffusers pipeline."
        )


def _settings(model: str, options: TargetOptions) -> ApiSettings:
    name = model.removeprefix(API)
    if not name.strip():
        raise UnusableInputError("--target openai: names no model; give openai:MODEL, such as openai:gpt-image-1.")
    return ApiSettings(
        model=name,
        url=options.api_url,
        key_env=options.api_key_env,
        size=None if options.api_size == "none" else options.api_size,
        sends_seed=options.api_seed,
        threads=options.api_threads,
        retries=options.api_retries,
        timeout=options.api_timeout,
        max_requests=options.api_max_requests,
        price=options.api_price,
        max_cost=options.api_max_cost,
    )


def with_images(target: Target, prompts: Sequence[Prompt], arm: str) -> tuple[Prompt, ...]:
    """The prompts that the target can give images of: all of them, or those of which a stored set has any.

    Raises UnusableInputError where a stored set has none of any of them.
    """
    if not isinstance(target, StoredTarget):
        return tuple(prompts)
    found = tuple(prompt for prompt in prompts if target.count(prompt.prompt_id))
    if prompts and not found:
        why = "; thresholds are read off them" if arm == "control" else ""
        raise UnusableInputError(
            f"{target.name} holds images of {len(target.found.images):,} prompts, but of none of the {len(prompts):,} "
            f"{arm} prompts{why}: generate some for the captions that `scanner export RUN --format csv --arm {arm}` "
            "lists."
        )
    return found


def facts(target: Target) -> dict[str, Any]:
    """What is to be recorded of a finished attack's target besides its name and checksum."""
    if isinstance(target, ApiTarget):
        price = target.settings.price
        spent = target.spent
        return asdict(spent) | {"cost": None if price is None else round(spent.images * price, 6)}
    if isinstance(target, StoredTarget):
        found = target.found
        counts = {name: getattr(found, name) for name in ("without_prompt", "repeated", "unreadable")}
        return counts | {"prompts": len(found.images), "images": sum(map(len, found.images.values()))}
    return asdict(target.settings) if isinstance(target, DiffusersTarget) else {}


def forget_answers(target: Target) -> None:
    """Remove what an API target keeps of its answers: the attack is finished, and its tables hold them."""
    if isinstance(target, ApiTarget):
        target.forget()
