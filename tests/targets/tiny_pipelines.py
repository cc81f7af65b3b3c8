"""A tiny pipeline of every family, of its real classes with random weights, saved as its authors save theirs.

>>> save_family("flux", Path("flux"))                                     # doctest: +SKIP
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AuraFlowPipeline,
    AuraFlowTransformer2DModel,
    AutoencoderKL,
    DDIMScheduler,
    DDPMScheduler,
    DPMSolverMultistepScheduler,
    EulerDiscreteScheduler,
    FlowMatchEulerDiscreteScheduler,
    FluxPipeline,
    FluxTransformer2DModel,
    IFPipeline,
    PixArtAlphaPipeline,
    PixArtSigmaPipeline,
    PixArtTransformer2DModel,
    SD3Transformer2DModel,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    StableDiffusionXLPipeline,
    UNet2DConditionModel,
)
from transformers import (
    CLIPTextConfig,
    CLIPTextModel,
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    T5Config,
    T5EncoderModel,
    T5Tokenizer,
    UMT5Config,
    UMT5EncoderModel,
)

from scanner.lab._tokenizer import train_tokenizer
from scanner.targets import Transform, write_transform

SIZE = 32
"""Side of the images, pixels."""
WIDTH = 32
"""Of every text encoder."""
WINDOW = 12
"""Tokens that the CLIP encoders read."""
CAPTIONS = ["red square", "blue sea at night"]


def save_family(family: str, folder: Path) -> Path:
    """Save the pipeline of one family (a key of FAMILIES); the same weights each time."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        FAMILIES[family]().save_pretrained(folder)
    write_transform(folder, Transform(fit="squeeze", size=SIZE))
    return folder


def _stable_diffusion() -> StableDiffusionPipeline:
    tokenizer = _clip_tokenizer()
    return StableDiffusionPipeline(
        vae=_vae(4),
        text_encoder=CLIPTextModel(_clip_config(tokenizer)),
        tokenizer=tokenizer,
        unet=_unet(),
        scheduler=DDIMScheduler(clip_sample=False, timestep_spacing="trailing", steps_offset=1),
        safety_checker=None,
        feature_extractor=None,
        requires_safety_checker=False,
    )


def _stable_diffusion_2() -> StableDiffusionPipeline:
    pipe = _stable_diffusion()
    pipe.register_modules(scheduler=DDIMScheduler.from_config(pipe.scheduler.config, prediction_type="v_prediction"))
    return pipe


def _stable_diffusion_xl() -> StableDiffusionXLPipeline:
    first, second = _clip_tokenizer(), _clip_tokenizer()
    unet = _unet(
        cross_attention_dim=2 * WIDTH,
        addition_embed_type="text_time",
        addition_time_embed_dim=8,
        projection_class_embeddings_input_dim=6 * 8 + WIDTH,
    )
    return StableDiffusionXLPipeline(
        vae=_vae(4),
        text_encoder=CLIPTextModel(_clip_config(first)),
        text_encoder_2=CLIPTextModelWithProjection(_clip_config(second)),
        tokenizer=first,
        tokenizer_2=second,
        unet=unet,
        scheduler=EulerDiscreteScheduler(timestep_spacing="leading", steps_offset=1),
        add_watermarker=False,
    )


def _stable_diffusion_3() -> StableDiffusion3Pipeline:
    first, second, third = _clip_tokenizer(), _clip_tokenizer(), _t5_tokenizer()
    transformer = SD3Transformer2DModel(
        sample_size=SIZE // 2,
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=2 * WIDTH,
        caption_projection_dim=32,
        pooled_projection_dim=2 * WIDTH,
    )
    return StableDiffusion3Pipeline(
        transformer=transformer,
        scheduler=FlowMatchEulerDiscreteScheduler(shift=3.0),
        vae=_vae(4, shift=0.06),
        text_encoder=CLIPTextModelWithProjection(_clip_config(first)),
        tokenizer=first,
        text_encoder_2=CLIPTextModelWithProjection(_clip_config(second)),
        tokenizer_2=second,
        text_encoder_3=T5EncoderModel(_t5_config(third, width=2 * WIDTH)),
        tokenizer_3=third,
    )


def _flux(*, distilled: bool = True) -> FluxPipeline:
    first, second = _clip_tokenizer(), _t5_tokenizer()
    transformer = FluxTransformer2DModel(
        patch_size=1,
        in_channels=4 * 4,
        num_layers=1,
        num_single_layers=1,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=WIDTH,
        pooled_projection_dim=WIDTH,
        axes_dims_rope=(4, 4, 8),
        guidance_embeds=distilled,
    )
    return FluxPipeline(
        scheduler=FlowMatchEulerDiscreteScheduler(use_dynamic_shifting=distilled),
        vae=_vae(4, shift=0.1),
        text_encoder=CLIPTextModel(_clip_config(first)),
        tokenizer=first,
        text_encoder_2=T5EncoderModel(_t5_config(second)),
        tokenizer_2=second,
        transformer=transformer,
    )


def _flux_schnell() -> FluxPipeline:
    return _flux(distilled=False)


def _pixart(kind: type = PixArtAlphaPipeline) -> Any:
    tokenizer = _t5_tokenizer()
    transformer = PixArtTransformer2DModel(
        sample_size=SIZE // 2,
        patch_size=2,
        in_channels=4,
        out_channels=8,
        num_layers=1,
        attention_head_dim=8,
        num_attention_heads=2,
        cross_attention_dim=16,
        caption_channels=WIDTH,
    )
    return kind(
        tokenizer=tokenizer,
        text_encoder=T5EncoderModel(_t5_config(tokenizer)),
        vae=_vae(4),
        transformer=transformer,
        scheduler=DPMSolverMultistepScheduler(),
    )


def _pixart_sigma() -> PixArtSigmaPipeline:
    return _pixart(PixArtSigmaPipeline)


def _deepfloyd_if() -> IFPipeline:
    tokenizer = _t5_tokenizer()
    unet = _unet(
        sample_size=SIZE,
        in_channels=3,
        out_channels=6,
        addition_embed_type="text",
        addition_embed_type_num_heads=2,
        encoder_hid_dim=WIDTH,
        encoder_hid_dim_type="text_proj",
        down_block_types=("ResnetDownsampleBlock2D", "SimpleCrossAttnDownBlock2D"),
        up_block_types=("SimpleCrossAttnUpBlock2D", "ResnetUpsampleBlock2D"),
        mid_block_type="UNetMidBlock2DSimpleCrossAttn",
        resnet_time_scale_shift="scale_shift",
        cross_attention_norm="group_norm",
        attention_head_dim=8,
    )
    return IFPipeline(
        tokenizer=tokenizer,
        text_encoder=T5EncoderModel(_t5_config(tokenizer)),
        unet=unet,
        scheduler=DDPMScheduler(beta_schedule="squaredcos_cap_v2", variance_type="learned_range", thresholding=True),
        safety_checker=None,
        feature_extractor=None,
        watermarker=None,
        requires_safety_checker=False,
    )


FAMILIES: dict[str, Callable[[], Any]] = {
    "stable-diffusion": _stable_diffusion,
    "stable-diffusion-2": _stable_diffusion_2,
    "stable-diffusion-xl": _stable_diffusion_xl,
    "stable-diffusion-3": _stable_diffusion_3,
    "flux": _flux,
    "flux-schnell": _flux_schnell,
    "pixart-alpha": _pixart,
    "pixart-sigma": _pixart_sigma,
    "deepfloyd-if": _deepfloyd_if,
}


def save_other(folder: Path) -> Path:
    """AuraFlow, which the scanner has no view of."""
    tokenizer = _t5_tokenizer()
    transformer = AuraFlowTransformer2DModel(
        sample_size=SIZE // 2,
        patch_size=1,
        in_channels=4,
        out_channels=4,
        num_mmdit_layers=1,
        num_single_dit_layers=1,
        attention_head_dim=8,
        num_attention_heads=4,
        joint_attention_dim=WIDTH,
        caption_projection_dim=32,
        pos_embed_max_size=SIZE * SIZE,
    )
    config = UMT5Config(vocab_size=len(tokenizer), d_model=WIDTH, d_kv=8, d_ff=32, num_layers=1, num_heads=4)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        AuraFlowPipeline(
            tokenizer=tokenizer,
            text_encoder=UMT5EncoderModel(config),
            vae=_vae(4),
            transformer=transformer,
            scheduler=FlowMatchEulerDiscreteScheduler(),
        ).save_pretrained(folder)
    return folder


def _unet(**changes: Any) -> UNet2DConditionModel:
    shape: dict[str, Any] = {
        "sample_size": SIZE // 2,
        "in_channels": 4,
        "out_channels": 4,
        "block_out_channels": (16, 32),
        "norm_num_groups": 8,
        "layers_per_block": 1,
        "cross_attention_dim": WIDTH,
        "attention_head_dim": 4,
        "down_block_types": ("DownBlock2D", "CrossAttnDownBlock2D"),
        "up_block_types": ("CrossAttnUpBlock2D", "UpBlock2D"),
    }
    return UNet2DConditionModel(**shape | changes)


def _vae(channels: int, shift: float | None = None) -> AutoencoderKL:
    return AutoencoderKL(
        block_out_channels=(8, 16),
        norm_num_groups=8,
        latent_channels=channels,
        down_block_types=("DownEncoderBlock2D", "DownEncoderBlock2D"),
        up_block_types=("UpDecoderBlock2D", "UpDecoderBlock2D"),
        shift_factor=shift,
    )


def _clip_tokenizer() -> CLIPTokenizer:
    return train_tokenizer(CAPTIONS, vocabulary=540, tokens=WINDOW)


def _clip_config(tokenizer: CLIPTokenizer) -> CLIPTextConfig:
    return CLIPTextConfig(
        vocab_size=len(tokenizer),
        hidden_size=WIDTH,
        projection_dim=WIDTH,
        intermediate_size=WIDTH,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=WINDOW,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )


def _t5_tokenizer() -> T5Tokenizer:
    """Every letter is a token, and a few whole words."""
    pieces = ["▁", *"abcdefghijklmnopqrstuvwxyz0123456789", "▁red", "▁blue", "▁sea", "▁square"]
    vocab = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((piece, -float(len(pieces))) for piece in pieces)]
    return T5Tokenizer(vocab=vocab, extra_ids=0)


def _t5_config(tokenizer: T5Tokenizer, width: int = WIDTH) -> T5Config:
    return T5Config(vocab_size=len(tokenizer), d_model=width, d_kv=8, d_ff=32, num_layers=1, num_heads=4)
