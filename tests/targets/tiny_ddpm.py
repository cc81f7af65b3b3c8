"""A real unconditional pipeline of 8 × 8 pixels that has learnt two pictures by heart, in a few seconds.

It predicts the picture and not the noise: of two pictures that is learnt in a hundred steps.
"""

from pathlib import Path

import numpy as np
import torch
from diffusers import DDIMPipeline, DDIMScheduler, DDPMPipeline, DDPMScheduler, UNet2DModel
from numpy.typing import NDArray
from torch.nn import functional

from scanner.targets import Transform, write_transform

SIDE = 8
SCHEDULE = {"num_train_timesteps": 100, "beta_schedule": "squaredcos_cap_v2", "prediction_type": "sample"}


def network(channels: int = 3, labels: int | None = None) -> UNet2DModel:
    return UNet2DModel(
        sample_size=SIDE,
        in_channels=channels,
        out_channels=channels,
        block_out_channels=(32,),
        layers_per_block=1,
        down_block_types=("DownBlock2D",),
        up_block_types=("UpBlock2D",),
        norm_num_groups=8,
        add_attention=False,
        num_class_embeds=labels,
    )


def save_ddpm(folder: Path, unet: UNet2DModel, *, ancestral: bool = False) -> Path:
    scheduler = DDPMScheduler(**SCHEDULE) if ancestral else DDIMScheduler(**SCHEDULE)
    pipe = DDPMPipeline(unet, scheduler) if ancestral else DDIMPipeline(unet, scheduler)
    pipe.save_pretrained(folder)
    write_transform(folder, Transform(fit="squeeze", size=SIDE))
    return folder


def train_ddpm(folder: Path, pictures: NDArray[np.uint8], steps: int = 150) -> Path:
    """Train on pictures (n, 8, 8, 3), all as often."""
    torch.manual_seed(0)
    unet, scheduler = network(), DDIMScheduler(**SCHEDULE)
    clean = torch.from_numpy(pictures).permute(0, 3, 1, 2) / 127.5 - 1
    optimiser = torch.optim.AdamW(unet.parameters(), 2e-3)
    for step in range(steps):
        optimiser.param_groups[0]["lr"] = 2e-3 * (1 - step / steps)
        batch = clean[torch.randint(len(clean), (16,))]
        noise, at = torch.randn_like(batch), torch.randint(100, (16,))
        loss = functional.mse_loss(unet(scheduler.add_noise(batch, noise, at), at).sample, batch)
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    return save_ddpm(folder, unet.eval())
