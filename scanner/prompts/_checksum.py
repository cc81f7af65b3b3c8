"""Which prompts an attack is about: it does not go on, and is not reported, with others than it began with.

>>> list_checksum(prompts, risk=500, control=100)                              # doctest: +SKIP
"""

import hashlib

import polars as pl


def list_checksum(prompts: pl.DataFrame, *, risk: int, control: int) -> str:
    """sha-256, hex, of the ids of the first prompts of both arms in their order, from the table of prompts."""
    ids = [
        prompt_id
        for arm, count in (("risk", risk), ("control", control))
        for prompt_id in prompts.filter(pl.col("arm") == arm).sort("rank").head(count)["prompt_id"]
    ]
    return hashlib.sha256("\n".join(ids).encode()).hexdigest()
