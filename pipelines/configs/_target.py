"""The options of a target: how a pipeline is loaded, or an image API reached."""

from dataclasses import asdict, dataclass
from typing import Any

from pipelines.configs._api import REACHING, ApiOptions
from scanner.errors import UnusableInputError

FITTING = frozenset({"device", "batch", "attention_slicing", "compile", "allow"})
"""Options of where and how a pipeline runs, which change an image by no more than rounding."""


_SWITCHES = {
    "safety_checker": ("on", "off"),
    "watermarker": ("on", "off"),
    "clean_captions": ("auto", "on", "off"),
}


@dataclass(frozen=True, kw_only=True)
class TargetOptions(ApiOptions):
    """How the model under attack is loaded or reached."""

    device: str = "auto"
    """Device of a diffusers pipeline: cpu, cuda, cuda:1, mps, ...; auto is cuda where there is one, else mps, else
    cpu."""
    dtype: str = "auto"
    """Number type of the weights: float32, float16 or bfloat16; auto is float32 on a CPU, elsewhere bfloat16 for
    weights that are stored so, else float16."""
    batch: int = 0
    """Images made at once; 0 takes as many as fit the free memory. It halves whenever memory runs out."""
    attention_slicing: str = "auto"
    """Attention in slices, slower in less memory: on, off, or auto, which is on where one image does not fit
    without."""
    image_size: int | None = None
    """Side of the images, pixels; by default as the target's folder says, else what the model was made for."""
    fit: str | None = None
    """How training images were made square: crop, pad or squeeze; by default as the target's folder says, else crop."""
    lora: tuple[str, ...] = ()
    """LoRA weights on top (may be given several times): a safetensors file, its folder, or owner/name on the hub;
    PATH:0.8 gives them another weight than 1."""
    safety_checker: str = "on"
    """off leaves out the safety checker that the pipeline brings; images that it blanks are recorded as such."""
    watermarker: str = "on"
    """off leaves out the watermarker that the pipeline brings."""
    clean_captions: str = "auto"
    """Clean captions before PixArt and DeepFloyd IF read them: on, off, or auto, which is as the target's folder says,
    else on as in their pipelines."""
    allow: tuple[str, ...] = ()
    """What is refused unless named here (may be given several times), since it can run anything on this machine:
    remote-code (Python files of the model), pickle (weights that are no safetensors)."""
    compile: bool = False
    """Compile the denoiser: minutes at first, faster images after."""
    compare_size: int | None = None
    """Side at which images of an API or of a stored set are compared, pixels, a multiple of 16; by default 512 for an
    API, and the side of the first image, at most 512, for a stored set. A diffusers pipeline has its own."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.compare_size is not None and (self.compare_size < 16 or self.compare_size % 16):
            raise UnusableInputError("--compare-size is a multiple of 16, such as 256 or 512.")
        for name, values in _SWITCHES.items():
            if getattr(self, name) not in values:
                words = f"--{name.replace('_', '-')} is one of {', '.join(values)}"
                raise UnusableInputError(f"{words}, not '{getattr(self, name)}'.")

    def identity(self) -> dict[str, Any]:
        """What the images depend on: a resumed attack must have the same."""
        return {name: value for name, value in asdict(self).items() if name not in REACHING | FITTING}
