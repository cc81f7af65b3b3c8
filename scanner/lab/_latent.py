"""Train a small Stable-Diffusion-shaped pipeline on a set of pictures whose copies are known.

First the autoencoder on the distinct pictures, then, in its latent space (Rombach et al. 2022, arXiv
2112.10752), denoiser and text encoder on the rows.

    >>> from scanner.lab import LatentRecipe, TrainingSet, train_latent
    >>> train_latent(TrainingSet(...), out, LatentRecipe())       # doctest: +SKIP
"""

from pathlib import Path
from typing import Any

from diffusers import StableDiffusionPipeline
from torch import Tensor, nn

from scanner.errors import UnusableInputError
from scanner.lab._denoiser import TextModel, TextRows, tokenize, train_denoiser
from scanner.lab._folder import open_folder, publish
from scanner.lab._networks import build_clip_encoder, build_latent_unet
from scanner.lab._noise import latent_scheduler
from scanner.lab._recipe import LatentRecipe, refuse_odd_widths
from scanner.lab._set import TrainingSet, as_tensor, refuse_odd_size
from scanner.lab._tokenizer import SMALLEST_VOCABULARY, train_tokenizer
from scanner.lab._training import Progress, ignore_progress
from scanner.lab._vae import encode, train_vae


def train_latent(rows: TrainingSet, out: Path, recipe: LatentRecipe, progress: Progress = ignore_progress) -> None:
    """Train autoencoder, text encoder and denoiser, and write a diffusers pipeline to `out` (fp16).

    Rows are drawn epoch by epoch, each once, so a picture with many rows is seen that many times as often. A killed
    training continues from `out/.training` when called again, and gives the same weights (on the same number of cores)
    as one that was not killed.

    Raises `UnusableInputError` when recipe and pictures do not fit together, when `out` holds a model already, or when
    it holds a training of another family, recipe or set; `ScannerError` when the loss is no longer finite.
    """
    _check(recipe, rows)
    folder = open_folder(out, "latent", recipe, rows.fingerprint)
    pictures = as_tensor(rows.pictures)
    vae = train_vae(pictures, recipe, folder, progress)
    words = sorted(set(rows.captions))
    tokenizer = train_tokenizer(words, vocabulary=recipe.vocabulary, tokens=recipe.prompt_tokens)
    read = TextRows(
        clean=encode(vae, pictures),
        picture_of_row=rows.numbers(),
        tokens=tokenize(tokenizer, rows.captions),
        empty=tokenize(tokenizer, [""])[0],
    )
    unet = build_latent_unet(recipe, read.clean.shape[-1])
    text_encoder = build_clip_encoder(recipe, len(tokenizer))
    networks = nn.ModuleDict({"unet": unet, "text_encoder": text_encoder})
    model = TextModel(phase="latent", networks=networks, encode=_encode, scheduler=latent_scheduler())
    train_denoiser(model, read, recipe, folder, progress)
    pipeline: Any = StableDiffusionPipeline(  # type: ignore[no-untyped-call, unused-ignore]
        vae=vae.half(),
        text_encoder=text_encoder.half(),
        tokenizer=tokenizer,
        unet=unet.half(),
        scheduler=model.scheduler,
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )
    publish(pipeline, folder, out)


def _encode(text_encoder: nn.Module, tokens: Tensor) -> Tensor:
    states: Tensor = text_encoder(tokens).last_hidden_state
    return states


def _check(recipe: LatentRecipe, rows: TrainingSet) -> None:
    if recipe.vocabulary < SMALLEST_VOCABULARY:
        raise UnusableInputError(f"The vocabulary must have at least {SMALLEST_VOCABULARY} tokens.")
    refuse_odd_widths(recipe)
    refuse_odd_size(rows.size, len(recipe.vae_widths) + len(recipe.unet_widths) - 2)
