"""A text-to-image pipeline of diffusers as a target: generation, one-step predictions, autoencoder, cost.

Weights are read from safetensors only, and a folder whose weights are incomplete is refused: the libraries would
fill the gap with random numbers and a warning. Denoiser evaluations are counted where they happen (a hook on the
denoiser), so a cost is what was spent, not what was planned.

    >>> target = load_target("stabilityai/sd-turbo")                          # doctest: +SKIP
    >>> target.generate(["a red fox"] * 2, seeds=[1, 2], steps=4, guidance=0) # doctest: +SKIP
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoPipelineForText2Image
from diffusers.utils import logging as diffusers_logging
from numpy.typing import NDArray
from safetensors import safe_open
from transformers.utils import logging as transformers_logging

from scanner.errors import ScannerError, UnusableInputError
from scanner.targets._denoiser import Denoiser
from scanner.targets._target import Drawn, drawn
from scanner.targets._transform import Transform, read_transform
from scanner.targets._unet import LatentUNet, is_latent_unet


class DiffusersTarget:
    """A loaded pipeline. Made by `load_target`; one process uses it at a time."""

    def __init__(self, pipe: Any, *, name: str, checksum: str, transform: Transform, batch: int) -> None:
        self.pipe = pipe
        self.name = name
        self.checksum = checksum
        self.transform = transform
        self.batch = batch
        self.evaluations = 0
        denoiser = getattr(pipe, "unet", None) or getattr(pipe, "transformer", None)
        if denoiser is None:
            raise UnusableInputError(f"{name} has neither a UNet nor a transformer, so it is no text-to-image target.")
        denoiser.register_forward_pre_hook(self._count, with_kwargs=True)
        denoiser.to(memory_format=torch.channels_last)  # convolutions on a CPU take a third less time

    def _count(self, _module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        latents: Any = args[0] if args else kwargs.get("sample", kwargs.get("hidden_states"))
        self.evaluations += int(latents.shape[0])

    @property
    def size(self) -> int:
        """Side of the images that are generated and compared, pixels."""
        return self.transform.size

    def generate(self, captions: Sequence[str], seeds: Sequence[int], *, steps: int, guidance: float) -> list[Drawn]:
        """One image per (caption, seed), with its defect where the model gave NaN or nothing to see.

        Each image draws from its own generator, so it depends on its seed and caption and not on the batch.
        """
        return [
            drawn(image)
            for at in range(0, len(captions), self.batch)
            for image in self._generate(captions[at : at + self.batch], seeds[at : at + self.batch], steps, guidance)
        ]

    def _generate(
        self, captions: Sequence[str], seeds: Sequence[int], steps: int, guidance: float
    ) -> NDArray[np.float32]:
        with torch.inference_mode():
            out = self.pipe(
                prompt=list(captions),
                height=self.size,
                width=self.size,
                num_inference_steps=steps,
                guidance_scale=guidance,
                generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
                output_type="np",
            )
        images = np.asarray(out.images, np.float32)
        if images.shape != (len(captions), self.size, self.size, 3):
            raise ScannerError(
                f"{self.name} gave images of shape {images.shape[1:]} where {self.size} × {self.size} was asked."
            )
        return images

    @property
    def denoiser(self) -> Denoiser | None:
        """For what looks inside the model; None for a family that has no such view yet."""
        return LatentUNet(self.pipe, self.size) if is_latent_unet(self.pipe) else None

    @property
    def has_autoencoder(self) -> bool:
        return getattr(self.pipe, "vae", None) is not None

    def reconstruct(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Pictures (n, size, size, 3) as the target's autoencoder gives them back: the best a latent model can do."""
        vae = self.pipe.vae
        with torch.inference_mode():
            pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2).to(vae.device, vae.dtype) / 127.5 - 1
            decoded = vae.decode(vae.encode(pixels).latent_dist.mode()).sample
            restored = ((decoded.float() + 1) * 127.5).round().clamp(0, 255).byte()
        return np.asarray(restored.permute(0, 2, 3, 1).cpu().numpy())


def load_target(
    name: str, *, device: str = "cpu", dtype: str = "float32", batch: int = 16, fit: str | None = None
) -> DiffusersTarget:
    """Load a pipeline from a folder or from the hub.

    `fit` overrides the training transform (crop, pad or squeeze). Raises UnusableInputError in one sentence when the
    pipeline can't be loaded, is incomplete, or is no text-to-image pipeline.
    """
    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    diffusers_logging.set_verbosity_error()
    diffusers_logging.disable_progress_bar()
    folder = Path(name)
    if not folder.is_dir() and (name.startswith((".", "/", "~")) or name.count("/") != 1):
        raise UnusableInputError(
            f"There is no target {name}; give a folder with a diffusers pipeline, or owner/name on the hub."
        )
    if folder.is_dir() and not (folder / "model_index.json").exists():
        raise UnusableInputError(f"{name} holds no diffusers pipeline (it has no model_index.json).")
    pipe = _load_pipeline(name, getattr(torch, dtype))
    if folder.is_dir():
        _refuse_incomplete(pipe, folder)
    pipe.to(device)
    pipe.set_progress_bar_config(disable=True)
    size = _native_size(pipe)
    transform = read_transform(folder, size) if folder.is_dir() else Transform(size=size)
    if fit is not None:
        transform = Transform(fit=fit, size=transform.size)
    checksum = folder_checksum(folder) if folder.is_dir() else _hub_revision(pipe, name)
    return DiffusersTarget(pipe, name=name, checksum=checksum, transform=transform, batch=batch)


def _load_pipeline(name: str, dtype: torch.dtype) -> Any:
    try:
        return AutoPipelineForText2Image.from_pretrained(name, dtype=dtype, use_safetensors=True)
    except Exception as error:  # any library below may raise anything of its own on a damaged or absent model
        cause = " ".join(str(error).split()) or type(error).__name__
        raise UnusableInputError(
            f"The target {name} can't be loaded ({cause[:200]}); give a folder saved by a diffusers text-to-image "
            "pipeline with safetensors weights, or owner/name where the hub can be reached."
        ) from error


def _refuse_incomplete(pipe: Any, folder: Path) -> None:
    for part, module in pipe.components.items():
        if not isinstance(module, torch.nn.Module):
            continue
        stored = 0
        for file in (folder / part).glob("*.safetensors"):
            with safe_open(file, "np") as weights:
                stored += len(weights.keys())
        wanted = len(list(module.parameters()))
        if stored < wanted:
            raise UnusableInputError(
                f"The weights of {folder / part} are incomplete ({stored} tensors where the model has {wanted} "
                "parameters); save or download the pipeline again."
            )


def _native_size(pipe: Any) -> int:
    denoiser = getattr(pipe, "unet", None) or pipe.transformer
    scale = getattr(pipe, "vae_scale_factor", 1)
    return int(denoiser.config.sample_size) * int(scale)


def folder_checksum(folder: Path) -> str:
    """sha-256 over the names and contents of a folder's configuration and weights, hex."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.suffix in {".json", ".safetensors", ".txt"}:
            digest.update(path.relative_to(folder).as_posix().encode() + b"\0")
            with path.open("rb") as file:
                digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()


def _hub_revision(pipe: Any, name: str) -> str:
    commit = getattr(pipe.config, "_commit_hash", None)
    return (
        str(commit)
        if commit
        else hashlib.sha256(json.dumps(dict(pipe.config), default=str).encode()).hexdigest() + f":{name}"
    )
