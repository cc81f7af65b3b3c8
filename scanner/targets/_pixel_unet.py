"""The denoiser of the first stage of DeepFloyd IF: a UNet on pixels, after Imagen (Saharia et al. 2022, arXiv
2205.11487)."""

from collections.abc import Sequence
from typing import Any

from diffusers import IFPipeline
from torch import Tensor

from scanner.targets._diffusion import NoisePredictor, predicts_noise


def is_pixel_unet(pipe: Any) -> bool:
    """Whether `PixelUNet` reads this pipeline."""
    return isinstance(pipe, IFPipeline) and predicts_noise(pipe)


class PixelUNet(NoisePredictor):
    """A `Denoiser` of a pipeline for which `is_pixel_unet` holds. The variance that the network learns is dropped."""

    def __init__(self, pipe: Any, size: int, *, clean_captions: bool) -> None:
        super().__init__(pipe, size)
        self.clean_captions = clean_captions

    def text(self, captions: Sequence[str]) -> Any:
        """Embeddings (n, 77 tokens, width)."""
        return self.pipe.encode_prompt(list(captions), False, clean_caption=self.clean_captions)[0]

    def predict(self, noisy: Tensor, timestep: Tensor, text: Any) -> Tensor:
        """The predicted noise."""
        embeddings = text.expand(len(noisy), -1, -1)
        output = self.network(noisy, timestep, encoder_hidden_states=embeddings).sample
        return self.as_noise(noisy, timestep, output)

    def picture(self, latents: Tensor) -> Tensor:
        """(n, 3, size, size) on [0, 1]: there is no autoencoder, only another range."""
        return (latents / 2 + 0.5).clamp(0, 1)
