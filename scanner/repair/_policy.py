"""Which row of a duplicate group stays: the keep-one policies.

    largest   most pixels as stored; where no image was decoded, most pixels of the original (carried `original_width`
              and `original_height`); rows of unknown size last; of equals the smallest sample_id
    caption   the best caption: of highest text-image agreement, where the prompts table has one for the group's
              caption, then found on fewest pictures (near-duplicates counted), then of most words; a row without a
              caption last; of equals the smallest sample_id
    first     the smallest sample_id: the row that the data set gives first

Where nothing is known of any size, `largest` has nothing to compare and orders as `first` does; `order_of` says so, and
the run's summary and report repeat it.

>>> order_of("largest", pl.DataFrame({"width": [None], "height": [None]})).name
'first'
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from scanner.errors import UnusableInputError


@dataclass(frozen=True, kw_only=True)
class Order:
    """An order of a group's rows, of which the first stays."""

    name: str
    """pixels, original_pixels, caption or first."""
    words: str
    """Which row that is, for people: `the largest image`."""
    by: Mapping[str, bool]
    """Columns that are compared, one after the other, and whether the larger comes first; nulls come last."""


_PIXELS = Order(name="pixels", words="the image of most pixels", by={"pixels": True})
_ORIGINAL = Order(
    name="original_pixels",
    words="the image whose original has most pixels (no image was decoded)",
    by={"pixels": True},
)
_CAPTION = Order(
    name="caption", words="the row of the best caption", by={"agreement": True, "pictures": False, "words": True}
)
_FIRST = Order(name="first", words="the first row", by={})
_NO_SIZES = Order(name="first", words="the first row (the size of no image is known, so none is the largest)", by={})

POLICIES = ("largest", "caption", "first")
"""Names of the policies; the first is the default."""

ORIGINAL_SIZE = ("original_width", "original_height")
"""Columns that img2dataset and DataComp give."""


def order_of(policy: str, rows: pl.DataFrame) -> Order:
    """The order that a policy comes to among these rows, which have `width, height` and may have the original's.

    Raises UnusableInputError for a policy that is not known.
    """
    if policy == "largest":
        return _by_size(rows)
    if policy not in POLICIES:
        raise UnusableInputError(f"There is no keep-one policy '{policy}'; use one of {', '.join(POLICIES)}.")
    return _CAPTION if policy == "caption" else _FIRST


def _by_size(rows: pl.DataFrame) -> Order:
    if rows["width"].null_count() < len(rows) or rows.is_empty():
        return _PIXELS
    return _ORIGINAL if _has_original_sizes(rows) else _NO_SIZES


def _has_original_sizes(rows: pl.DataFrame) -> bool:
    if not set(ORIGINAL_SIZE) <= set(rows.columns):
        return False
    numbers = all(rows.schema[name].is_numeric() for name in ORIGINAL_SIZE)
    return numbers and rows[ORIGINAL_SIZE[0]].null_count() < len(rows)


def in_order(rows: pl.DataFrame, order: Order) -> pl.DataFrame:
    """The rows by group, the one that stays first, and its place in the group, from 0, as `place`.

    Needs `group_id, sample_id`, the columns of `order_of` and, for the order by captions, those of `captioned`.
    """
    names = ORIGINAL_SIZE if order.name == "original_pixels" else ("width", "height")
    pixels = pl.col(names[0]).cast(pl.Float64) * pl.col(names[1]).cast(pl.Float64)
    keys = ["group_id", *order.by, "sample_id"]
    descending = [False, *order.by.values(), False]
    ordered = rows.with_columns(pixels=pixels).sort(keys, descending=descending, nulls_last=True)
    return ordered.with_columns(place=pl.int_range(pl.len()).over("group_id"))
