"""A run opened for people: lazy frames, embeddings and pictures, for notebooks and scripts.

>>> import scanner
>>> run = scanner.open_run("runs/laion")                                     # doctest: +SKIP
>>> run.groups.sort("copies", descending=True).head(10).collect()            # doctest: +SKIP
>>> run.image(17)                                                            # doctest: +SKIP
"""

from scanner.opened._embeddings import RunEmbeddings
from scanner.opened._run import OpenedRun
from scanner.opened._summary import RunSummary

__all__ = ["OpenedRun", "RunEmbeddings", "RunSummary"]
