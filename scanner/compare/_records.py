"""The rows that a comparison lists: settings, identities, groups, prompts and hits that differ.

They hold no pixels: a picture is named by its run (before, after) and its `sample_id`.

    >>> ClassCount(name="high", before=12, after=0).before
    12
"""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True)
class Difference:
    """A setting or a version that differs."""

    part: str
    """search (what counts as a copy), rows (what was read), prompts, attack, or versions."""
    name: str
    """As run.json or attack.json name it, nested ones with dots."""
    before: str
    """In A."""
    after: str
    """In B."""
    meaning: str
    """What it is; empty where the name says it."""


@dataclass(frozen=True, kw_only=True)
class Identity:
    """Rows gone and new, when rows are known by one thing: their pixels, their url, their key."""

    name: str
    """pixels, url, key (unique in both sets) or row (shard and key)."""
    known_before: int
    """Rows of A that have it."""
    known_after: int
    """Rows of B that have it."""
    distinct_before: int
    """Different ones in A."""
    distinct_after: int
    """Different ones in B."""
    both: int
    """Different ones that are in both."""
    gone: int
    """Different ones that are in A only."""
    new: int
    """Different ones that are in B only."""
    rows_gone: int
    """Rows of A whose value is not in B."""
    rows_new: int
    """Rows of B whose value is not in A."""
    copies_gone: int
    """Rows that A has more of values that are in both."""
    copies_new: int
    """Rows that B has more of values that are in both."""


@dataclass(frozen=True, kw_only=True)
class GroupRef:
    """A duplicate group of one of the runs."""

    group_id: int
    """Its id in that run."""
    copies: int
    """Rows."""
    top_caption: str | None
    """The caption of most copies."""
    top_caption_share: float | None
    """Share of the copies that carry it, 0 to 1."""
    medoid: int | None
    """sample_id of the member most like the others, in that run."""


@dataclass(frozen=True, kw_only=True)
class GroupChange:
    """A group, or groups that belong together, in both runs."""

    state: str
    """gone, new, changed, split, merged or regrouped."""
    before: tuple[GroupRef, ...]
    """Groups of A, most copies first; of many the first few."""
    after: tuple[GroupRef, ...]
    """Groups of B, most copies first; of many the first few."""
    groups_before: int
    """How many groups of A there are of it."""
    groups_after: int
    """How many groups of B there are of it."""
    copies_before: int
    """Rows in the groups of A."""
    copies_after: int
    """Rows in the groups of B."""
    rows_left: int
    """Rows of B that A's groups are known by, in a group or not; of a new group the rows of A."""


@dataclass(frozen=True, kw_only=True)
class ClassCount:
    """Prompts of one class of risk."""

    name: str
    """high, medium or low."""
    before: int
    """In A."""
    after: int
    """In B."""


@dataclass(frozen=True, kw_only=True)
class Transition:
    """Prompts by their class in A and in B."""

    before: str
    """high, medium, low, or none: not in A's risk arm."""
    after: str
    """high, medium, low, or none: not in B's risk arm."""
    prompts: int
    """How many."""


@dataclass(frozen=True, kw_only=True)
class PromptChange:
    """A prompt of the risk arm that differs."""

    state: str
    """gone, new or changed."""
    prompt_id: str
    """Hash of the normalised caption."""
    caption: str
    """The caption, as written in A, or in B where A has it not."""
    rank_before: int | None
    """In A's risk arm; None where it is not in it."""
    rank_after: int | None
    """In B's."""
    risk_before: float | None
    """0 to 1."""
    risk_after: float | None
    """0 to 1."""
    class_before: str | None
    """high, medium or low."""
    class_after: str | None
    """high, medium or low."""
    copies_before: int | None
    """Rows in its group in A."""
    copies_after: int | None
    """Rows in its group in B."""
    reason_before: str | None
    """The risk in words."""
    reason_after: str | None
    """The risk in words."""
    rows_elsewhere: int | None
    """Rows under this caption in the run whose risk arm lacks it; None where that run does not say."""
    control_elsewhere: bool
    """Whether that run has it as a control."""
    sample_before: int | None
    """The sample of A that shows its picture."""
    sample_after: int | None
    """The sample of B."""


@dataclass(frozen=True, kw_only=True)
class HitChange:
    """A prompt that was verified in one run and not in the other."""

    state: str
    """only_before, only_after (tried in both), before_untried or after_untried (tried in that one alone)."""
    prompt_id: str
    """Hash of the normalised caption."""
    caption: str
    """The prompt."""
    verdict_before: str | None
    """matching, template, retrieved, none; held back: triage let it not through; None: not tried."""
    verdict_after: str | None
    """Likewise in B."""
    images_before: int
    """Search images made of it in A."""
    images_after: int
    """Search images made of it in B."""
    copies_before: int | None
    """Rows in its group in A; None where A has no such prompt."""
    copies_after: int | None
    """Rows in its group in B."""
    sample_before: int | None
    """The training image of A that came back, or that shows the prompt's picture."""
    sample_after: int | None
    """Likewise of B."""
