"""A model that takes no prompt: a `DDPMPipeline` or `DDIMPipeline` around a UNet2DModel, as in the CIFAR-10 attack.

There is nothing to choose but the seed. Loading and its refusals are those of the text-to-image targets.

    >>> target = load_unconditional("google/ddpm-cifar10-32")                  # doctest: +SKIP
    >>> target.generate([7, 8], steps=50)[0].image.shape                       # doctest: +SKIP
    (32, 32, 3)
"""

from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch
from diffusers import DiffusionPipeline

from scanner.errors import ScannerError, UnusableInputError
from scanner.targets._memory import is_out_of_memory
from scanner.targets._options import PICKLE, Loading
from scanner.targets._placement import chosen_device, chosen_dtype, move, refuse_too_large, wants_half
from scanner.targets._quiet import quiet, quiet_libraries
from scanner.targets._repository import (
    INDEX,
    PICKLES,
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
from scanner.targets._target import Drawn, drawn
from scanner.targets._transform import Transform, read_transform

PIPELINES = ("DDPMPipeline", "DDIMPipeline")
"""Classes of pipelines that draw images of seeds alone."""
BATCH = 64
"""Images made at once unless told: they are small, 32 or 64 pixels in practice. Halved where memory runs out."""
_AS_IS = Loading()


class UnconditionalTarget:
    """A loaded pipeline. Made by `load_unconditional`; one process uses it at a time."""

    def __init__(self, pipe: Any, *, name: str, checksum: str, transform: Transform, batch: int) -> None:
        self.pipe, self.name, self.checksum, self.transform, self.batch = pipe, name, checksum, transform, batch
        self.evaluations = 0
        pipe.unet.register_forward_pre_hook(self._count)

    def _count(self, _module: Any, args: tuple[Any, ...]) -> None:
        self.evaluations += len(args[0])

    def generate(self, seeds: Sequence[int], *, steps: int) -> list[Drawn]:
        """One image (size, size, 3) per seed, in order, with its defect where the model gave NaN or nothing to see.

        Each image draws from a generator of its own, so it depends on its seed and not on the batch. The steps are of
        the pipeline's own scheduler: ancestral for DDPM, deterministic for DDIM. A batch that runs out of memory is
        made again in halves; raises ScannerError where one image alone does not fit.
        """
        made: list[Drawn] = []
        while len(made) < len(seeds):
            try:
                made += self._draw(seeds[len(made) : len(made) + self.batch], steps)
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
                if self.batch == 1:
                    raise ScannerError(f"One image of {self.name} does not fit the memory of the device.") from error
                self.batch //= 2
        return made

    def _draw(self, seeds: Sequence[int], steps: int) -> list[Drawn]:
        with torch.inference_mode(), quiet():
            out = self.pipe(
                batch_size=len(seeds),
                generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
                num_inference_steps=steps,
                output_type="np",
            )
        images = np.asarray(out.images, np.float32)
        size = self.transform.size
        if images.shape[:3] != (len(seeds), size, size) or images.shape[3] not in (1, 3):
            raise ScannerError(f"{self.name} gave images of shape {images.shape[1:]} where {size} × {size} was asked.")
        colour = np.broadcast_to(images, (*images.shape[:3], 3))  # a model of grey images is compared in three channels
        return [drawn(image) for image in colour]


def is_unconditional(name: str) -> bool:
    """Whether a target's name is that of a pipeline that takes no prompt; the hub is asked for its model_index.json.

    Raises UnusableInputError for a name of the hub that can't be had.
    """
    path = Path(name)
    if path.exists():
        if not (path / INDEX).exists():
            return False
    elif ":" in name or name.startswith((".", "/", "~")) or name.count("/") != 1:
        return False
    return find_repository(name).index["_class_name"] in PIPELINES


def load_unconditional(name: str, loading: Loading = _AS_IS) -> UnconditionalTarget:
    """Load such a pipeline from a folder or from the hub.

    Raises UnusableInputError in one sentence when it can't be had, brings code or pickles that are not allowed, is
    incomplete, does not fit the device, or wants class labels.
    """
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
    part = "unet" if repository.weights("unet", {".safetensors"} | PICKLES) else "."  # the first DDPMs lie at the root
    refuse_incomplete(SimpleNamespace(components={part: pipe.unet}), repository, variant)
    move(pipe, device, name)
    folder = repository.folder
    assert folder is not None
    return UnconditionalTarget(
        pipe,
        name=name,
        checksum=folder.name if found.folder is None else folder_checksum(folder),
        transform=_transform(pipe, folder, loading),
        batch=loading.batch or BATCH,
    )


def _load_pipeline(repository: Repository, variant: str | None, dtype: torch.dtype, loading: Loading) -> Any:
    try:
        with quiet():
            pipe = DiffusionPipeline.from_pretrained(
                repository.folder,
                dtype=dtype,
                variant=variant,
                use_safetensors=None if PICKLE in loading.allow else True,
            )
    except Exception as error:  # any library below may raise anything of its own on a damaged or absent model
        raise UnusableInputError(
            f"The target {repository.name} can't be loaded ({one_line(error)}); give a folder saved by DDPMPipeline or "
            "DDIMPipeline with safetensors weights."
        ) from error
    labels = pipe.unet.config.get("num_class_embeds") or pipe.unet.config.get("class_embed_type")
    if labels:
        raise UnusableInputError(f"{repository.name} draws images of class labels, which this attack does not choose.")
    pipe.set_progress_bar_config(disable=True)
    return pipe


def _transform(pipe: Any, folder: Path, loading: Loading) -> Transform:
    side = pipe.unet.config.sample_size
    side = side[0] if isinstance(side, list | tuple) and len(set(side)) == 1 else side
    if not isinstance(side, int):
        raise UnusableInputError(f"The model in {folder} draws images that are not square ({side}).")
    transform = read_transform(folder, side)
    if transform.size != side:
        raise UnusableInputError(
            f"The transform stored in {folder} is of {transform.size} pixels, its model of {side}."
        )
    return transform if loading.fit is None else Transform(fit=loading.fit, size=side)
