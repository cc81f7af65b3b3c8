"""A prompt is identified by a hash of its normalised caption, never by the text as a file name.

>>> prompt_id("A red fox!") == prompt_id("a  RED fox")
True
>>> prompt_id("...") is None
True
"""

import hashlib

import polars as pl

from scanner.duplicates.captions._normal import normalise_caption


def prompt_id(caption: str) -> str | None:
    """First 16 hex digits of the sha-256 of the normalised caption (UTF-8); None where nothing is left of it."""
    normal = normalise_caption(caption)
    return _hashed(normal) if normal else None


def prompt_ids(normal: pl.Series) -> pl.Series:
    """The same for a String column of captions that are normalised already and not empty."""
    return pl.Series("prompt_id", [_hashed(caption) for caption in normal], dtype=pl.String)


def _hashed(normal: str) -> str:
    return hashlib.sha256(normal.encode("utf-8", "surrogatepass")).hexdigest()[:16]
