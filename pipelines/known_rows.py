"""Refusals of exports that need every row of the data set, for a run that does not know every row.

What such an export does not know it would leave out, and nobody would see that: a shard that is not rewritten, a uid
that is not kept.
"""

from scanner.errors import UnusableInputError
from scanner.exports.rows import lost_shards
from scanner.run import Run


def refuse_unknown_rows(run: Run) -> None:
    """Raises UnusableInputError for a run that read the first rows of its data set only, or lost a shard of it."""
    if run.config.get("limit") is not None:
        raise UnusableInputError(
            "A run with --limit does not know all rows of its data set; write --format drop-list instead."
        )
    lost = lost_shards(run)
    if lost:
        more = f" (and {len(lost) - 1:,} more)" if len(lost) > 1 else ""
        raise UnusableInputError(
            f"Shard {lost[0]}{more} could not be read, so that its rows are not known: give the audit again, of a "
            "whole shard if this one is damaged, or write --format drop-list instead."
        )
