"""Prompt lists, one file per consumer: `PROMPT_FORMATS` names them.

A writer gets the selected prompts (`select_prompts`) and what is said about the list as a whole, and gives the bytes of
the file. Captions are attacker-controlled text: each format says how it keeps them from meaning anything else, and
refuses what it can't carry.
"""

from collections.abc import Mapping

from scanner.exports.prompts._format import ListFacts, PromptFormat
from scanner.exports.prompts._jsonl import JSONL

PROMPT_FORMATS: Mapping[str, PromptFormat] = {each.name: each for each in (JSONL,)}
"""Every format, by its name."""

__all__ = ["PROMPT_FORMATS", "ListFacts", "PromptFormat"]
