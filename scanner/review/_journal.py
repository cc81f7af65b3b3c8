"""Where decisions are written down: each process into files of its own, so that none can overwrite another's.

Two reviewers, or one in two windows or on two machines that share the run, may write at the same time; a file is
replaced as a whole, and holds at most `ROWS` decisions, so that a decision costs the same after thousands of them.

    >>> journal = Journal(Path("RUN"), "ada")                                    # doctest: +SKIP
    >>> journal.add({"item": "...", "kind": "group", "decision": "accepted"})    # doctest: +SKIP
"""

import secrets
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock
from typing import Any

import polars as pl

from scanner.errors import ScannerError
from scanner.review._decisions import DECISIONS, LONGEST_NOTE, WITHDRAWN, read_decisions, standing
from scanner.tables import REVIEWS

ROWS = 250
"""Decisions in one file."""

Row = dict[str, Any]


class Journal:
    """The decisions of a run while it is reviewed; several threads may use it."""

    def __init__(self, run: Path, reviewer: str) -> None:
        """Raises ScannerError when the run directory can't be written to."""
        self.run, self.reviewer = run, reviewer
        self.session = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(4)}"
        self._lock = RLock()
        self._written, self._rows = 0, list[Row]()
        self._last = datetime.fromtimestamp(0, UTC)
        self._seen: dict[Path, tuple[int, int, int]] = {}
        self._standing: dict[str, dict[str, Row]] = {}
        try:
            (run / REVIEWS.path).mkdir(exist_ok=True)
        except OSError as error:
            raise ScannerError(
                f"{run} can't be written to ({error.strerror}), so no decision could be kept."
            ) from error
        self.refresh()

    def add(self, decided: Mapping[str, Any]) -> Row:
        """Write one decision of this reviewer down; it is in the file when this returns.

        `decided` has item, kind, decision (one of DECISIONS, or withdrawn), and where they apply note, prompt_id,
        sample_id and group_id. Raises ValueError when it says anything else, and OSError when it can't be written; then
        nothing has changed.
        """
        note = decided.get("note") or None
        if decided["decision"] not in (*DECISIONS, WITHDRAWN) or (note and len(note) > LONGEST_NOTE):
            raise ValueError("No such decision, or too long a note.")
        with self._lock:
            before = self._standing.get(decided["item"], {}).get(self.reviewer)
            last = max(self._last, before["decided_at"]) if before else self._last
            now = max(datetime.now(UTC), last + timedelta(microseconds=1))  # later, also where the clock was put back
            row = dict.fromkeys(REVIEWS.columns) | dict(decided)
            row |= {"note": note, "reviewer": self.reviewer, "decided_at": now}
            row |= {"session": self.session, "number": self.count}
            self._write([*self._rows, row])
            self._last = now
            self._take(row)
            return row

    @property
    def count(self) -> int:
        """Decisions that this process has written down; waits for one that is being written."""
        with self._lock:
            return self._written + len(self._rows)

    def refresh(self) -> None:
        """See what other processes have written since. Raises UnusableInputError when a file can't be read."""
        with self._lock:
            found = {part: _state(part) for part in REVIEWS.parts(self.run) if not self._is_mine(part)}
            if found == self._seen:
                return
            self._standing = {}
            for row in standing(read_decisions(self.run)).iter_rows(named=True):
                self._take(row)
            self._seen = found

    def of(self, item: str) -> Mapping[str, Row]:
        """By reviewer, the decision about an item that holds."""
        with self._lock:
            return dict(self._standing.get(item, {}))

    def mine(self) -> Mapping[str, Row]:
        """By item, this reviewer's decision that holds."""
        with self._lock:
            return {item: by[self.reviewer] for item, by in self._standing.items() if self.reviewer in by}

    def standing(self) -> pl.DataFrame:
        """All decisions that hold, as a frame of the table."""
        with self._lock:
            return REVIEWS.frame(row for by in self._standing.values() for row in by.values())

    def _write(self, rows: list[Row]) -> None:
        REVIEWS.write(self.run, REVIEWS.frame(rows), part=f"{self.session}-{self._written // ROWS:04d}")
        self._rows = rows
        if len(rows) == ROWS:
            self._written, self._rows = self._written + ROWS, []

    def _take(self, row: Row) -> None:
        by = self._standing.setdefault(row["item"], {})
        before = by.get(row["reviewer"])
        if before is not None and before["decided_at"] > row["decided_at"]:
            return
        if row["decision"] == WITHDRAWN:
            by.pop(row["reviewer"], None)
        else:
            by[row["reviewer"]] = row

    def _is_mine(self, part: Path) -> bool:
        return part.name.startswith(self.session)


def _state(part: Path) -> tuple[int, int, int]:
    status = part.stat()
    return status.st_ino, status.st_mtime_ns, status.st_size
