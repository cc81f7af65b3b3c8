"""Parquet: the columns of the prompts table and the verdict, typed as they are. Every caption fits.

scanner export RUN --format parquet --out prompts.parquet
"""

import io
from collections.abc import Iterator

import polars as pl

from scanner.exports.prompts._format import ListFacts, PromptFormat, Writing


def encode(prompts: pl.DataFrame, _: ListFacts) -> Iterator[bytes]:
    """The whole file at once: its footer comes last."""
    buffer = io.BytesIO()
    prompts.write_parquet(buffer)
    yield buffer.getvalue()


PARQUET = PromptFormat(
    name="parquet", consumer="anything that reads parquet", writings={".parquet": Writing(encode=encode)}
)
