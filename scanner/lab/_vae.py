"""The autoencoder: trained on the distinct pictures, its latents brought to mean 0 and deviation 1.

Loss: mean squared plus mean absolute error plus a small Kullback-Leibler term, without the perceptual and
adversarial terms of Rombach et al. 2022 (arXiv 2112.10752), which need networks of their own. Stable
Diffusion scales latents by one number (`scaling_factor`, 1 here); instead, each channel's mean and deviation
are folded into the two 1 × 1 convolutions beside the latent.
"""

from pathlib import Path

import torch
from torch import Tensor

from scanner.lab._networks import Vae, build_vae
from scanner.lab._randomness import draw_rows, torch_generator
from scanner.lab._recipe import LatentRecipe
from scanner.lab._training import Progress, Training, fast_arithmetic, run_training


def train_vae(pictures: Tensor, recipe: LatentRecipe, folder: Path, progress: Progress) -> Vae:
    """An autoencoder of `pictures`, float32 (n, 3, size, size) in [−1, 1]; checkpoints in `folder`."""
    vae = build_vae(recipe, pictures.shape[-1])

    def loss(step: int) -> Tensor:
        batch = pictures[draw_rows(len(pictures), recipe.vae_batch, step, recipe.seed)]
        return vae_loss(vae, batch, recipe.kl_weight, torch_generator(recipe.seed, "vae noise", step))

    training = Training(
        phase="vae",
        module=vae,
        loss=loss,
        steps=recipe.vae_steps,
        learning_rate=recipe.vae_learning_rate,
        warmup=recipe.warmup,
        weight_decay=0.0,
        average=recipe.average,
        checkpoint_every=recipe.checkpoint_every,
    )
    run_training(training, folder, progress)
    standardise_latents(vae, pictures)
    return vae


def vae_loss(vae: Vae, batch: Tensor, kl_weight: float, generator: torch.Generator) -> Tensor:
    """Reconstruction error of a batch through a latent drawn from the encoder's distribution, plus its KL."""
    with fast_arithmetic():
        latent = vae.encode(batch).latent_dist
        decoded = vae.decode(latent.sample(generator)).sample.float()
    error = decoded - batch
    mean, log_variance = latent.mean.float(), latent.logvar.float()
    divergence = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
    loss: Tensor = error.square().mean() + 0.5 * error.abs().mean() + kl_weight * divergence
    return loss


@torch.no_grad()
def encode(vae: Vae, pictures: Tensor, batch: int = 64) -> Tensor:
    """The latents' means, float32 (n, channels, size / 4, size / 4)."""
    return torch.cat([vae.encode(part).latent_dist.mean for part in torch.split(pictures, batch)])


@torch.no_grad()
def reconstruct(vae: Vae, pictures: Tensor, batch: int = 64) -> Tensor:
    """The pictures as the autoencoder gives them back, float32 in [−1, 1]."""
    parts = [vae.decode(encode(vae, part)).sample for part in torch.split(pictures, batch)]
    return torch.cat(parts).clamp(-1, 1)


@torch.no_grad()
def standardise_latents(vae: Vae, pictures: Tensor) -> None:
    """Fold each channel's mean and deviation into the convolutions beside it; pictures stay the same."""
    latents = encode(vae, pictures)
    mean, deviation = latents.mean((0, 2, 3)), latents.std((0, 2, 3)).clamp(min=1e-6)
    channels = len(mean)
    before, after = vae.quant_conv, vae.post_quant_conv
    before.bias[:channels] -= mean
    before.weight[:channels] /= deviation[:, None, None, None]
    before.bias[:channels] /= deviation
    before.bias[channels:] -= 2 * deviation.log()
    after.bias += after.weight[:, :, 0, 0] @ mean
    after.weight *= deviation[None, :, None, None]
