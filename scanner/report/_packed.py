"""All prompts and all groups as the page's tables hold them: columns as JSON, gzipped, as text in a data block.

The page lists the first rows in full. The others are what a reader searches and sorts, with their texts cut; the
script unpacks them when a table is first used. Beyond MOST rows even that is too much for one file, and the parquet
tables are where they are. Captions are most of the bytes, and those of groups are those of prompts: they are held once,
and a table holds their places.

    >>> tables = collect_tables(run, gather(run))                                # doctest: +SKIP
    >>> tables.prompts.rows, len(tables.captions.content)                        # doctest: +SKIP
    (100000, 3500000)
"""

import base64
import gzip
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import polars as pl

from scanner.report._attack import prompt_frame
from scanner.report._findings import Findings
from scanner.report._show import visible
from scanner.run import Run
from scanner.tables import GROUPS

CAPTION, REASON = 120, 100
"""Characters of a caption and of a reason that are kept."""
MOST = 100_000
"""Rows of a table that are packed."""


@dataclass(frozen=True, kw_only=True)
class Packed:
    """A table in the page."""

    rows: int
    """Rows in it, at most MOST."""
    content: str
    """base64 of the gzipped JSON: by column, its values."""


@dataclass(frozen=True, kw_only=True)
class Tables:
    """The tables that are longer than the page lists; None where it lists all rows."""

    prompts: Packed | None
    """The risk arm by rank, then the controls."""
    groups: Packed | None
    """Most copies first."""
    captions: Packed | None
    """Each caption of these tables once; None without tables."""


def collect_tables(run: Run, found: Findings) -> Tables:
    """The tables of the rows that the findings do not list."""
    prompts = groups = None
    if len(found.prompts) < sum(arm.prompts for arm in found.arms):
        prompts = _prompts(prompt_frame(run))
    if len(found.groups) < found.duplicates.groups:
        groups = _groups(run, Counter(hit.group_id for hit in found.hits))
    captions = pl.concat([frame["caption"] for frame in (prompts, groups) if frame is not None] or [pl.Series()])
    distinct = captions.unique(maintain_order=True)
    places = dict(zip(distinct, range(len(distinct)), strict=True))
    return Tables(
        prompts=None if prompts is None else _pack(prompts, places),
        groups=None if groups is None else _pack(groups, places),
        captions=_packed(len(distinct), distinct.to_list()) if len(distinct) else None,
    )


def _prompts(frame: pl.DataFrame) -> pl.DataFrame:
    """The prompts of `prompt_frame`, in its order; where they are too many, the controls keep their place."""
    risk, control = (frame.filter(pl.col("arm") == arm) for arm in ("risk", "control"))
    kept = pl.concat([risk.head(MOST - min(control.height, MOST // 10)), control]).head(MOST)
    return kept.select(
        *("prompt_id", "arm", "rank", "copies", "group_id", "risk_class", "generated", "decision", "verdict"),
        pl.col("passed").alias("triage_passed"),
        pl.col("risk", "score").fill_nan(None).round(4),
        pl.Series("caption", _cut(kept["caption"], CAPTION)),
        pl.Series("reason", _cut(kept["reason"], REASON)),
    )


def _groups(run: Run, hits: Mapping[int | None, int]) -> pl.DataFrame:
    """The groups with most copies; `hits` gives, by group, the prompts that give its picture back."""
    frame = GROUPS.scan(run.path).sort(["copies", "group_id"], descending=[True, False]).head(MOST).collect()
    return frame.select(
        *("group_id", "copies", "distinct_images", "distinct_captions"),
        pl.col("top_caption_share", "min_similarity").cast(pl.Float64).fill_nan(None).round(3),
        pl.Series("hits", [hits.get(group, 0) for group in frame["group_id"]], pl.Int64),
        pl.Series("caption", _cut(frame["top_caption"], CAPTION)),
    )


def _cut(texts: pl.Series, length: int) -> list[str]:
    """What the page may show of strangers' texts: nothing invisible, and an ellipsis where the rest was left out."""
    return [visible((text or "")[:length]) + ("…" if text and len(text) > length else "") for text in texts]


def _pack(frame: pl.DataFrame, places: Mapping[str, int]) -> Packed:
    """By column its values, with the captions as their places."""
    columns = {name: frame[name].to_list() for name in frame.columns}
    return _packed(frame.height, columns | {"caption": [places[caption] for caption in columns["caption"]]})


def _packed(rows: int, content: Any) -> Packed:
    written = json.dumps(content, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode("utf-8")
    packed = gzip.compress(written, compresslevel=9, mtime=0)
    return Packed(rows=rows, content=base64.b64encode(packed).decode("ascii"))
