"""What an engine runs: a stage over shards, with where its rows go and how to tell that a shard is finished.

>>> Job(name="fingerprint", shards=shards, make=lambda: stage, done=exists, write=write)    # doctest: +SKIP
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from scanner.errors import ScannerError

Shard = TypeVar("Shard")
Rows = TypeVar("Rows")


@dataclass(frozen=True, kw_only=True)
class Job(Generic[Shard, Rows]):
    """A stage over shards. A shard that is done is skipped; the stage is made only if some shard is not."""

    name: str
    """What is being done, as progress shows it."""
    shards: Sequence[Shard]
    """What the stage is called with, one after the other."""
    make: Callable[[], Callable[[Shard], Rows]]
    """Makes the stage: loads the model, opens the index."""
    done: Callable[[Shard], bool]
    """Whether the shard's file is there."""
    write: Callable[[Shard, Rows], object]
    """Writes the shard's rows, whole or not at all."""


@dataclass(frozen=True, kw_only=True)
class Outcome(Generic[Shard]):
    """What became of one shard."""

    shard: Shard
    """The shard."""
    state: str
    """done, skipped (it was there) or failed."""
    reason: str = ""
    """Type of the exception of a failed shard."""
    message: str = ""
    """Its text."""


class Progress(Protocol):
    """Where an engine says how far it is."""

    def begin(self, name: str, total: int) -> None: ...

    def advance(self) -> None: ...

    def tally(self, *, rows: int, size: int, errors: int, part: float) -> None: ...

    def note(self, text: str) -> None: ...

    def end(self) -> None: ...


class Silent:
    """No progress at all: tests and library callers."""

    def begin(self, name: str, total: int) -> None:
        """Nothing."""

    def advance(self) -> None:
        """Nothing."""

    def tally(self, *, rows: int, size: int, errors: int, part: float) -> None:
        """Nothing."""

    def note(self, text: str) -> None:
        """Nothing."""

    def end(self) -> None:
        """Nothing."""


def require(outcomes: Sequence[Outcome[Shard]]) -> None:
    """Raise ScannerError for the first failed shard of a job that later work can't do without."""
    failed = [outcome for outcome in outcomes if outcome.state == "failed"]
    if failed:
        raise ScannerError(
            f"{len(failed)} of {len(outcomes)} parts failed, the first with {failed[0].reason}: {failed[0].message} "
            "(what was finished is kept; run the command again to go on)."
        )
