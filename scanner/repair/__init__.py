"""The repair of a data set: which rows to drop or to re-caption, and what that does to copies and risk.

>>> from scanner.repair import Carried, find_mitigations
>>> find_mitigations(rows, Carried(captions=captions, prompts=prompts), "largest")    # doctest: +SKIP
"""

from scanner.repair._captions import Carried
from scanner.repair._mitigations import find_mitigations
from scanner.repair._policy import ORIGINAL_SIZE, POLICIES, Order, order_of

__all__ = ["ORIGINAL_SIZE", "POLICIES", "Carried", "Order", "find_mitigations", "order_of"]
