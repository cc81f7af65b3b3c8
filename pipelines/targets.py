"""The target that an attack names: which kind it is is seen from its name, and it is opened with the options' settings.

>>> open_target("models/mine", TargetOptions())                                # doctest: +SKIP
"""

from pipelines.configs import TargetOptions
from scanner.targets import Loading, Target, load_target


def open_target(model: str, options: TargetOptions) -> Target:
    """A loaded target. Raises UnusableInputError, in one sentence, for one that can't be had."""
    return load_target(model, loading_of(options))


def loading_of(options: TargetOptions) -> Loading:
    """What the options say to a diffusers pipeline."""
    return Loading(
        device=options.device,
        dtype=options.dtype,
        batch=options.batch,
        attention_slicing=options.attention_slicing,
        size=options.image_size,
        fit=options.fit,
        allow=options.allow,
        lora=options.lora,
        safety_checker=options.safety_checker == "on",
        watermarker=options.watermarker == "on",
        clean_captions=None if options.clean_captions == "auto" else options.clean_captions == "on",
        compile=options.compile,
    )
