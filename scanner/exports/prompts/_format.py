"""What a format of prompt lists is."""

from collections.abc import Callable
from dataclasses import dataclass

import polars as pl


@dataclass(frozen=True, kw_only=True)
class ListFacts:
    """What is said of a prompt list as a whole, where a format has a place for it."""

    dataset: str
    """The scanned data set, as the run names it."""
    target: str | None
    """The attacked model; None before an attack."""
    version: str
    """Of the scanner."""


@dataclass(frozen=True, kw_only=True)
class PromptFormat:
    """One consumer's format."""

    name: str
    """As `scanner export --format` takes it."""
    consumer: str
    """Who reads it."""
    encode: Callable[[pl.DataFrame, ListFacts], bytes]
    """The file's content. Raises UnusableInputError for a prompt that the format can't carry."""
