"""The rates of a run as rows of text, the same in every file: counts, share and exact interval, never one alone.

>>> [row.cells for row in rate_rows(gather(run))][1]                             # doctest: +SKIP
('verified, control prompts tried', '0 of 60', '0 %', '0 to 6.0 %')
"""

from dataclasses import dataclass

from scanner.report._findings import Findings
from scanner.report._intervals import Rate
from scanner.report._words import bare, percent

HEADER = ("", "count", "share", "exact 95 % interval")


@dataclass(frozen=True, kw_only=True)
class RateRow:
    """One rate."""

    what: str
    """What was counted, of what."""
    rate: Rate
    """The counts."""

    @property
    def cells(self) -> tuple[str, str, str, str]:
        """What, `0 of 60`, `0 %`, `0 to 6.0 %`; a dash for share and interval where nothing was tried."""
        counted = f"{self.rate.hits:,} of {self.rate.tried:,}"
        if not self.rate.tried:
            return self.what, counted, "–", "–"
        return (
            self.what,
            counted,
            percent(self.rate.share),
            f"{bare(percent(self.rate.low))} to {percent(self.rate.high)}",
        )


def rate_rows(found: Findings) -> tuple[RateRow, ...]:
    """What was measured in this run: the arms of an attack, cliques where nothing was compared, a model without
    prompts, and the recall of the duplicate search. Nothing that was not run."""
    rows: list[RateRow] = []
    if found.attacked and found.compared:
        rows += [RateRow(what=f"verified, {_NAMES[arm.arm]} tried", rate=arm.verified) for arm in found.arms]
        rows += [RateRow(what=f"paper's l2 rule, {_NAMES[arm.arm]} tried", rate=arm.paper_rule) for arm in found.arms]
    elif found.attacked:
        rows += [RateRow(what=f"cliques, {_NAMES[arm.arm]} attacked", rate=arm.cliques) for arm in found.arms]
    if found.unconditional is not None:
        rows += [
            RateRow(what="images within the threshold of a training picture", rate=found.unconditional.within),
            RateRow(what="controls within it", rate=found.unconditional.controls_within),
        ]
    if found.recall is not None and found.recall.whole.tried:
        rows.append(RateRow(what="drawn pictures whose duplicates were all found", rate=found.recall.whole))
    return tuple(rows)


_NAMES = {"risk": "high-risk prompts", "control": "control prompts"}
