"""k of (k, l, δ)-eidetic memorisation over the hits (Carlini et al. 2023, section 4.1): how many training rows lie
within the stored l2 of the picture that came back. A picture is k-eidetic when it takes no more than k of them.

    >>> count_k(pl.DataFrame({"k": [1, 3, 130], "original": [5, 9, 9]})).median
    3
"""

import polars as pl

from scanner.prompts import BUCKETS, bucket_label
from scanner.report._findings import Eidetic, KRange


def count_k(hits: pl.DataFrame) -> Eidetic | None:
    """Of hits with their `k` and the `original` that came back; None where no hit has a k."""
    known = hits.filter(pl.col("k").is_not_null())
    if known.is_empty():
        return None
    k = known["k"]
    ranges = [("0", 0, 0), ("1", 1, 1), *((bucket_label(low, high), low, high) for low, high in BUCKETS)]
    parts = [
        (label, known.filter(pl.col("k").is_between(low, 2**62 if high is None else high)))
        for label, low, high in ranges
    ]
    return Eidetic(
        hits=known.height,
        smallest=int(k.min()),  # type: ignore[arg-type]
        median=int(k.quantile(0.5, "lower") or 0),
        largest=int(k.max()),  # type: ignore[arg-type]
        ranges=tuple(
            KRange(label=label, hits=part.height, originals=part["original"].drop_nulls().n_unique())
            for label, part in parts
            if part.height
        ),
    )
