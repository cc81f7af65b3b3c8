"""Train a small Stable-Diffusion-shaped pipeline on a set of pictures whose copies are known.

First the autoencoder on the distinct pictures, then, in its latent space (Rombach et al. 2022, arXiv
2112.10752), denoiser and text encoder on the rows.

    >>> from scanner.lab import LatentRecipe, train_latent
    >>> train_latent(pictures, picture_of_row, captions, out, LatentRecipe())       # doctest: +SKIP
"""

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import StableDiffusionPipeline
from numpy.typing import NDArray
from transformers.utils import logging

from scanner.errors import UnusableInputError
from scanner.files import replacing
from scanner.lab._denoiser import LatentRows, build_scheduler, tokenize, train_denoiser
from scanner.lab._recipe import LatentRecipe
from scanner.lab._tokenizer import SMALLEST_VOCABULARY, train_tokenizer
from scanner.lab._training import Progress
from scanner.lab._vae import as_tensor, encode, train_vae

TRAINING_FOLDER = ".training"


def ignore_progress(phase: str, done: int, total: int, loss: float) -> None:
    """The default: nobody watches."""


def train_latent(  # noqa: PLR0913, PLR0917, the set is three arrays
    pictures: NDArray[np.uint8],
    picture_of_row: NDArray[np.integer[Any]],
    captions: Sequence[str],
    out: Path,
    recipe: LatentRecipe,
    progress: Progress = ignore_progress,
) -> None:
    """Train autoencoder, text encoder and denoiser, and write a diffusers pipeline to `out` (fp16).

    `pictures` are the distinct pictures, uint8 (n, size, size, 3); row i of the data set shows
    `pictures[picture_of_row[i]]` with `captions[i]`. Rows are drawn epoch by epoch, each once, so a picture
    with many rows is seen that many times as often. A killed training continues from `out/.training` when
    called again, and gives the same weights (on the same number of cores) as one that was not killed.

    Raises `UnusableInputError` when the arrays do not fit together, when `out` holds a model already, or when
    it holds a training of another recipe or another set; `ScannerError` when the loss is no longer finite.
    """
    _check_recipe(recipe)
    _check_pictures(pictures, recipe)
    _check_rows(picture_of_row, captions, len(pictures))
    folder = _open_folder(out, recipe, _fingerprint(pictures, picture_of_row, captions))
    vae = train_vae(as_tensor(pictures), recipe, folder, progress)
    words = sorted(set(captions))
    tokenizer = train_tokenizer(words, vocabulary=recipe.vocabulary, tokens=recipe.prompt_tokens)
    rows = LatentRows(
        latents=encode(vae, as_tensor(pictures)),
        picture_of_row=torch.from_numpy(np.asarray(picture_of_row, np.int64)),
        tokens=tokenize(tokenizer, captions),
        empty=tokenize(tokenizer, [""])[0],
    )
    networks = train_denoiser(rows, len(tokenizer), recipe, folder, progress)
    pipeline: Any = StableDiffusionPipeline(  # type: ignore[no-untyped-call, unused-ignore]
        vae=vae.half(),
        text_encoder=networks["text_encoder"].half(),
        tokenizer=tokenizer,
        unet=networks["unet"].half(),
        scheduler=build_scheduler(),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    _publish(pipeline, folder, out)


def _check_recipe(recipe: LatentRecipe) -> None:
    if recipe.vocabulary < SMALLEST_VOCABULARY:
        raise UnusableInputError(f"The vocabulary must have at least {SMALLEST_VOCABULARY} tokens.")
    if any(width % 32 for width in recipe.unet_widths):
        raise UnusableInputError(f"The denoiser's widths must be multiples of 32, not {recipe.unet_widths}.")


def _check_pictures(pictures: NDArray[Any], recipe: LatentRecipe) -> None:
    if pictures.ndim != 4 or pictures.shape[1] != pictures.shape[2] or pictures.shape[3] != 3:
        raise UnusableInputError(f"Pictures must have the shape (n, size, size, 3), not {pictures.shape}.")
    if pictures.dtype != np.uint8:
        raise UnusableInputError(f"Pictures must be 8-bit (uint8), not {pictures.dtype}.")
    shrink = 2 ** (len(recipe.vae_widths) + len(recipe.unet_widths) - 2)
    if pictures.shape[1] % shrink:
        raise UnusableInputError(f"A picture's side must be a multiple of {shrink}, not {pictures.shape[1]}.")


def _check_rows(picture_of_row: NDArray[Any], captions: Sequence[str], pictures: int) -> None:
    if not len(captions):
        raise UnusableInputError("The training set has no captions: give one for each row.")
    if not np.issubdtype(picture_of_row.dtype, np.integer):
        raise UnusableInputError(f"Picture numbers must be integers, not {picture_of_row.dtype}.")
    if picture_of_row.shape != (len(captions),):
        raise UnusableInputError(
            f"There must be one picture number for each of the {len(captions)} captions, "
            f"but picture_of_row has the shape {picture_of_row.shape}."
        )
    if picture_of_row.min() < 0 or picture_of_row.max() >= pictures:
        raise UnusableInputError(f"Each picture number must be from 0 to {pictures - 1}.")


def _fingerprint(pictures: NDArray[Any], picture_of_row: NDArray[Any], captions: Sequence[str]) -> str:
    digest = hashlib.sha256(np.ascontiguousarray(pictures).tobytes())
    digest.update(np.asarray(picture_of_row, np.int64).tobytes())
    digest.update(json.dumps(list(captions)).encode())
    return digest.hexdigest()


def _open_folder(out: Path, recipe: LatentRecipe, fingerprint: str) -> Path:
    """The checkpoints' folder, new or of the same training."""
    folder = out / TRAINING_FOLDER
    record = folder / "recipe.json"
    wanted = json.dumps({**dataclasses.asdict(recipe), "training_set": fingerprint})
    if record.exists():
        _check_same(folder, json.loads(record.read_text()), json.loads(wanted))
    elif (out / "model_index.json").exists():
        raise UnusableInputError(f"{out} holds a model already: choose another folder or remove it.")
    else:
        with replacing(record) as temporary:
            temporary.write_text(wanted)
    return folder


def _check_same(folder: Path, found: dict[str, Any], wanted: dict[str, Any]) -> None:
    differing = [name for name in wanted if found.get(name) != wanted[name]]
    if differing:
        raise UnusableInputError(
            f"{folder} holds a training with another {differing[0]}: continue it with the same recipe "
            "and training set, or remove the folder."
        )


def _publish(pipeline: Any, folder: Path, out: Path) -> None:
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
