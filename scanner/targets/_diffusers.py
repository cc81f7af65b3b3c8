"""A text-to-image pipeline of diffusers as a target: generation, the view inside, the autoencoder, the cost.

Denoiser evaluations are counted where they happen (a hook on every denoiser), so a cost is what was spent, not what
was planned: what a batch that ran out of memory had done already is in it.

    >>> target = load_target("stabilityai/sd-turbo")                          # doctest: +SKIP
    >>> target.generate(["a red fox"] * 2, seeds=[1, 2], steps=4, guidance=0) # doctest: +SKIP
"""

import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, TypeVar

import numpy as np
import torch
from diffusers import LCMScheduler, ModelMixin, PixArtAlphaPipeline
from numpy.typing import NDArray

from scanner.errors import ScannerError, UnusableInputError
from scanner.targets._autoencoder import given_back, has_autoencoder
from scanner.targets._checkers import flagged, watermarked
from scanner.targets._denoiser import Denoiser
from scanner.targets._fitting import Fit, Slicing, fit_memory
from scanner.targets._memory import is_out_of_memory
from scanner.targets._options import Loading, Settings
from scanner.targets._quiet import quiet
from scanner.targets._target import Drawn, drawn
from scanner.targets._texts import cut_note, windows_of
from scanner.targets._transform import Transform
from scanner.targets._views import denoiser_of

T = TypeVar("T")
TRIED_STEPS = 2
"""Fewest steps that every pipeline draws an image in."""


@dataclass(frozen=True, kw_only=True)
class Origin:
    """What was loaded."""

    name: str
    """As the user gave it."""
    checksum: str
    """Of the weights, with what was put on top."""
    safety_checker: str
    """on, off or absent."""
    watermarker: str
    """on, off or absent."""
    clean_captions: bool
    """Whether the pipeline cleans captions."""
    loras: tuple[str, ...]
    """Weights on top: file, scale, layers that they changed."""


class DiffusersTarget:
    """A loaded pipeline. Made by `load_target`; one process uses it at a time."""

    def __init__(self, pipe: Any, origin: Origin, transform: Transform, loading: Loading) -> None:
        self.pipe, self.origin, self.transform, self.loading = pipe, origin, transform, loading
        self.name, self.checksum = origin.name, origin.checksum
        self.evaluations = 0
        self.windows = windows_of(pipe)
        self.slicing = Slicing(pipe, loading.attention_slicing)
        self._fit: Fit | None = None
        self._takes = set(inspect.signature(type(pipe).__call__).parameters)
        for denoiser in denoisers_of(pipe, origin.name):
            denoiser.register_forward_pre_hook(self._count, with_kwargs=True)

    def _count(self, _module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        latents: Any = args[0] if args else kwargs.get("sample", kwargs.get("hidden_states", kwargs.get("x")))
        self.evaluations += len(latents)

    @property
    def size(self) -> int:
        """Side of the images that are generated and compared, pixels."""
        return self.transform.size

    @property
    def fewest_steps(self) -> int:
        """PixArt-α's pipeline takes one step for that of a distilled model, whose scheduler alone can do it."""
        distilled = isinstance(self.pipe.scheduler, LCMScheduler)
        return TRIED_STEPS if isinstance(self.pipe, PixArtAlphaPipeline) and not distilled else 1

    @property
    def batch(self) -> int:
        """Images made at once: as asked for, else measured when it is first needed; less once memory ran out."""
        return self._fitted().batch

    @property
    def settings(self) -> Settings:
        """How it was loaded in the end, for a manifest."""
        fit = self._fitted()
        return Settings(
            family=type(self.pipe).__name__,
            device=str(self.pipe.device),
            dtype=str(main_denoiser(self.pipe).dtype).removeprefix("torch."),
            batch=fit.batch,
            free_memory=fit.free,
            image_memory=fit.image,
            attention_slicing=self.slicing.on,
            compiled=self.loading.compile,
            safety_checker=self.origin.safety_checker,
            watermarker=self.origin.watermarker,
            clean_captions=self.origin.clean_captions,
            loras=self.origin.loras,
            ignored=tuple(sorted({"guidance_scale", "height", "width"} - self._takes)),
        )

    def _fitted(self) -> Fit:
        if self._fit is None:
            self._fit = fit_memory(self.pipe, self.try_images, self.slicing, self.loading)
        return self._fit

    def try_images(self, count: int = 1) -> None:
        """Images in few steps, that are not counted: one takes the memory that every image takes."""
        before = self.evaluations
        self._draw([""] * count, range(count), steps=TRIED_STEPS, guidance=2.0)
        self.evaluations = before

    def generate(self, captions: Sequence[str], seeds: Sequence[int], *, steps: int, guidance: float) -> list[Drawn]:
        """One image per (caption, seed), with its defect where the model gave NaN or nothing to see.

        Each image draws from its own generator, so it depends on its seed and caption and not on the batch. A batch
        that runs out of memory is made again in halves. Raises ScannerError where one image alone does not fit, and
        where images have another size than asked.
        """
        if steps < self.fewest_steps:
            raise ScannerError(f"{self.name} draws no image in {steps} step; its pipeline needs {self.fewest_steps}.")
        notes = {
            caption: cut_note(self.pipe, self.windows, caption, clean_captions=self.origin.clean_captions)
            for caption in set(captions)
        }
        made = self._in_batches(
            len(captions), lambda part: self._draw(captions[part], seeds[part], steps=steps, guidance=guidance)
        )
        return [
            replace(one, note=" ".join(note for note in (one.note, notes[caption]) if note) or None)
            for one, caption in zip(made, captions, strict=True)
        ]

    def _in_batches(self, count: int, make: Callable[[slice], Sequence[T]]) -> list[T]:
        """What `make` gives of all parts of a list, in order; parts are halved while memory runs out."""
        made: list[T] = []
        while len(made) < count:
            try:
                made += make(slice(len(made), len(made) + self.batch))
            except Exception as error:
                if not is_out_of_memory(error):
                    raise
            else:
                continue
            self._take_less()
        return made

    def _take_less(self) -> None:
        """Half the batch; of one image, attention in slices; then there is nothing left to give up."""
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        fit = self._fitted()
        if fit.batch > 1:
            self._fit = replace(fit, batch=fit.batch // 2)
        elif not self.slicing.begin_if_needed():
            raise ScannerError(
                f"One image of {self.name} does not fit the memory of {self.pipe.device}; give --dtype float16 or "
                "bfloat16, a smaller --image-size, or another --device."
            )

    def _draw(self, captions: Sequence[str], seeds: Sequence[int], *, steps: int, guidance: float) -> list[Drawn]:
        asked = {
            "height": self.size,
            "width": self.size,
            "guidance_scale": guidance,
            "clean_caption": self.origin.clean_captions,
            "use_resolution_binning": False,
        }
        with torch.inference_mode(), quiet():
            out = self.pipe(
                prompt=list(captions),
                num_inference_steps=steps,
                generator=[torch.Generator("cpu").manual_seed(seed) for seed in seeds],
                output_type="np",
                **{name: value for name, value in asked.items() if name in self._takes},
            )
            images = np.asarray(out.images, np.float32)
            self._check_shape(images, len(captions))
            images = watermarked(self.pipe, images)
        blanked = flagged(out) or [None] * len(images)
        return [
            drawn(image) if why is None else Drawn(image=image, defect="safety_checker", note=why)
            for image, why in zip(images, blanked, strict=True)
        ]

    def _check_shape(self, images: NDArray[np.float32], count: int) -> None:
        if images.shape != (count, self.size, self.size, 3):
            raise ScannerError(
                f"{self.name} gave images of shape {images.shape[1:]} where {self.size} × {self.size} was asked; give "
                "--image-size."
            )

    @cached_property
    def denoiser(self) -> Denoiser | None:
        """For what looks inside the model; None for a family that has no such view."""
        return denoiser_of(self.pipe, self.size, clean_captions=self.origin.clean_captions)

    @property
    def has_autoencoder(self) -> bool:
        """Whether `reconstruct` works: not for pixel-space models."""
        return has_autoencoder(self.pipe)

    def reconstruct(self, pictures: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Pictures (n, size, size, 3) as the target's autoencoder gives them back: the best a latent model can do."""
        restored = self._in_batches(len(pictures), lambda part: self._given_back(pictures[part]))
        return np.stack(restored) if restored else pictures

    def _given_back(self, pictures: NDArray[np.uint8]) -> list[NDArray[np.uint8]]:
        with torch.inference_mode():
            pixels = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 127.5 - 1
            restored = ((given_back(self.pipe.vae, pixels) + 1) * 127.5).round().clamp(0, 255).byte()
        return list(restored.permute(0, 2, 3, 1).cpu().numpy())


def main_denoiser(pipe: Any) -> Any:
    """The UNet or transformer; of pipelines with several networks, the first."""
    return getattr(pipe, "unet", None) or getattr(pipe, "transformer", None) or next(iter(_networks(pipe)))


def denoisers_of(pipe: Any, name: str) -> list[torch.nn.Module]:
    """The networks whose evaluations are counted. Raises UnusableInputError where there is none."""
    networks = _networks(pipe)
    if not networks:
        raise UnusableInputError(f"{name} has neither a UNet nor a transformer, so it is no text-to-image target.")
    return networks


def _networks(pipe: Any) -> list[torch.nn.Module]:
    """diffusers' own models but autoencoders and watermarkers: UNets, transformers, priors."""
    models: dict[str, Any] = {name: part for name, part in pipe.components.items() if isinstance(part, ModelMixin)}
    return [part for name, part in models.items() if name != "watermarker" and not hasattr(part, "decode")]
