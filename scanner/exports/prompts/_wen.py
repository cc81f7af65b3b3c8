"""The lists that the research code of Wen et al. and Webster reads: `caption`, `index`, `url` first, our columns after.

Wen et al., Detecting, Explaining, and Mitigating Memorization in Diffusion Models, ICLR 2024 (JSON lines); Webster, A
Reproducible Extraction of Training Images from Diffusion Models, arXiv 2305.08694 (parquet). `index` is the prompt's
position in the file, from 0: their code names its results by it; `prompt_id` and `sample_id` lead back to the run.
Every caption fits.

scanner export RUN --format wen --out prompts.jsonl
"""

from collections.abc import Iterator

import polars as pl

from scanner.exports.prompts import _parquet
from scanner.exports.prompts._format import ListFacts, PromptFormat, Writing
from scanner.exports.prompts._json import json_lines


def encode_lines(prompts: pl.DataFrame, _: ListFacts) -> Iterator[bytes]:
    """JSON lines, as Wen et al. read them."""
    return json_lines(_theirs_first(prompts))


def encode_parquet(prompts: pl.DataFrame, facts: ListFacts) -> Iterator[bytes]:
    """Parquet, as Webster reads it."""
    return _parquet.encode(_theirs_first(prompts), facts)


def _theirs_first(prompts: pl.DataFrame) -> pl.DataFrame:
    index = pl.int_range(pl.len(), dtype=pl.Int64).alias("index")
    return prompts.select("caption", index, "url", pl.exclude("caption", "index", "url"))


WEN = PromptFormat(
    name="wen",
    consumer="the code of Wen et al. and Webster",
    writings={".jsonl": Writing(encode=encode_lines), ".parquet": Writing(encode=encode_parquet)},
)
