"""Safety checkers and watermarkers that pipelines bring: kept unless they are switched off by name.

A checker replaces an image by a black one; which ones it replaced is read from the pipeline's own answer, so that a
blanked image is never taken for one that the model drew.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from diffusers.pipelines.deepfloyd_if.safety_checker import IFSafetyChecker
from numpy.typing import NDArray
from PIL import Image

from scanner.targets._options import Loading
from scanner.targets._repository import Repository

ON, OFF, ABSENT = "on", "off", "absent"


def mend_deepfloyds_checker() -> None:
    """Let transformers 5 load the checker of DeepFloyd IF, which as of diffusers 0.42 leaves out its `post_init`."""
    if not hasattr(IFSafetyChecker, "all_tied_weights_keys"):
        IFSafetyChecker.all_tied_weights_keys = {}


def without_checkers(repository: Repository, loading: Loading) -> dict[str, Any]:
    """Arguments of `from_pretrained` that leave out what is switched off."""
    left_out: dict[str, Any] = {}
    if "safety_checker" in repository.parts and not loading.safety_checker:
        left_out |= {"safety_checker": None, "requires_safety_checker": False}
    if "watermarker" in repository.parts and not loading.watermarker:
        left_out["watermarker"] = None
    return left_out


def safety_checker_of(pipe: Any, repository: Repository) -> str:
    """on, off or absent."""
    if getattr(pipe, "safety_checker", None) is not None:
        return ON
    return OFF if "safety_checker" in repository.parts else ABSENT


def settle_watermarker(pipe: Any, repository: Repository, loading: Loading) -> str:
    """on, off or absent; SDXL's, which its pipeline makes itself, is switched off here where that is asked for."""
    brought = getattr(pipe, "watermark", None) is not None or "watermarker" in repository.parts
    if not loading.watermarker and hasattr(pipe, "watermark"):
        pipe.watermark = None
    if not brought:
        return ABSENT
    return ON if loading.watermarker else OFF


def flagged(out: Any) -> Sequence[str | None] | None:
    """By image, why a checker blanked it (None: it did not); None where nothing was checked."""
    unsafe = getattr(out, "nsfw_content_detected", None) or getattr(out, "nsfw_detected", None)
    if unsafe is None:
        return None
    marked = getattr(out, "watermark_detected", None) or [False] * len(unsafe)
    return [
        "The safety checker took it for unsafe." if bad else "The safety checker saw a watermark." if mark else None
        for bad, mark in zip(unsafe, marked, strict=True)
    ]


def watermarked(pipe: Any, images: NDArray[np.float32]) -> NDArray[np.float32]:
    """Images (n, size, size, 3) on [0, 1] with DeepFloyd's mark, which its pipeline puts on 8-bit pictures only."""
    watermarker = getattr(pipe, "watermarker", None)
    if watermarker is None:
        return images
    pictures = [Image.fromarray((image * 255).round().astype(np.uint8)) for image in np.nan_to_num(images)]
    marked = watermarker.apply_watermark(pictures, pipe.unet.config.sample_size)
    pixels = np.stack([np.asarray(picture, np.float32) / 255 for picture in marked])
    return np.where(np.isfinite(images).all((1, 2, 3), keepdims=True), pixels, images)
