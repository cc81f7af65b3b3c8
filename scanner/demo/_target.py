"""Where the target lies that ships with the project: a pipeline that `scanner lab train` trained on the demo's data.

>>> target_folder().name
'target'
"""

from pathlib import Path


def target_folder() -> Path:
    """Folder of the diffusers pipeline that was trained on what `build_demo` writes under seed 0."""
    return Path(__file__).parent / "target"
