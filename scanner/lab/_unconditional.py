"""Train a small DDPM-shaped pipeline: nothing says what to draw, as in the CIFAR-10 attack of Carlini et al. 2023.

>>> from scanner.lab import TrainingSet, UnconditionalRecipe, train_unconditional
>>> train_unconditional(TrainingSet(...), out, UnconditionalRecipe())       # doctest: +SKIP
"""

from pathlib import Path
from typing import Any

from diffusers import DDIMPipeline
from torch import Tensor, nn

from scanner.lab._folder import open_folder, publish
from scanner.lab._networks import Unet, build_unconditional_unet
from scanner.lab._noise import Noised, noised, pixel_scheduler
from scanner.lab._randomness import draw_rows, torch_generator
from scanner.lab._recipe import UnconditionalRecipe, refuse_odd_widths
from scanner.lab._set import TrainingSet, as_tensor, refuse_odd_size
from scanner.lab._training import Progress, fast_arithmetic, ignore_progress, run_training, training_of

PHASE = "unconditional"


def train_unconditional(
    rows: TrainingSet, out: Path, recipe: UnconditionalRecipe, progress: Progress = ignore_progress
) -> None:
    """Train a denoiser on the pictures alone, and write a diffusers pipeline (`DDIMPipeline`, fp16) to `out`.

    Rows are drawn and a killed training continues as in `train_latent`, and the same errors are raised.
    """
    refuse_odd_widths(recipe)
    refuse_odd_size(rows.size, len(recipe.unet_widths) - 1)
    folder = open_folder(out, PHASE, recipe, rows.fingerprint)
    unet = build_unconditional_unet(recipe, rows.size)
    pictures, picture_of_row, scheduler = as_tensor(rows.pictures), rows.numbers(), pixel_scheduler()

    def loss(step: int) -> Tensor:
        drawn = draw_rows(len(picture_of_row), recipe.batch, step, recipe.seed)
        generator = torch_generator(recipe.seed, f"{PHASE} noise", step)
        return _denoising_loss(unet, noised(pictures[picture_of_row[drawn]], scheduler, generator))

    run_training(training_of(recipe, PHASE, unet, loss), folder, progress)
    pipeline: Any = DDIMPipeline(unet=unet.half(), scheduler=scheduler)  # type: ignore[no-untyped-call, unused-ignore]
    publish(pipeline, folder, out)


def _denoising_loss(unet: Unet, batch: Noised) -> Tensor:
    with fast_arithmetic():
        predicted = unet(batch.noisy, batch.timesteps).sample
    return nn.functional.mse_loss(predicted.float(), batch.wanted)
