"""inspect_ai's data set: JSON lines with `id`, `input`, `target` and `metadata`, which `json_dataset` reads as it is.

`target` is empty, since the scanner knows no right answer; everything else of a prompt is metadata. An empty caption is
refused, as inspect_ai refuses a sample without input.

scanner export RUN --format inspect --out prompts.jsonl
"""

from collections.abc import Iterator

import polars as pl

from scanner.exports.prompts._format import ListFacts, PromptFormat, Writing
from scanner.exports.prompts._json import json_lines


def encode(prompts: pl.DataFrame, _: ListFacts) -> Iterator[bytes]:
    """A sample a line."""
    metadata = pl.struct(pl.exclude("prompt_id", "caption")).alias("metadata")
    named = [pl.col("prompt_id").alias("id"), pl.col("caption").alias("input"), pl.lit("").alias("target")]
    return json_lines(prompts.select(*named, metadata))


INSPECT = PromptFormat(
    name="inspect",
    consumer="inspect_ai's json_dataset",
    writings={
        ".jsonl": Writing(
            encode=encode,
            carries=pl.col("caption") != "",
            reason="its caption is empty, and inspect_ai takes no sample without input",
        )
    },
)
