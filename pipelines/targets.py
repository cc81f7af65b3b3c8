"""The target that an attack names: which kind it is is seen from its name, and it is opened with the options' settings.

>>> open_target("models/mine", TargetOptions())                                # doctest: +SKIP
"""

from pipelines.configs import TargetOptions
from scanner.targets import Target, load_target


def open_target(model: str, options: TargetOptions) -> Target:
    """A loaded target. Raises UnusableInputError, in one sentence, for one that can't be had."""
    return load_target(model, device=options.device, dtype=options.dtype, fit=options.fit)
