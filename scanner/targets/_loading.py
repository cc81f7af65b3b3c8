"""Loading a text-to-image pipeline of diffusers from a folder or the hub, on the device and in the type that suit.

The files are judged first (code of its own, pickles), loaded, and judged again (all weights there, a text-to-image
pipeline at all). Nothing falls back: what can't be done as asked is refused in one sentence.

    >>> load_target("stable-diffusion-v1-5/stable-diffusion-v1-5", lora=("style.safetensors:0.8",))  # doctest: +SKIP
"""

import hashlib
import inspect
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch
from diffusers import DiffusionPipeline

from scanner.errors import UnusableInputError
from scanner.targets._checkers import mend_deepfloyds_checker, safety_checker_of, settle_watermarker, without_checkers
from scanner.targets._compiling import compile_denoisers
from scanner.targets._diffusers import DiffusersTarget, Origin, main_denoiser
from scanner.targets._lora import add_loras
from scanner.targets._options import PICKLE, REMOTE_CODE, Loading
from scanner.targets._placement import chosen_device, chosen_dtype, move, refuse_too_large, wants_half
from scanner.targets._quiet import quiet, quiet_libraries
from scanner.targets._repository import (
    Repository,
    chosen_variant,
    download,
    find_repository,
    folder_checksum,
    one_line,
    refuse_incomplete,
    refuse_pickles,
    refuse_remote_code,
)
from scanner.targets._texts import cleans_captions
from scanner.targets._transform import TRANSFORM_FILE, Transform, cleaned_captions, read_transform
from scanner.targets._transformer_flux import is_flux

_AS_IS = Loading()
_FROM_PICTURES = {"strength", "mask_image", "control_image", "video"}
"""Arguments of pipelines that begin with a picture."""


def load_target(name: str, loading: Loading = _AS_IS, **changes: Any) -> DiffusersTarget:
    """Load a pipeline from a folder or from the hub; `changes` are fields of `Loading`.

    Raises UnusableInputError in one sentence when the pipeline can't be had, brings code or pickles that are not
    allowed, is incomplete, does not fit the device, or is no text-to-image pipeline.
    """
    loading = replace(loading, **changes)
    quiet_libraries()
    device = chosen_device(loading.device)
    found = find_repository(name)
    refuse_remote_code(found, loading.allow)
    refuse_pickles(found, loading.allow)
    variant = chosen_variant(found, half=wants_half(loading, device))
    repository = download(found, variant, loading.allow)
    dtype = chosen_dtype(loading, device, repository, variant)
    refuse_too_large(repository, variant, device, dtype)
    pipe = _load_pipeline(repository, variant, dtype, loading)
    refuse_incomplete(pipe, repository, variant)
    _refuse_other_kinds(pipe, name)
    loras, checksum_of_loras = add_loras(pipe, loading.lora)
    move(pipe, device, name)
    assert repository.folder is not None
    cleans = cleans_captions(pipe, loading.clean_captions, cleaned_captions(repository.folder))
    origin = Origin(
        name=name,
        checksum=_checksum(repository, variant, checksum_of_loras),
        safety_checker=safety_checker_of(pipe, repository),
        watermarker=settle_watermarker(pipe, repository, loading),
        loras=loras,
        clean_captions=cleans,
    )
    target = DiffusersTarget(pipe, origin, _transform(pipe, repository, loading), loading)
    if loading.compile:
        compile_denoisers(target)
    return target


def _load_pipeline(repository: Repository, variant: str | None, dtype: torch.dtype, loading: Loading) -> Any:
    mend_deepfloyds_checker()
    try:
        with quiet():
            pipe = DiffusionPipeline.from_pretrained(
                repository.folder,
                dtype=dtype,
                variant=variant,
                use_safetensors=None if PICKLE in loading.allow else True,
                trust_remote_code=REMOTE_CODE in loading.allow,
                **without_checkers(repository, loading),
            )
    except Exception as error:  # any library below may raise anything of its own on a damaged or absent model
        raise UnusableInputError(
            f"The target {repository.name} can't be loaded ({one_line(error)}); give a folder saved by a diffusers "
            "text-to-image pipeline with safetensors weights, or owner/name where the hub can be reached."
        ) from error
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _refuse_other_kinds(pipe: Any, name: str) -> None:
    """Raises UnusableInputError for what does not draw an image of a text alone, one seed an image."""
    takes = inspect.signature(type(pipe).__call__).parameters
    open_ended = (inspect.Parameter.VAR_KEYWORD, inspect.Parameter.VAR_POSITIONAL)
    needed = {key for key, one in takes.items() if one.default is one.empty and one.kind not in open_ended}
    missing = {"prompt", "generator", "num_inference_steps", "output_type"} - set(takes)
    if missing or needed - {"self", "prompt"} or _FROM_PICTURES & set(takes):
        raise UnusableInputError(f"{name} is a {type(pipe).__name__}, which is no text-to-image pipeline.")


def _transform(pipe: Any, repository: Repository, loading: Loading) -> Transform:
    assert repository.folder is not None
    if loading.size is None and (repository.folder / TRANSFORM_FILE).exists():
        transform = read_transform(repository.folder, 0)
    else:
        transform = read_transform(repository.folder, loading.size or _native_size(pipe, repository.name))
    if loading.size is not None:
        transform = replace(transform, size=loading.size)
    if loading.fit is not None:
        transform = replace(transform, fit=loading.fit)
    if transform.size % (multiple := _multiple(pipe)):
        raise UnusableInputError(
            f"{repository.name} draws images whose side is a multiple of {multiple}, not of {transform.size}."
        )
    return transform


def _native_size(pipe: Any, name: str) -> int:
    """Side of the images that the model was made for, as its configuration has it."""
    side = getattr(pipe, "default_sample_size", None) or main_denoiser(pipe).config.get("sample_size")
    if not isinstance(side, int):
        raise UnusableInputError(f"The size of the images of {name} is not known; give --image-size.")
    return side * int(getattr(pipe, "vae_scale_factor", 1))


def _multiple(pipe: Any) -> int:
    """Pixels that one patch of the denoiser covers on a side; Flux packs 2 × 2 latents into a patch."""
    scale = int(getattr(pipe, "vae_scale_factor", 1))
    if is_flux(pipe):
        return 2 * scale
    patch = main_denoiser(pipe).config.get("patch_size")
    return scale * patch if isinstance(patch, int) else scale


def _checksum(repository: Repository, variant: str | None, loras: str) -> str:
    """Of a folder's content, or the hub's commit (its folder is named so) and the variant; and of what is on top."""
    assert repository.folder is not None
    if Path(repository.name).is_dir():
        weights = folder_checksum(repository.folder)
    else:
        weights = repository.folder.name + (f":{variant}" if variant else "")
    return hashlib.sha256(f"{weights}:{loras}".encode()).hexdigest() if loras else weights
