"""JSON lines: an object a prompt, with the columns of the prompts table and the verdict. Every caption fits.

scanner export RUN --format jsonl --out prompts.jsonl
"""

from collections.abc import Iterator

import polars as pl

from scanner.exports.prompts._format import ListFacts, PromptFormat, Writing
from scanner.exports.prompts._json import json_lines


def encode(prompts: pl.DataFrame, _: ListFacts) -> Iterator[bytes]:
    """One line a prompt, whatever a reader takes for the end of a line."""
    return json_lines(prompts)


_LINES = Writing(encode=encode)
JSONL = PromptFormat(
    name="jsonl", consumer="anything that reads JSON lines", writings={".jsonl": _LINES, ".ndjson": _LINES}
)
