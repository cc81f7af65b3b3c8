"""Which options of `scanner export` a format reads: any other that is given is refused, not ignored.

refuse_unread(ExportOptions(format="csv", by="url"), READ_BY_PROMPTS)
"""

from collections.abc import Set

from pipelines.configs import ExportOptions
from scanner.errors import UnusableInputError

READ_BY_PROMPTS = frozenset({"arm", "risk", "min_risk", "verdict", "ranks", "skip_unwritable"})
"""What every format of prompts reads, besides --format and --overwrite."""
READ_BY_EVIDENCE = frozenset({"arm", "risk", "min_risk", "verdict", "ranks"})
"""What the bundle of hits reads."""
READ_BY_ROWS = frozenset({"arm", "risk", "min_risk", "verdict", "ranks", "keep"})
"""What every format of rows reads; an arm only to be told that it is the risk arm."""
_USES = {
    "skip_unwritable": "is for prompts",
    "keep": "is for the repair of the data set",
    "by": "is for drop-list",
    "drop_failed": "is for shards, datacomp and bool-array",
}


def refuse_unread(options: ExportOptions, read: Set[str]) -> None:
    """Raises UnusableInputError for the first option that was given and that the format does not read."""
    for name, use in _USES.items():
        if name not in read and getattr(options, name) not in (None, False):
            raise UnusableInputError(
                f"--{name.replace('_', '-')} {use}, and --format {options.format} does not read it; leave it out."
            )


def refuse_other_arm(options: ExportOptions) -> None:
    """Raises UnusableInputError for an arm that has no rows to drop."""
    if options.arm not in (None, "risk"):
        raise UnusableInputError(
            f"--format {options.format} is about duplicate groups, which only the risk arm has; leave --arm out."
        )
