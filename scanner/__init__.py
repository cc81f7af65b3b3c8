"""Training-set duplicate and risk scanner for text-to-image models: the library.

It does not print, knows no command line and no engine; `pipelines` puts its stages in order.

    >>> import scanner
    >>> run = scanner.open_run("runs/laion")                                     # doctest: +SKIP
    >>> run.prompts.filter(pl.col("arm") == "risk").head().collect()             # doctest: +SKIP
"""

from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scanner.opened import OpenedRun

__version__ = "0.1.0"
__all__ = ["open_run"]


def open_run(path: str | PathLike[str]) -> "OpenedRun":
    """Open a run directory for reading: its tables as lazy polars frames, its embeddings and its pictures.

    Raises UnusableInputError when `path` is no run.
    """
    from scanner.opened import OpenedRun  # noqa: PLC0415 - the command line asks for the version, and should be quick
    from scanner.run import Run  # noqa: PLC0415

    return OpenedRun(Run.open(Path(path)))
