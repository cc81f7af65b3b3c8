"""A comparison in plain words: what differs, and what the figures do not say.

Nothing is ever called fixed: a finding is scoped to what was run.

    >>> headline(compare(a, b))                                                  # doctest: +SKIP
    'Duplicated rows: 3,604 before, 0 after; 170 of 170 groups are gone.'
"""

from collections.abc import Sequence

from scanner.compare._model import Comparison
from scanner.compare._records import Difference
from scanner.report import count, percent


def headline(found: Comparison) -> str:
    """What differs, in one sentence."""
    if found.hits is not None and found.hits.paired is not None:
        risk = found.hits.arms[0]
        return (
            f"Verified for {risk.before.hits:,} of {count(risk.before.tried, 'high-risk prompt')} before, "
            f"and for {risk.after.hits:,} of {risk.after.tried:,} after."
        )
    groups = found.groups
    if not groups.before and not groups.after:
        return "Neither run has a duplicate group."
    duplicated = f"Duplicated rows: {found.before.duplicates.rows:,} before, {found.after.duplicates.rows:,} after"
    if not groups.before:
        return f"{duplicated}; all {count(groups.after, 'group')} of the run after {are(groups.after)} new."
    fewer = f", {groups.shrunk:,} {'has' if groups.shrunk == 1 else 'have'} fewer copies" if groups.shrunk else ""
    new = f", and {groups.new:,} {are(groups.new)} new" if groups.new else ""
    return f"{duplicated}; {groups.gone:,} of {count(groups.before, 'group')} {are(groups.gone)} gone{fewer}{new}."


def are(number: int) -> str:
    """`is` or `are`."""
    return "is" if number == 1 else "are"


def summary(found: Comparison) -> str:
    """The figures behind it."""
    old, new = found.before, found.after
    sentences = [
        f"{old.rows.read:,} rows were read before and {new.rows.read:,} after, of which "
        f"{old.duplicates.redundant:,} and {new.duplicates.redundant:,} are redundant "
        f"({percent(_share(old.duplicates.redundant, old.rows.read))} and "
        f"{percent(_share(new.duplicates.redundant, new.rows.read))})."
    ]
    high = found.risk.classes[0]
    sentences.append(
        f"Prompts in the risk arm: {found.risk.before:,} before, {found.risk.after:,} after; "
        f"of the highest class {high.before:,} and {high.after:,}."
    )
    if found.hits is None:
        begun = found.before.target is not None or found.after.target is not None
        what = "No attack is finished in either run" if begun else "No model was attacked in either run"
        sentences.append(f"{what}: the comparison covers the data sets only.")
    elif found.hits.paired is None:
        sentences.append(f"Only {attacked_one(found)} has a finished attack: nothing about a model can be compared.")
    if found.same_files:
        sentences.append("Both runs read the same files in the same state: no difference comes from the data.")
    return " ".join(sentences)


def attacked_one(found: Comparison) -> str:
    """The run that has a finished attack, where one has none."""
    return "the run before" if found.before.attacked else "the run after"


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def named(differences: Sequence[Difference], most: int = 4) -> str:
    """`steps (12, then 50), seed (0, then 1)`: the first few, and how many more."""
    shown = [f"{one.name} ({_short(one.before)}, then {_short(one.after)})" for one in differences[:most]]
    more = len(differences) - len(shown)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def _short(value: str) -> str:
    return value if len(value) <= 24 else f"{value[:12]}…"


def limits(found: Comparison) -> tuple[str, ...]:
    """What the figures do not say."""
    lines = [
        "A group that is gone is one that this search does not find any more in these rows. Copies that it misses in "
        "both runs are in neither count.",
        "Risk is computed from copies and captions. A lower risk is a statement about a data set, and no measurement "
        "of a model that was trained on it.",
    ]
    own = [side.duplicates.cosine for side in (found.before, found.after)]
    asked = {one.name for one in found.differences if one.part == "search"}
    if None not in own and own[0] != own[1] and not asked & {"threshold", "calibration"}:
        lines.append(
            f"The cosine that proposes pairs was read off each set itself: {own[0]:.3f} before and {own[1]:.3f} after."
        )
    if found.hits is not None:
        lines.append(
            "A prompt that is not verified after is one that this attack did not bring back: more images, another seed "
            "or another prompt may. No figure here says that a model has forgotten an image."
        )
    return tuple(lines)
