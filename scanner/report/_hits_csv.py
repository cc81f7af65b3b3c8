"""hits.csv: a row for each hit, with all its distances and all names of the training image that came back.

Written as `scanner.formulas` says: a cell that a spreadsheet may run stands behind an apostrophe, and the column
`escaped` names it. A null character, at which pandas and others end a text, is written as ␀. Numbers are given in full.

    >>> hits_csv(gather(run)).splitlines()[0]                                    # doctest: +SKIP
    '"prompt_id","arm","rank","verdict","caption",...'
"""

import polars as pl

from scanner.formulas import escape_formulas
from scanner.report._findings import Findings
from scanner.report._records import Hit

OF_HIT = {
    **{"prompt_id": pl.String, "arm": pl.String, "rank": pl.Int64, "verdict": pl.String, "caption": pl.String},
    **{"copies": pl.Int64, "group_id": pl.Int64, "agreeing": pl.Int64, "evidence": pl.Int64},
    **{"l2": pl.Float64, "normalised_l2": pl.Float64, "tile_l2": pl.Float64, "reconstruction_l2": pl.Float64},
    **{"copy_similarity": pl.Float64, "template_area": pl.Float64, "template_l2": pl.Float64},
    **{"masked_share": pl.Float64, "k": pl.Int64, "seed": pl.Int64},
    **{"paper_rule": pl.Boolean, "paper_l2": pl.Float64, "review": pl.String},
}
OF_ORIGINAL = {
    **{"sample_id": pl.Int64, "shard": pl.String, "key": pl.String, "url": pl.String, "width": pl.Int64},
    **{"height": pl.Int64, "original_caption": pl.String, "pixel_sha256": pl.String, "file_sha256": pl.String},
}
"""Columns, as they are called in `scanner.report._records`; the original's caption is `original_caption`."""


def hits_csv(found: Findings) -> str:
    """A header and a row a hit, the risk arm first, by rank; separated by \\n, every text in quotes."""
    rows = pl.DataFrame([_row(hit) for hit in found.hits], schema=OF_HIT | OF_ORIGINAL, orient="row")
    texts = [name for name, dtype in rows.schema.items() if dtype == pl.String]
    readable = rows.with_columns(pl.col(texts).str.replace_all("\x00", "␀", literal=True))
    return escape_formulas(readable).write_csv(quote_style="non_numeric")


def _row(hit: Hit) -> tuple[object, ...]:
    original = hit.original
    names = [name.removeprefix("original_") for name in OF_ORIGINAL]
    of_original = [None if original is None else getattr(original, name) for name in names]
    return (*(getattr(hit, name) for name in OF_HIT), *of_original)
