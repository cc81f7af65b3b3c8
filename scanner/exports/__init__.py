"""What other tools read: prompts in their formats, and lists of rows to drop. One file per consumer.

>>> from scanner.exports import Selection, select_prompts
>>> select_prompts(prompts, hits, Selection(classes=("high",)))               # doctest: +SKIP
"""

from scanner.exports._counted import counted
from scanner.exports._select import Selection, select_prompts

__all__ = ["Selection", "counted", "select_prompts"]
