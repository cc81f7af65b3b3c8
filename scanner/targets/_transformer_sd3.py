"""The denoiser of Stable Diffusion 3 and 3.5 (Esser et al. 2024, arXiv 2403.03206): flow matching, three encoders."""

from collections.abc import Sequence
from typing import Any

from diffusers import StableDiffusion3Pipeline
from torch import Tensor

from scanner.targets._flow import VelocityPredictor, shift_of
from scanner.targets._unet_sdxl import PooledText


def is_sd3(pipe: Any) -> bool:
    """Whether `LatentSD3` reads this pipeline."""
    return isinstance(pipe, StableDiffusion3Pipeline)


class LatentSD3(VelocityPredictor):
    """A `Denoiser` of a pipeline for which `is_sd3` holds."""

    def text(self, captions: Sequence[str]) -> PooledText:
        """Tokens of both CLIPs and of T5 (zeros where the pipeline has none), and the CLIPs' pooled vectors."""
        tokens, _, pooled, _ = self.pipe.encode_prompt(
            list(captions), None, None, device=self.pipe.device, do_classifier_free_guidance=False
        )
        return PooledText(tokens, pooled)

    def timesteps(self, steps: int) -> Tensor:
        """(steps,), the noisiest first."""
        scheduler, shift = self.pipe.scheduler, {}
        if scheduler.config.get("use_dynamic_shifting"):
            shift["mu"] = shift_of(self.pipe, (self.side // self.network.config.patch_size) ** 2, 1.16)
        scheduler.set_timesteps(steps, device=self.pipe.device, **shift)
        timesteps: Tensor = scheduler.timesteps
        return timesteps

    def predict(self, noisy: Tensor, timestep: Tensor, text: PooledText) -> Tensor:
        """The predicted velocity."""
        tokens, pooled = text.of(len(noisy))
        velocity: Tensor = self.network(
            hidden_states=noisy,
            timestep=timestep.expand(len(noisy)),
            encoder_hidden_states=tokens,
            pooled_projections=pooled,
        ).sample
        return velocity
