"""JSON lines: an object a prompt, with the columns of the prompts table and the verdict."""

import polars as pl

from scanner.exports.prompts._format import ListFacts, PromptFormat


def encode(prompts: pl.DataFrame, _: ListFacts) -> bytes:
    """One line a prompt; JSON escapes every line break."""
    return prompts.write_ndjson().encode("utf-8")


JSONL = PromptFormat(name="jsonl", consumer="anything that reads JSON lines", encode=encode)
