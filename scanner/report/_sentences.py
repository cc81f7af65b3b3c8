"""The findings about the data set as sentences, once for the dataset card and for Croissant's RAI properties.

Every count stands with what it is a count of; a rate with its exact interval.

    >>> duplicate_sentences(gather(run))[0]                                      # doctest: +SKIP
    '282 of 322 rows read are in 8 duplicate groups, the largest of 130 copies; 274 would go if one of each stayed.'
"""

from scanner.report._findings import Findings
from scanner.report._review import by_eye
from scanner.report._words import count, scoped


def scan_sentences(found: Findings) -> list[str]:
    """What was read, and how."""
    rows = found.rows
    aside = f" + {rows.set_aside:,} set aside by the settings" if rows.set_aside else ""
    lines = [
        f"{count(rows.rows_in, 'row')} scanned: {rows.read:,} read{aside} + {rows.failed:,} that could not be read.",
    ]
    if found.duplicates.pictures:
        lines.append(
            "Duplicates are equal pixels, and near-duplicates that embeddings or perceptual hashes proposed and a look "
            "at the pictures confirmed."
        )
    else:
        lines.append("Duplicates are rows whose embeddings are nearly equal; no picture was looked at.")
    if not found.complete:
        lines.append("The scan is not finished: the figures cover what is there so far.")
    return lines


def duplicate_sentences(found: Findings) -> list[str]:
    """Duplicates, what the search missed, and captions."""
    duplicates, read = found.duplicates, count(found.rows.read, "row")
    if not duplicates.groups:
        lines = [f"No duplicate group was found among {read} read, at these settings."]
    else:
        lines = [
            f"{duplicates.rows:,} of {read} read are in {count(duplicates.groups, 'duplicate group')}, the largest of "
            f"{count(duplicates.largest, 'copy', 'copies')}; {duplicates.redundant:,} would go if one of each stayed.",
            f"In {duplicates.same_caption:,} of {count(duplicates.groups, 'group')} all copies carry one caption.",
        ]
    recall = found.recall
    if recall is not None and recall.pairs:
        lines.append(
            f"Of {count(recall.pairs, 'true pair')} that brute force found for {recall.rows:,} drawn at random, the "
            f"search found {recall.found:,}; all of theirs for {scoped(recall.whole, 'drawn with a duplicate')}."
        )
    if found.templates.looked:
        lines.append(
            f"{count(found.templates.families, 'template family', 'template families')} share a part of their pictures."
        )
    return lines


def risk_sentences(found: Findings) -> list[str]:
    """The ranked captions by class."""
    if found.ranking is None:
        return [f"{count(found.arms[0].prompts, 'caption')} of duplicated pictures are ranked as prompts."]
    classes = ", ".join(f"{one.prompts:,} {one.name}" for one in found.ranking.classes)
    return [
        f"{count(found.arms[0].prompts, 'caption')} of duplicated pictures are ranked as prompts: {classes}. A class "
        "says that a caption is worth trying, and nothing about any model."
    ]


def extraction_sentences(found: Findings) -> list[str]:
    """What a model gave back, scoped to what was run."""
    outcome = found.unconditional
    if outcome is not None:
        return [
            f"{count(outcome.memorised, 'training picture')} came back in {count(outcome.usable, 'image')} of a model "
            "that takes no prompt.",
            f"Within the threshold of a training picture: {scoped(outcome.within, 'images')}; of training pictures "
            f"that stand once, compared with all others: {scoped(outcome.controls_within, 'controls')}.",
        ]
    if not found.attacked and found.target is not None:
        return [f"An attack was begun, and no image was generated; triage scored {count(_scored(found), 'prompt')}."]
    if not found.attacked:
        return ["No model was attacked: what a model trained on these rows gives back is not known."]
    if not found.compared:
        return ["A model was attacked without the training images, so nothing is verified."]
    risk, control = found.arms
    lines = [
        f"Verified under this protocol: {scoped(risk.verified, 'high-risk prompts')}, and "
        f"{scoped(control.verified, 'control prompts')}.",
        "The prompts are the riskiest of the set: the rate does not carry over to other captions.",
    ]
    if risk.verified.hits + control.verified.hits:
        behind = found.behind_hits
        lines.append(
            f"Behind them stand {count(behind.groups, 'duplicate group')} of {count(behind.rows, 'row')}, and "
            f"{count(behind.singles, 'original')} outside any group."
        )
    return lines


def review_sentences(found: Findings) -> list[str]:
    """The hits by rule and by eye, where somebody looked; none where nobody did, or where there is nothing to say."""
    said = "" if found.review is None else by_eye(found.review)
    return [f"{said} Rates are those by rule."] if said else []


def _scored(found: Findings) -> int:
    return sum(arm.scored for arm in found.arms)


def sensitive_sentences(found: Findings) -> list[str]:
    """What columns and image files say of rights and people."""
    signals = found.signals
    lines = []
    if signals.by_kind:
        kinds = "; ".join(
            f"{one.name}: {count(one.rows, 'row')} in {count(one.groups, 'group')}" for one in signals.by_kind
        )
        lines.append(f"What columns and files say about rows in duplicate groups: {kinds}.")
    elif signals.recorded:
        lines.append("Neither columns nor image files say anything about rights or people in the duplicate groups.")
    else:
        lines.append("Columns and image files were not read for what they say about rights and people.")
    if signals.refused:
        lines.append(
            f"{count(signals.refused, 'row')} were refused by their servers' X-Robots-Tag and are not in the run."
        )
    lines.append(
        "Whether a picture shows a person, is private or protected was not judged; that is for people to look at."
    )
    return lines
