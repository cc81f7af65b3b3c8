"""Train a small DeepFloyd-IF-shaped pipeline: text-conditioned and in pixel space, like Imagen (arXiv 2205.11487).

A T5 encoder and a UNet on the pixels: the first stage of IF's cascade, without those that make the picture larger.
There is no autoencoder, so what was memorised comes back pixel by pixel. Unlike IF's, the variance is not learned:
`IFPipeline` wants the channels for it, and leaves them unread under this scheduler.

    >>> from scanner.lab import PixelRecipe, TrainingSet, train_pixel
    >>> train_pixel(TrainingSet(...), out, PixelRecipe())       # doctest: +SKIP
"""

from pathlib import Path
from typing import Any

from diffusers import IFPipeline
from torch import Tensor, nn

from scanner.lab._denoiser import TextModel, TextRows, tokenize, train_denoiser
from scanner.lab._folder import open_folder, publish
from scanner.lab._networks import build_pixel_unet, build_t5_encoder
from scanner.lab._noise import pixel_scheduler
from scanner.lab._recipe import PixelRecipe, refuse_odd_widths
from scanner.lab._set import TrainingSet, as_tensor, refuse_odd_size
from scanner.lab._t5_tokenizer import PAD_ID, as_if_reads_it, train_t5_tokenizer
from scanner.lab._training import Progress, ignore_progress


def train_pixel(rows: TrainingSet, out: Path, recipe: PixelRecipe, progress: Progress = ignore_progress) -> None:
    """Train text encoder and denoiser, and write a diffusers pipeline (`IFPipeline`, fp16) to `out`.

    Rows are drawn and a killed training continues as in `train_latent`, and the same errors are raised.
    """
    refuse_odd_widths(recipe)
    refuse_odd_size(rows.size, len(recipe.unet_widths) - 1)
    folder = open_folder(out, "pixel", recipe, rows.fingerprint)
    captions = [as_if_reads_it(caption) for caption in rows.captions]
    tokenizer = train_t5_tokenizer(sorted(set(captions)), vocabulary=recipe.vocabulary)
    read = TextRows(
        clean=as_tensor(rows.pictures),
        picture_of_row=rows.numbers(),
        tokens=tokenize(tokenizer, captions),
        empty=tokenize(tokenizer, [""])[0],
    )
    unet, text_encoder = build_pixel_unet(recipe, rows.size), build_t5_encoder(recipe, len(tokenizer))
    networks = nn.ModuleDict({"unet": unet, "text_encoder": text_encoder})
    model = TextModel(phase="pixel", networks=networks, encode=_encode, scheduler=pixel_scheduler())
    train_denoiser(model, read, recipe, folder, progress)
    pipeline: Any = IFPipeline(  # type: ignore[no-untyped-call, unused-ignore]
        tokenizer=tokenizer,
        text_encoder=text_encoder.half(),
        unet=unet.half(),
        scheduler=model.scheduler,
        safety_checker=None,
        feature_extractor=None,
        watermarker=None,
        requires_safety_checker=False,
    )
    publish(pipeline, folder, out)


def _encode(text_encoder: nn.Module, tokens: Tensor) -> Tensor:
    """As `IFPipeline` does it: padding is masked in the encoder, and then attended to by the denoiser like the rest."""
    states: Tensor = text_encoder(tokens, attention_mask=(tokens != PAD_ID).long())[0]
    return states
