"""What a run holds, in a few figures: how an opened run shows itself.

>>> print(summarise(Run.open(Path("RUN"))).text())                           # doctest: +SKIP
"""

from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

import polars as pl

from scanner.run import Run
from scanner.tables import CANDIDATES, ERRORS, GROUPS, HITS, PROMPTS, SAMPLES, VERIFIED

"""The verdicts that count as a hit (Webster 2023, https://arxiv.org/abs/2305.08694)."""


@dataclass(frozen=True, kw_only=True)
class RunSummary:
    """A run in figures."""

    path: Path
    """Its directory."""
    dataset: str
    """Where its data set lies, or lay."""
    finished: bool
    """Whether its audit is."""
    read: int
    """Rows of the samples table."""
    lost: int
    """Entries of the ledger: rows that were not read, or were set aside."""
    groups: int
    """Duplicate groups."""
    duplicated: int
    """Rows in them."""
    largest: int
    """Copies in the largest one; 0 without groups."""
    risk: int
    """Prompts of the risk arm."""
    control: int
    """Prompts of the control arm."""
    target: str | None
    """The model that was attacked; None where no attack was begun."""
    attacked: int
    """Prompts for which images were generated."""
    verified: int
    """Those of them that gave back a training image."""

    def lines(self) -> Sequence[tuple[str, str]]:
        """Name and figures, line by line."""
        groups = f"{self.duplicated:,} rows in {self.groups:,} groups, the largest of {self.largest:,}"
        state = "" if self.finished else " (the audit is not finished)"
        return (
            ("run", f"{self.path}{state}"),
            ("data set", self.dataset),
            ("rows", f"{self.read:,} read, {self.lost:,} in the ledger"),
            ("duplicates", groups),
            ("prompts", f"{self.risk:,} in the risk arm, {self.control:,} controls"),
            ("attack", self._attack()),
        )

    def _attack(self) -> str:
        if self.target is None:
            return "none"
        return f"on {self.target}: {self.attacked:,} prompts attacked, {self.verified:,} verified (both arms)"

    def text(self) -> str:
        """A few lines of plain text."""
        return "\n".join(f"{name:<11}{value}" for name, value in self.lines())

    def html(self) -> str:
        """A small table, everything in it escaped."""
        rows = (
            f'<tr><th style="text-align:left">{escape(name)}</th><td style="text-align:left">{escape(value)}</td></tr>'
            for name, value in self.lines()
        )
        return f"<table>{''.join(rows)}</table>"


def summarise(run: Run) -> RunSummary:
    """Count what the tables hold; reads no captions and no pictures."""
    groups = GROUPS.scan(run.path).select(pl.len(), pl.col("copies").sum(), largest=pl.col("copies").max())
    arms = dict(PROMPTS.scan(run.path).group_by("arm").len().collect().iter_rows())
    attack = run.part_config("attack")
    made = CANDIDATES.scan(run.path).filter(pl.col("generated") > 0).select("prompt_id")
    hits = HITS.scan(run.path).filter(pl.col("verdict").is_in(VERIFIED)).join(made, on="prompt_id", how="semi")
    count, duplicated, largest = groups.collect().row(0)
    return RunSummary(
        path=run.path,
        dataset=str(run.config.get("dataset", "unnamed")),
        finished="audit" in run.manifest().get("parts", {}),
        read=_rows(SAMPLES.scan(run.path)),
        lost=_rows(ERRORS.scan(run.path)),
        groups=count,
        duplicated=duplicated or 0,
        largest=largest or 0,
        risk=arms.get("risk", 0),
        control=arms.get("control", 0),
        target=None if attack is None else str(attack.get("target")),
        attacked=_rows(made),
        verified=_rows(hits),
    )


def _rows(frame: pl.LazyFrame) -> int:
    return int(frame.select(pl.len()).collect().item())
