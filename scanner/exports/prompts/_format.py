"""What a format of prompt lists is."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import polars as pl

from scanner.errors import UnusableInputError


@dataclass(frozen=True, kw_only=True)
class ListFacts:
    """What is said of a prompt list as a whole, where a format has a place for it."""

    dataset: str
    """The scanned data set, as the run names it."""
    target: str | None
    """The attacked model; None before an attack."""
    version: str
    """Of the scanner."""


Encode = Callable[[pl.DataFrame, ListFacts], Iterable[bytes]]


@dataclass(frozen=True, kw_only=True)
class Writing:
    """One way to write a list of prompts down."""

    encode: Encode
    """The file's content, in parts. It is given only prompts that it can carry."""
    carries: pl.Expr = field(default_factory=lambda: pl.lit(value=True))
    """Whether a prompt comes back unchanged from the consumer's reader."""
    reason: str = ""
    """What is wrong with a prompt that does not: "its caption ..."."""


@dataclass(frozen=True, kw_only=True)
class PromptFormat:
    """One consumer's format."""

    name: str
    """As `scanner export --format` takes it."""
    consumer: str
    """Who reads it."""
    writings: Mapping[str, Writing]
    """How it is written, by the file's suffix."""

    def writing_for(self, out: Path) -> Writing:
        """How `out` is written. Raises UnusableInputError for a suffix that the consumer would not read."""
        found = self.writings.get(out.suffix.lower())
        if found is None:
            suffixes = " or ".join(self.writings)
            raise UnusableInputError(f"--format {self.name} writes {suffixes} files; {out.name} is not named like one.")
        return found
