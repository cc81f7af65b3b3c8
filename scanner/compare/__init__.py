"""Two runs side by side: what is gone, new or changed, and what that did to the risk.

>>> from scanner.compare import compare, write_comparison
>>> write_comparison(compare(a, b), a, b, Path("b/compare-a"))               # doctest: +SKIP
"""

from scanner.compare._gather import compare, refuse_unusable
from scanner.compare._mcnemar import mcnemar
from scanner.compare._model import SCHEMA_VERSION, Comparison
from scanner.compare._write import refuse_occupied, write_comparison

__all__ = [
    "SCHEMA_VERSION",
    "Comparison",
    "compare",
    "mcnemar",
    "refuse_occupied",
    "refuse_unusable",
    "write_comparison",
]
