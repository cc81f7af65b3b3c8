"""The model of a comparison: what the HTML page and compare.json both show, and all that they show.

A is the run before, B the run after. `scanner.compare._gather` builds it from both runs' tables; nothing downstream
reads a table again, except for the thumbnails of the samples named here.

    >>> compare(a, b).groups.gone                                                # doctest: +SKIP
    170
"""

from dataclasses import dataclass

from scanner.compare._records import (
    ClassCount,
    Difference,
    GroupChange,
    HitChange,
    Identity,
    PromptChange,
    Transition,
)
from scanner.report import Duplicates, Rate, Rows

SCHEMA_VERSION = "1.0"
"""Of compare.json: the second number grows when a field is added, the first when one changes its meaning."""


@dataclass(frozen=True, kw_only=True)
class Side:
    """One of the two runs."""

    name: str
    """Name of its directory."""
    path: str
    """Its directory."""
    dataset: str
    """Name of its data set."""
    target: str | None
    """The model that was attacked; None where no attack was begun."""
    target_checksum: str | None
    """Of its weights; None where it is not recorded."""
    attacked: bool
    """Whether an attack is finished and tried any prompt: before that its hits can't be counted."""
    complete: bool
    """Whether every part that was begun is finished."""
    rows: Rows
    """What was read."""
    duplicates: Duplicates
    """What was found twice."""
    risk_prompts: int
    """Prompts of the risk arm."""
    control_prompts: int
    """Prompts of the control arm."""


@dataclass(frozen=True, kw_only=True)
class GroupCounts:
    """What became of the groups. Groups of A: gone + paired + split + merged + regrouped; of B likewise with new."""

    identity: str
    """What groups were matched by: pixels, url, key or row."""
    ambiguous: int
    """Urls or keys that stand in several groups of one run, and matched nothing; 0 for pixels."""
    before: int
    """Groups of A."""
    after: int
    """Groups of B."""
    gone: int
    """Groups of A of which no row is in a group of B."""
    gone_without_row: int
    """Of these, those of which no row is in B at all."""
    gone_with_one_row: int
    """Those of which exactly one row is in B: what keeping one copy leaves."""
    gone_with_more_rows: int
    """Those of which several rows are in B, where they are no group any more."""
    new: int
    """Groups of B of which no row is in a group of A."""
    new_pictures: int
    """Of these, those of which no row is in A at all."""
    new_from_one_row: int
    """Those of which exactly one row is in A."""
    new_from_more_rows: int
    """Those of which several rows are in A, where they are no group."""
    unchanged: int
    """Groups with the same rows in both runs."""
    changed: int
    """Groups of which one of A and one of B belong together, with other rows."""
    grown: int
    """Of the changed ones, those with more copies in B."""
    shrunk: int
    """Of the changed ones, those with fewer copies in B."""
    split: int
    """Groups of A that are several groups in B."""
    split_into: int
    """Groups of B that these are."""
    merged: int
    """Groups of A that are one group in B together with others."""
    merged_into: int
    """Groups of B that these are."""
    regrouped: int
    """Groups of A whose rows went to several groups that others went to as well."""
    regrouped_into: int
    """Groups of B that these went to."""
    buckets: tuple[tuple[str, int, int], ...]
    """Range of copies, groups of A, groups of B."""


@dataclass(frozen=True, kw_only=True)
class RiskCounts:
    """What became of the prompts of the risk arm."""

    before: int
    """In A."""
    after: int
    """In B."""
    gone: int
    """In A's risk arm and not in B's."""
    gone_as_controls: int
    """Of these, those that B has as controls: captions of pictures that stand once by now."""
    gone_with_caption: int | None
    """Of these, those whose caption stands in B's data set; None where B did not count captions."""
    new: int
    """In B's risk arm and not in A's."""
    changed: int
    """In both, with another risk or other copies."""
    risen: int
    """Of the changed ones, those with a higher risk in B."""
    fallen: int
    """Of the changed ones, those with a lower risk in B."""
    unchanged: int
    """In both, with the same risk and copies (the rank may differ: it depends on the others)."""
    classes: tuple[ClassCount, ...]
    """Prompts by class of risk, highest first."""
    transitions: tuple[Transition, ...]
    """From each class of A to each class of B, or out of the risk arm."""


@dataclass(frozen=True, kw_only=True)
class Paired:
    """The same prompts tried in both runs: those in the risk arm of either."""

    tried: int
    """Prompts tried in both."""
    both: int
    """Verified in both."""
    only_before: int
    """Verified in A, and not in B."""
    only_after: int
    """Verified in B, and not in A."""
    neither: int
    """Verified in neither."""
    held_back: int
    """Of the prompts tried in both, those that triage held back in a run, where no image of them was made."""
    p_value: float | None
    """McNemar's exact test, two-sided; None where no prompt was verified in only one of the runs."""


@dataclass(frozen=True, kw_only=True)
class ArmRates:
    """Verified hits of one arm in both runs."""

    arm: str
    """risk or control."""
    before: Rate
    """Of the prompts tried in A."""
    after: Rate
    """Of the prompts tried in B."""


@dataclass(frozen=True, kw_only=True)
class Hits:
    """Hits before and after."""

    arms: tuple[ArmRates, ...]
    """risk, then control."""
    paired: Paired | None
    """The same prompts in both; None unless both attacks are finished."""
    sentences: tuple[str, ...]
    """What can be concluded from it, and what can't."""


@dataclass(frozen=True, kw_only=True)
class Comparison:
    """Everything that a comparison shows."""

    schema_version: str
    """Of this model as JSON."""
    before: Side
    """Run A."""
    after: Side
    """Run B."""
    headline: str
    """What differs, in one sentence."""
    summary: str
    """The figures behind it, in a few sentences."""
    warnings: tuple[str, ...]
    """What keeps the figures from being read as the effect of a change in the data, most important first."""
    differences: tuple[Difference, ...]
    """Settings and versions that differ."""
    same_files: bool
    """Whether both runs read the same files in the same state."""
    identities: tuple[Identity, ...]
    """Rows gone and new, by everything that a row can be known by."""
    groups: GroupCounts
    """What became of the groups."""
    group_changes: tuple[GroupChange, ...]
    """Listed groups: of each state those of most copies."""
    risk: RiskCounts
    """What became of the prompts."""
    prompt_changes: tuple[PromptChange, ...]
    """Listed prompts: of each state the riskiest."""
    hits: Hits | None
    """Hits before and after; None where neither run has a finished attack."""
    hit_changes: tuple[HitChange, ...]
    """Listed prompts that were verified in only one of the runs, though tried in both; then those verified and not
    tried in the other."""
    limits: tuple[str, ...]
    """What the figures do not say."""
