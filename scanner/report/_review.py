"""The review by eye as the report names it; it is counted by `scanner.review`.

>>> review_words(Reviewed(kind="group", arm=None, items=2, accepted=2, rejected=0, disputed=0, unsure=0, unreviewed=0))
'duplicate groups'
"""

from dataclasses import replace

from scanner.report._findings import Findings
from scanner.report._words import count
from scanner.review import GROUP, HIT, MEMORISED, UNVERIFIED, Judged, Review, Reviewed

_WORDS = {
    HIT: "verified by rule",
    UNVERIFIED: "compared at full steps, not verified",
    MEMORISED: "pictures given back without a prompt",
    GROUP: "duplicate groups",
}
_ARMS = {"risk": ", high-risk", "control": ", control"}


def with_reviews(found: Findings, judged: Judged) -> Findings:
    """The findings with the counts, and with what people said beside each hit, memorised picture and group."""
    outcome = found.unconditional
    if outcome is not None:
        most = tuple(replace(one, review=judged.images.get(one.image_index)) for one in outcome.most)
        outcome = replace(outcome, most=most)
    return replace(
        found,
        review=judged.review,
        unconditional=outcome,
        hits=tuple(replace(hit, review=judged.prompts.get(hit.prompt_id)) for hit in found.hits),
        groups=tuple(replace(group, review=judged.groups.get(group.group_id)) for group in found.groups),
    )


def review_words(one: Reviewed) -> str:
    """What a line of the review counts."""
    return _WORDS[one.kind] + _ARMS.get(one.arm or "", "")


def by_eye(found: Review) -> str:
    """The high-risk hits by rule and by eye in one sentence, as the paper gives both; empty where there is none."""
    risk = {one.kind: one for one in found.counts if one.arm == "risk"}
    verified, missed = risk.get(HIT), risk.get(UNVERIFIED)
    if verified is None and missed is None:
        return ""
    by_rule = verified.items if verified else 0
    accepted, more = (one.accepted if one else 0 for one in (verified, missed))
    left = (verified.unreviewed if verified else 0) + (missed.unreviewed if missed else 0)
    beyond = f", {more:,} of them not verified by rule" if more else ""
    rejected = f", {verified.rejected:,} rejected" if verified and verified.rejected else ""
    looked = f"{count(left, 'is', 'are')} not reviewed" if left else "all are reviewed"
    return f"High-risk prompts: {by_rule:,} by rule, {accepted + more:,} by eye so far{beyond}{rejected}; {looked}."
