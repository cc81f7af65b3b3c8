"""Which families can be looked into: the first view that reads a pipeline."""

from typing import Any

from scanner.targets._denoiser import Denoiser
from scanner.targets._pixel_unet import PixelUNet, is_pixel_unet
from scanner.targets._transformer_flux import LatentFlux, is_flux
from scanner.targets._transformer_pixart import LatentPixArt, is_pixart
from scanner.targets._transformer_sd3 import LatentSD3, is_sd3
from scanner.targets._unet import LatentUNet, is_latent_unet
from scanner.targets._unet_sdxl import LatentUNetXL, is_sdxl


def denoiser_of(pipe: Any, size: int, *, clean_captions: bool) -> Denoiser | None:
    """The view of a pipeline; None for a family that has none."""
    if is_pixel_unet(pipe):
        return PixelUNet(pipe, size, clean_captions=clean_captions)
    if is_pixart(pipe):
        return LatentPixArt(pipe, size, clean_captions=clean_captions)
    kinds = ((is_latent_unet, LatentUNet), (is_sdxl, LatentUNetXL), (is_sd3, LatentSD3), (is_flux, LatentFlux))
    return next((kind(pipe, size) for reads, kind in kinds if reads(pipe)), None)
