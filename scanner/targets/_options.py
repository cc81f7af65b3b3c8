"""How a diffusers target is loaded, as asked and as it came about.

>>> Loading(device="cpu", batch=4).dtype
'auto'
"""

from dataclasses import dataclass

from scanner.errors import UnusableInputError

DTYPES = ("auto", "float32", "float16", "bfloat16")
SLICINGS = ("auto", "on", "off")
REMOTE_CODE, PICKLE = "remote-code", "pickle"
ALLOWED = (REMOTE_CODE, PICKLE)


@dataclass(frozen=True, kw_only=True)
class Loading:
    """What is asked for."""

    device: str = "auto"
    """A device of torch (cpu, cuda, cuda:1, mps, ...); auto is cuda where there is one, else mps, else cpu."""
    dtype: str = "auto"
    """float32, float16 or bfloat16; auto is float32 on a CPU, elsewhere bfloat16 if the weights are stored so, else
    float16."""
    batch: int = 0
    """Images made at once; 0 takes as many as fit the free memory."""
    attention_slicing: str = "auto"
    """on, off, or auto: on where one image does not fit without."""
    size: int | None = None
    """Side of the images, pixels; by default as the folder's transform says, else what the model was made for."""
    fit: str | None = None
    """How the training images were made square (crop, pad or squeeze); by default as the folder says, else crop."""
    allow: tuple[str, ...] = ()
    """What is refused unless named here: remote-code, pickle."""
    lora: tuple[str, ...] = ()
    """LoRA weights on top, in order: a safetensors file, its folder, or owner/name on the hub; with :SCALE at the end
    they weigh that much (1 without)."""
    safety_checker: bool = True
    """Keep the safety checker that the pipeline brings; without, nothing blanks an image."""
    watermarker: bool = True
    """Keep the watermarker that the pipeline brings."""
    clean_captions: bool | None = None
    """Let PixArt and DeepFloyd IF clean captions; None is as the folder says, else as their pipelines do, who did so in
    training too."""
    compile: bool = False
    """Compile the denoiser: minutes at first, then faster."""

    def __post_init__(self) -> None:
        if self.dtype not in DTYPES:
            raise UnusableInputError(f"There is no number type '{self.dtype}'; use one of {', '.join(DTYPES)}.")
        if self.attention_slicing not in SLICINGS:
            raise UnusableInputError(f"Attention slicing is auto, on or off, not '{self.attention_slicing}'.")
        if unknown := set(self.allow) - set(ALLOWED):
            raise UnusableInputError(f"Nothing named '{min(unknown)}' can be allowed; use {' or '.join(ALLOWED)}.")
        if self.batch < 0 or (self.size is not None and self.size < 1):
            raise UnusableInputError("--batch is at least 0 (as many as fit), --image-size at least 1.")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What came about, for a run's manifest."""

    family: str
    """The pipeline's class."""
    device: str
    """Where it runs."""
    dtype: str
    """Number type of the denoiser's weights."""
    batch: int
    """Images made at once by now; less than at first where memory ran out."""
    free_memory: int | None
    """Bytes free on the device when the batch was chosen; None where they were not asked for or can't be read."""
    image_memory: int | None
    """Bytes that one image took at most, measured in two steps; None where it was not measured."""
    attention_slicing: bool
    """Whether attention is computed in slices."""
    compiled: bool
    """Whether the denoiser is compiled."""
    safety_checker: str
    """on, off, or absent where the pipeline brings none."""
    watermarker: str
    """on, off, or absent."""
    clean_captions: bool
    """Whether the pipeline cleans captions before it encodes them."""
    loras: tuple[str, ...]
    """Weights on top: file, scale, layers that they changed."""
    ignored: tuple[str, ...]
    """What this pipeline can't be told: guidance_scale, height, width."""
