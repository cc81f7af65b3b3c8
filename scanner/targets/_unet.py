"""The denoiser of a latent UNet with one text embedding: Stable Diffusion 1 and 2 and what is fine-tuned from them."""

from collections.abc import Sequence
from typing import Any

from torch import Tensor

from scanner.targets._autoencoder import has_autoencoder
from scanner.targets._diffusion import NoisePredictor, predicts_noise


def is_latent_unet(pipe: Any) -> bool:
    """Whether `LatentUNet` reads this pipeline: a UNet with an autoencoder and a single text embedding."""
    return (
        getattr(pipe, "unet", None) is not None
        and has_autoencoder(pipe)
        and hasattr(pipe, "encode_prompt")
        and getattr(pipe, "text_encoder_2", None) is None
        and pipe.unet.config.get("addition_embed_type") is None
        and predicts_noise(pipe)
    )


class LatentUNet(NoisePredictor):
    """A `Denoiser` of a pipeline for which `is_latent_unet` holds."""

    def text(self, captions: Sequence[str]) -> Any:
        """Embeddings (n, tokens, width)."""
        return self.pipe.encode_prompt(list(captions), self.pipe.device, 1, False)[0]

    def predict(self, noisy: Tensor, timestep: Tensor, text: Any) -> Tensor:
        """The predicted noise."""
        embeddings = text.expand(len(noisy), -1, -1)
        output = self.network(noisy, timestep, encoder_hidden_states=embeddings).sample
        return self.as_noise(noisy, timestep, output)
