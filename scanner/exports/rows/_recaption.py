"""The rows to re-caption, with what one needs to write or to choose other captions.

A row stands here when another row of its group keeps its caption (or a near-duplicate of it). `keeps_caption` is that
row, and `group_captions` are the different captions of the group, which are taken.

>>> recaption_rows(run, mitigations).columns[:4]                             # doctest: +SKIP
['sample_id', 'shard', 'key', 'url']
"""

import polars as pl

from scanner.run import Run
from scanner.tables import SAMPLES

SUFFIXES = (".parquet", ".jsonl")


def recaption_rows(run: Run, mitigations: pl.DataFrame) -> pl.DataFrame:
    """One row for each row to re-caption, by group and sample_id."""
    wanted = mitigations.filter(pl.col("mitigation") == "recaption")
    captions = mitigations.filter(pl.col("mitigation") == "keep").select("group_id", group_captions="captions")
    columns = ("sample_id", "shard", "key", "url", "caption")
    samples = SAMPLES.scan(run.path).select(columns).join(wanted.select("sample_id").lazy(), on="sample_id", how="semi")
    found = wanted.drop("captions", "mitigation", "copies_after").rename({"kept": "keeps_caption"})
    found = found.rename({"copies_before": "copies"}).join(captions, on="group_id", how="left")
    found = samples.collect().join(found, on="sample_id").sort("group_id", "sample_id")
    return found.select(*columns, pl.exclude(columns))
