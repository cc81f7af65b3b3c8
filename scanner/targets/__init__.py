"""What is attacked, and the transform that its training images went through: a loaded text-to-image model, a hosted
image API, or a set of images that were generated elsewhere.

>>> from scanner.targets import load_target
>>> target = load_target("runs/sd-1-4/")                                   # doctest: +SKIP
>>> target.generate(["a red fox"], seeds=[7], steps=20, guidance=7.5)      # doctest: +SKIP
"""

from scanner.targets._denoiser import Denoiser
from scanner.targets._diffusers import DiffusersTarget
from scanner.targets._loading import load_target
from scanner.targets._options import Loading, Settings
from scanner.targets._seeds import image_seed
from scanner.targets._stored import SIDE_STEP, StoredTarget, open_stored
from scanner.targets._target import IMAGE_DEFECTS, Drawn, Target, drawn
from scanner.targets._transform import TRANSFORM_FILE, Transform, read_transform, write_transform
from scanner.targets.api import ApiSettings, ApiTarget

__all__ = [
    "IMAGE_DEFECTS",
    "SIDE_STEP",
    "TRANSFORM_FILE",
    "ApiSettings",
    "ApiTarget",
    "Denoiser",
    "DiffusersTarget",
    "Drawn",
    "Loading",
    "Settings",
    "StoredTarget",
    "Target",
    "Transform",
    "drawn",
    "image_seed",
    "load_target",
    "open_stored",
    "read_transform",
    "write_transform",
]
