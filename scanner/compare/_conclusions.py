"""What can be concluded from the hits of two attacks, and what can't.

Rates stand with their counts and exact intervals, "0 of 60 (exact 95 % interval 0 to 6.0 %)"; whatever differs besides
the data is named, and nothing is called fixed or forgotten.

    >>> hit_sentences(found, (0.12, 0.12))[0]                                    # doctest: +SKIP
"""

from collections.abc import Sequence

from scanner.compare._model import Comparison, Paired
from scanner.compare._words import attacked_one, named
from scanner.report import rate, scoped

SMALL_P = 0.05
"""Above it a split as uneven as the one seen is called no rarity."""
_OF_TARGET = ("target", "target_checksum", "transform.fit", "transform.size", "fit", "prompt_list", "device")
"""Attack settings that are named on their own, or decide nothing."""


def hit_sentences(found: Comparison, agreement: Sequence[float | None]) -> tuple[str, ...]:
    """What can be concluded from the hits, and what can't; `agreement` are the thresholds of both verdicts."""
    assert found.hits is not None, "the caller has hits"
    paired = found.hits.paired
    if paired is None:
        risk = found.hits.arms[0]
        here = risk.before if found.before.attacked else risk.after
        return (
            f"Only {attacked_one(found)} has a finished attack: verified for {scoped(here, 'high-risk prompts')}. "
            "Attack the other one's model with the same settings to compare.",
        )
    return (*_rate_sentences(found), *_paired_sentences(paired), *_confounders(found, agreement))


def _rate_sentences(found: Comparison) -> list[str]:
    assert found.hits is not None, "the caller has hits"
    risk, control = found.hits.arms
    paired = found.hits.paired
    same = paired is not None and paired.tried == risk.before.tried == risk.after.tried
    lines = [
        f"High-risk arm: {scoped(risk.before, 'prompts tried')} before, {scoped(risk.after, 'prompts tried')} after. "
        + (
            "Both runs tried the same prompts."
            if same
            else "Each run tries its own riskiest prompts, so that these two rates are not of the same prompts."
        )
    ]
    if control.before.tried and control.after.tried:
        lines.append(
            f"Control arm: {scoped(control.before, 'prompts')} before, {scoped(control.after, 'prompts')} after: what "
            "the verdict lets through without any copy."
        )
    return lines


def _paired_sentences(paired: Paired) -> list[str]:
    if not paired.tried:
        return [
            "No high-risk prompt was tried in both runs, so that no prompt can be compared with itself: the two rates "
            "say nothing about what a change did to a prompt."
        ]
    old, new = (rate(paired.both + only, paired.tried) for only in (paired.only_before, paired.only_after))
    line = (
        f"The same prompts, tried in both runs: {scoped(old, 'verified before')}, {scoped(new, 'verified after')}. "
        f"{paired.both:,} {_were(paired.both)} verified in both, {paired.only_before:,} only before, "
        f"{paired.only_after:,} only after, {paired.neither:,} in neither."
    )
    return [line, _conclusion(paired), *_held_back(paired)]


def _were(number: int) -> str:
    return "was" if number == 1 else "were"


def _conclusion(paired: Paired) -> str:
    if paired.p_value is None:
        return (
            "No prompt was verified in one run alone: this shows no difference, and with so few prompts excludes none."
        )
    p = f"McNemar's exact test, two-sided: p {_p(paired.p_value)}"
    if paired.p_value > SMALL_P:
        return f"{p}. A split as uneven as this one is no rarity when nothing has changed: no difference is shown."
    fewer = "fewer" if paired.only_before > paired.only_after else "more"
    return (
        f"{p}. A split as uneven as this one is rare when nothing has changed: under these two protocols {fewer} of "
        "these prompts are verified after than before. What made the difference, the test does not say."
    )


def _p(value: float) -> str:
    return "< 0.0001" if value < 0.0001 else f"= {value:.2g}"


def _held_back(paired: Paired) -> list[str]:
    if not paired.held_back:
        return []
    return [
        f"Triage held back {paired.held_back:,} of them in at least one run, where no image was made: they count as "
        "tried without a hit, and each run's triage has its own threshold."
    ]


def _confounders(found: Comparison, agreement: Sequence[float | None]) -> list[str]:
    """What else than the data may have made the difference."""
    differing = {one.name: one for one in found.differences if one.part == "attack"}
    lines = [_models(found)]
    others = [one for name, one in sorted(differing.items()) if name not in _OF_TARGET]
    if others:
        lines.append(
            f"The attacks had other settings: {named(others, 12)}. These alone can make or lose hits; repeat one "
            "attack with the settings of the other to tell."
        )
    else:
        lines.append("The attacks had the same settings. Another seed would still draw other images and other hits.")
    if None not in agreement and agreement[0] != agreement[1]:
        lines.append(
            f"The verdict's threshold was set on each run's own controls: normalised l2 {agreement[0]:.3g} before and "
            f"{agreement[1]:.3g} after."
        )
    return lines


def _models(found: Comparison) -> str:
    old, new = found.before, found.after
    checked = None not in (old.target_checksum, new.target_checksum)
    same = old.target_checksum == new.target_checksum if checked else old.target == new.target
    if not same:
        return (
            f"The attacks were on different models ({old.target}, then {new.target}): all that differs between these, "
            "their training data, steps or size, may have made the difference."
        )
    how = "of the same checksum" if checked else "by its name (a checksum is not recorded)"
    return (
        f"Both attacks were on one model, {how}: a difference between them comes from the prompts, the settings and "
        "chance, not from training."
    )
