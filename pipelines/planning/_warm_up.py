"""A timed warm-up of the target: seconds of an evaluation, seconds of an image besides, memory, bytes of a PNG.

Two step counts tell the two kinds of time apart: what grows with the steps is the denoiser, what does not is the text
encoder and the autoencoder. The first image is not timed. A model whose own batch would take too long is timed at half
of it, a quarter, ...

    >>> warm = warm_up(target, device="cpu", guidance=7.5, seconds=60)         # doctest: +SKIP
    >>> warm.seconds(images=1, evaluations=100)                                # doctest: +SKIP
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from pipelines.planning._process import peak_while
from scanner.attack import PerImage, png
from scanner.errors import ScannerError
from scanner.targets import Target, image_seed

CAPTION = "a photograph of a red house by the sea"
FEW, MORE = 2, 8
"""Steps of the two timings; the search of an attack makes images of 8 by default."""
REPEATS = 2
"""Timings of each, averaged."""
REQUESTS = 4
"""Images that the warm-up asks of a hosted target."""


@dataclass(frozen=True, kw_only=True)
class WarmUp:
    """What the warm-up measured."""

    batch: int
    """Images that were made at once."""
    made: int
    """Images that were timed."""
    steps: tuple[int, ...]
    """Their steps."""
    per_image: PerImage | None
    """Denoiser evaluations of an image; None where nobody can know."""
    evaluation_seconds: float
    """Of one denoiser evaluation inside a batch."""
    image_seconds: float
    """Of an image besides its evaluations."""
    pictures: NDArray[np.uint8]
    """Images (n, size, size, 3) of the last timing that can be looked at."""
    activations: int | None
    """Peak memory of a batch above the weights, bytes; None where the system does not say."""

    def seconds(self, *, images: float, evaluations: float) -> float:
        """Time that so much takes."""
        return images * self.image_seconds + evaluations * self.evaluation_seconds

    @property
    def png_bytes(self) -> float | None:
        """Mean size of an image as it is stored; None without one."""
        return float(np.mean([len(png(one)) for one in self.pictures])) if len(self.pictures) else None


@dataclass(frozen=True, kw_only=True)
class _Timing:
    seconds: float
    evaluations: int
    images: int
    steps: int
    pictures: Sequence[NDArray[np.float32]]


def is_hosted(target: Target) -> bool:
    """Whether images are asked for elsewhere: no network of the target is in this process."""
    return target.denoiser is None and getattr(target, "pipe", None) is None


def weight_bytes(target: Target) -> int | None:
    """Parameters and buffers of all the target's networks; None for one that is not in this process."""
    modules = [part for part in _components(target) if isinstance(part, torch.nn.Module)]
    tensors = {id(t): t for module in modules for t in (*module.parameters(), *module.buffers())}
    return sum(t.nbytes for t in tensors.values()) if modules else None


def _components(target: Target) -> list[object]:
    pipe = getattr(target, "pipe", None)
    if pipe is not None:
        return list(pipe.components.values())
    return [] if target.denoiser is None else [target.denoiser.network]


def warm_up(target: Target, *, device: str, guidance: float, seconds: float) -> WarmUp:
    """Time a model of this process, for about `seconds`. Raises ScannerError when it makes no image at all."""
    activations, timings = peak_while(lambda: _timings(target, guidance, seconds), device)
    evaluation, image = split_seconds(*(_sums(timings, steps) for steps in (FEW, MORE)))
    return WarmUp(
        batch=timings[-1].images,
        made=sum(timing.images for timing in timings),
        steps=(FEW, MORE),
        per_image=_per_image(timings[0], timings[-1]),
        evaluation_seconds=evaluation,
        image_seconds=image,
        pictures=_as_bytes(timings[-1].pictures, target.transform.size),
        activations=activations,
    )


def _timings(target: Target, guidance: float, seconds: float) -> list[_Timing]:
    """Batches of few and of more steps in turn, after an image that tells what they will take."""
    _generate(target, images=1, steps=FEW, guidance=guidance)
    one = _generate(target, images=1, steps=FEW, guidance=guidance)
    batch = fitting_batch(target.batch, one.seconds / FEW * (FEW + MORE) * REPEATS, seconds)
    return [
        _generate(target, images=batch, steps=steps, guidance=guidance) for _ in range(REPEATS) for steps in (FEW, MORE)
    ]


def ask_few(target: Target, *, steps: int, guidance: float) -> WarmUp:
    """Time a hosted target by a few requests, made at once as an attack makes them. They cost what requests cost."""
    timing = _generate(target, images=min(REQUESTS, max(1, target.batch)), steps=steps, guidance=guidance)
    return WarmUp(
        batch=timing.images,
        made=timing.images,
        steps=(steps,),
        per_image=None,
        evaluation_seconds=0.0,
        image_seconds=timing.seconds / timing.images,
        pictures=_as_bytes(timing.pictures, target.transform.size),
        activations=None,
    )


def fitting_batch(batch: int, image_seconds: float, seconds: float) -> int:
    """The batch, or half of it, a quarter, ..., so that at `image_seconds` an image it takes at most `seconds`."""
    while batch > 1 and batch * image_seconds > seconds:
        batch //= 2
    return batch


def split_seconds(few: tuple[float, int, int], more: tuple[float, int, int]) -> tuple[float, float]:
    """Seconds of an evaluation and of an image besides, from (seconds, evaluations, images) at two step counts.

    Where noise on a busy machine gives either a negative time, all of it is laid to the evaluations.
    """
    (t, e, n), (t2, e2, n2) = few, more
    determinant = e * n2 - e2 * n
    evaluation = (t * n2 - t2 * n) / determinant if determinant else 0.0
    image = (e * t2 - e2 * t) / determinant if determinant else (t + t2) / (n + n2)
    if evaluation > 0 and image >= 0:
        return evaluation, image
    return ((t + t2) / (e + e2), 0.0) if e + e2 else (0.0, (t + t2) / (n + n2))


def _sums(timings: Sequence[_Timing], steps: int) -> tuple[float, int, int]:
    chosen = [timing for timing in timings if timing.steps == steps]
    return sum(t.seconds for t in chosen), sum(t.evaluations for t in chosen), sum(t.images for t in chosen)


def _per_image(few: _Timing, more: _Timing) -> PerImage | None:
    if not more.evaluations:
        return None
    a, b = few.evaluations / few.images, more.evaluations / more.images
    per_step = (b - a) / (more.steps - few.steps)
    return PerImage(per_step=per_step, once=a - per_step * few.steps)


def _generate(target: Target, *, images: int, steps: int, guidance: float) -> _Timing:
    seeds = [image_seed(0, "warm-up", number) for number in range(images)]
    before, begun = target.evaluations, time.perf_counter()
    made = target.generate([CAPTION] * images, seeds, steps=steps, guidance=guidance)
    seconds = time.perf_counter() - begun
    shown = [one.image for one in made if one.image is not None]
    if not shown:
        said = next((one.note or one.defect for one in made if one.note or one.defect), "it gave none")
        raise ScannerError(f"{target.name} made no image in the warm-up ({said}), so an attack would make none.")
    return _Timing(
        seconds=seconds,
        evaluations=target.evaluations - before,
        images=images,
        steps=steps,
        pictures=shown,
    )


def _as_bytes(pictures: Sequence[NDArray[np.float32]], size: int) -> NDArray[np.uint8]:
    usable = [one for one in pictures if np.isfinite(one).all()]
    if not usable:
        return np.empty((0, size, size, 3), np.uint8)
    return np.asarray((np.stack(usable).clip(0, 1) * 255).round(), np.uint8)
