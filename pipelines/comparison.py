"""The run that a run was compared with (`audit --against`), as RUN/against.json names it.

other_of(run)
"""

from pathlib import Path

from scanner.run import Run

PART = "against"
"""Name of the part: RUN/against.json, and in the manifest."""


def other_of(run: Run) -> Run | None:
    """None where there is none, or where it is gone by now."""
    known = run.part_config(PART)
    if known is None or not (Path(known["run"]) / "run.json").exists():
        return None
    return Run.open(Path(known["run"]))
