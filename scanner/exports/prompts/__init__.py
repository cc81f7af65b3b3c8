"""Prompt lists, one file per consumer: `PROMPT_FORMATS` names them.

A writer gets the selected prompts (`select_prompts`) and what is said about the list as a whole, and gives the bytes
of the file. Captions are attacker-controlled text: each format says how it keeps them from meaning anything else. A
caption comes back unchanged from the consumer's own reader, or the format can't carry it (`carried` refuses it or
leaves it out).

>>> writing = PROMPT_FORMATS["csv"].writing_for(Path("prompts.csv"))        # doctest: +SKIP
>>> b"".join(writing.encode(carried(prompts, writing, skip=False), facts))  # doctest: +SKIP
"""

from collections.abc import Mapping

from scanner.exports.prompts._carry import carried
from scanner.exports.prompts._csv import CSV
from scanner.exports.prompts._format import ListFacts, PromptFormat, Writing
from scanner.exports.prompts._garak import GARAK
from scanner.exports.prompts._inspect import INSPECT
from scanner.exports.prompts._jsonl import JSONL
from scanner.exports.prompts._parquet import PARQUET
from scanner.exports.prompts._promptfoo import PROMPTFOO
from scanner.exports.prompts._pyrit import PYRIT
from scanner.exports.prompts._text import TEXT
from scanner.exports.prompts._wen import WEN

_ALL = (CSV, JSONL, PARQUET, TEXT, WEN, PROMPTFOO, PYRIT, INSPECT, GARAK)
PROMPT_FORMATS: Mapping[str, PromptFormat] = {each.name: each for each in _ALL}
"""Every format, by its name."""

__all__ = ["PROMPT_FORMATS", "ListFacts", "PromptFormat", "Writing", "carried"]
