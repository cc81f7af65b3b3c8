"""The template families of a run whose pictures were looked at closely.

find_families(run)    # writes families.parquet
"""

import polars as pl

from pipelines.features import StoredFeatures
from scanner.duplicates import normalise_captions, template_families
from scanner.run import Run
from scanner.tables import FAMILIES, GROUPS, MEMBERS, PAIRS, SAMPLES


def find_families(run: Run) -> None:
    """Write the families table; its features are those that the close looks have stored."""
    shared = PAIRS.scan(run.path).filter(pl.col("shared") & (pl.col("look") == "geometry")).collect()
    found = template_families(shared, run.read(MEMBERS), StoredFeatures(run))
    FAMILIES.write(run.path, _described(run, found))


def _described(run: Run, found: pl.DataFrame) -> pl.DataFrame:
    """With the rows and captions of each picture: those of its group, or its own."""
    names = ("copies", "distinct_captions", "top_caption")
    groups = GROUPS.scan(run.path).select("group_id", *names).collect()
    wanted = SAMPLES.scan(run.path).filter(pl.col("sample_id").is_in(found["sample_id"].implode()))
    single = wanted.select("sample_id", "caption").collect()
    single = single.with_columns(captions=normalise_captions(single["caption"]).is_not_null().cast(pl.Int64))
    both = found.join(groups, on="group_id", how="left").join(single, on="sample_id", how="left")
    return both.with_columns(
        copies=pl.col("copies").fill_null(1),
        top_caption=pl.when(pl.col("group_id").is_null()).then("caption").otherwise("top_caption"),
        distinct_captions=pl.coalesce("distinct_captions", "captions"),
    )
