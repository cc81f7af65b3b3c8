"""The options of an export."""

import re
from dataclasses import dataclass

from pipelines.configs._audit import refuse_unknown_policy
from scanner.errors import UnusableInputError


@dataclass(frozen=True, kw_only=True)
class ExportOptions:
    """What is exported, and which part of it."""

    format: str
    """Prompts: csv, jsonl, parquet, text, wen, promptfoo, pyrit, inspect, garak. Repair of the data set: drop-list
    (.parquet or .txt), datacomp (subset of uids to keep, .npy), bool-array (True where a row goes, .npy), shards (a
    folder of webdataset shards without the dropped rows), recaption (.parquet or .jsonl). Hits: evidence (a folder:
    original, generations, seeds, distances, checksums, and a script that makes the images again and checks them)."""
    arm: str | None = None
    """Prompts of this arm: risk, control or all; by default risk."""
    risk: tuple[str, ...] = ()
    """Class of risk (may be given several times): high, medium, low."""
    min_risk: float | None = None
    """Smallest risk, 0 to 1; by default any."""
    verdict: tuple[str, ...] = ()
    """Verdict of an attacked prompt (may be given several times): matching, template, retrieved, none."""
    ranks: str | None = None
    """Ranks inside an arm, such as 1-100 or 101-."""
    skip_unwritable: bool = False
    """Leave out prompts that the format can't carry (a line break in a list of lines), and say how many, instead of
    refusing."""
    overwrite: bool = False
    """Replace what is at --out."""
    keep: str | None = None
    """Repair: which row of a group stays, largest, caption or first; by default as the run has it."""
    by: str | None = None
    """Drop list: what names a row, key (with its shard; the default), url, uid, sha256 (the data set's own where it is
    carried, else of the file as stored) or sample_id. A url or hash that also stands on a row that stays is left out
    and counted."""
    drop_failed: bool = False
    """Repair: drop rows that could not be read as well; by default they stay in shards, subset and array."""

    def __post_init__(self) -> None:
        if self.arm not in (None, "risk", "control", "all"):
            raise UnusableInputError(f"There is no arm '{self.arm}'; use risk, control or all.")
        refuse_unknown_policy(self.keep)
        self.rank_range()

    def rank_range(self) -> tuple[int, int | None]:
        """The first and the last rank; None: to the end."""
        found = re.fullmatch(r"\s*(\d+)\s*(?:-\s*(\d*)\s*)?", self.ranks or "1-")
        if not found:
            raise UnusableInputError(f"--ranks {self.ranks} is no range; give it as 1-100, 101- or 7.")
        first, last = found.groups()
        if last is None:
            return int(first), int(first)
        return int(first), int(last) if last else None
