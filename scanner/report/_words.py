"""The findings in plain words: the headline, how sure it is, what to do next, what the figures do not say.

Every sentence is scoped to what was run: "0 of 60 prompts under this protocol", never "no memorisation".

    >>> percent(0.0596)
    '6.0 %'
"""

from scanner.report._findings import Advice, Arm, Findings, Unconditional
from scanner.report._intervals import Rate, rate

FINE_RATE = 0.01
"""The false-positive rate that one usually wants; it takes 1 / 0.01 controls."""


def percent(share: float | None) -> str:
    """0 to 1 as per cent with one decimal, two digits below 1 %; never rounded to 0 or 100."""
    if share is None:
        return "–"
    value = 100 * share
    if value in (0, 100):
        return f"{value:.0f} %"
    if value >= 99.95:
        return "> 99.9 %"
    return f"{value:.1f} %" if value >= 1 else f"{value:.2g} %" if value >= 0.001 else "< 0.001 %"


def bare(percentage: str) -> str:
    """A percentage without its sign, for the lower end of an interval."""
    return percentage.removesuffix(" %")


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 row`, `1,234 rows`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def interval(rate: Rate) -> str:
    """`exact 95 % interval 0 to 6.0 %`."""
    return f"exact 95 % interval {bare(percent(rate.low))} to {percent(rate.high)}"


def scoped(rate: Rate, what: str) -> str:
    """`0 of 60 prompts (exact 95 % interval 0 to 6.0 %)`."""
    return f"{rate.hits:,} of {rate.tried:,} {what} ({interval(rate)})" if rate.tried else f"0 of 0 {what}"


def headline(found: Findings) -> str:
    """The finding in one sentence."""
    rows, duplicates, risk = found.rows, found.duplicates, found.arms[0]
    if not rows.rows_in:
        return "The data set gave no rows: nothing was scanned."
    if not rows.read:
        what = "image" if duplicates.pictures else "embedding"
        return f"No {what} could be read: all {count(rows.rows_in, 'row')} stand in the ledger."
    if found.unconditional is not None:
        return _unconditional_headline(found.unconditional)
    return _attack_headline(found, risk) if risk.tried else _duplicate_headline(found)


def _attack_headline(found: Findings, risk: Arm) -> str:
    tried = count(risk.tried, "high-risk prompt")
    if not found.compared:
        return f"{risk.accepted:,} of {tried} gave one image again and again; whose image it is was not looked up."
    if risk.verified.hits:
        different = "" if risk.originals == risk.verified.hits else f" ({risk.originals:,} different in all)"
        layouts = f", for {risk.template:,} of them the layout that several share" if risk.template else ""
        return f"For {risk.verified.hits:,} of {tried} the model gave back a training image{different}{layouts}."
    if found.stopped is not None and risk.undecided:
        undecided = count(risk.undecided, "was", "were")
        return f"None of {tried} gave back a verified training image so far; {undecided} still undecided."
    return f"None of {tried} gave back a verified training image under this protocol."


def _unconditional_headline(outcome: Unconditional) -> str:
    images = count(outcome.usable, "image")
    if not outcome.memorised:
        return f"No training picture came back twice among {images} of the model under this protocol."
    return f"The model gave back {count(outcome.memorised, 'training picture')} in {images}, without a prompt."


def _duplicate_headline(found: Findings) -> str:
    rows, duplicates = found.rows, found.duplicates
    if not duplicates.groups:
        what = "image" if duplicates.pictures else "embedding"
        return f"No duplicate group was found among {count(rows.read, what)} at these settings."
    groups = count(duplicates.groups, "group")
    if not duplicates.pictures:
        return f"{duplicates.rows:,} of {count(rows.read, 'row')} have near-equal embeddings, in {groups}."
    return f"{duplicates.rows:,} of {count(rows.read, 'image')} are copies of one another, in {groups}."


def summary(found: Findings) -> str:
    """How sure that is, and what was not done."""
    risk, control = found.arms
    if found.unconditional is not None:
        sentences = [_unconditional_words(found.unconditional)]
    elif found.attacked:
        sentences = [f"{_arm_words(risk)}; {_arm_words(control)}."]
        if not found.compared:
            sentences = [
                f"Nothing was compared with the training images, so nothing is verified: cliques of alike images were "
                f"found for {count(risk.accepted, 'high-risk prompt')} and for "
                f"{scoped(rate(control.accepted, control.attacked), 'controls')}."
            ]
        if found.stopped is not None:
            sentences.append(
                f"{found.stopped} {_undecided_words(risk)}The most suspicious prompts were attacked first; the same "
                "command with a larger budget goes on."
            )
        if not risk.attacked:
            sentences.append("Triage let no high-risk prompt through, so no image of that arm was generated.")
    elif found.target is not None:
        sentences = [f"An attack on {found.target} was begun and has not generated any image yet."]
    else:
        sentences = ["No model has been attacked in this run: the report covers the data set only."]
    if not found.duplicates.pictures:
        sentences.append(f"No picture was looked at: {_decided(found)}.")
    if not found.complete:
        sentences.append("The run is not finished: the figures cover what is there so far.")
    if not all(check.passed for check in found.checks):
        sentences.append(
            "The tables do not agree with one another: see the checks under Method before using any figure."
        )
    return " ".join(sentences)


def _undecided_words(risk: Arm) -> str:
    """What the rates of an attack that was stopped leave out."""
    if not risk.undecided:
        return ""
    of_them = f"{risk.undecided:,} of the {count(risk.attacked, 'high-risk prompt')} that images were made of"
    return f"{of_them} {'was' if risk.undecided == 1 else 'were'} still undecided, and count above as no hits. "


def _unconditional_words(outcome: Unconditional) -> str:
    return (
        f"{scoped(outcome.within, 'images')} lie within an adaptive distance of {outcome.threshold:.3g} of a training "
        f"picture; of training pictures that stand once, compared with all others as if they had been drawn, "
        f"{scoped(outcome.controls_within, 'pass')}."
    )


def _decided(found: Findings) -> str:
    """What made a pair where there were no pictures to look at."""
    cosine = found.duplicates.cosine
    least = "" if cosine is None else f" of {cosine:.3g} or more"
    return f"a cosine{least} of the data set's own embeddings decided what is a copy"


def _arm_words(arm: Arm) -> str:
    name = "high-risk prompts" if arm.arm == "risk" else "control prompts"
    return f"Verified for {scoped(arm.verified, name)}" if arm.arm == "risk" else scoped(arm.verified, name)


def advice(found: Findings) -> tuple[Advice, ...]:
    """What to do next, most urgent first."""
    steps = [
        *_match_advice(found),
        *_memorised_advice(found),
        *_hit_advice(found),
        *_attack_advice(found),
        *_duplicate_advice(found),
        *_ledger_advice(found),
    ]
    return tuple(step for step in steps if step is not None)


def _match_advice(found: Findings) -> list[Advice | None]:
    matches = found.matches
    if matches is None or not matches.rows:
        return []
    step = Advice(
        title=f"Look at the {count(matches.rows, 'row')} with pictures of {matches.dataset}",
        text=f"{count(matches.pictures, 'picture')} of it {'is' if matches.pictures == 1 else 'are'} in this set: a "
        "test set that was trained on measures memory, and what must not be present has to go. All of the rows stand "
        "in matches.parquet.",
        href="#matches",
    )
    return [step]


def _hit_advice(found: Findings) -> list[Advice | None]:
    behind, control = found.behind_hits, found.arms[1]
    hits = found.arms[0].verified.hits + control.verified.hits
    if not hits:
        return []
    loose = Advice(
        title="Read the control hits first",
        text=f"{scoped(control.verified, 'controls')} were verified too. Either the model memorised rows "
        "that stand only once, or the thresholds are too loose: the pictures tell.",
        href="#hits",
    )
    look = Advice(
        title=f"Look at the {count(hits, 'hit')} yourself",
        text="Each stands below with its original beside its generations. A verdict is a distance: whether a "
        "picture is private, protected or harmless is for people to say.",
        href="#hits",
        command="scanner review RUN",
    )
    groups = Advice(
        title=f"Drop or re-caption the {count(behind.groups, 'duplicate group')} behind them",
        text=f"They hold {count(behind.rows, 'row')}. Keep one copy of each picture, or none if it must not "
        "come back; where copies stay, give them different captions. Then train again and repeat this scan "
        "to see that it helped.",
        href="#groups",
        command=_drop_behind(found),
    )
    singles = Advice(
        title=f"Decide on {count(behind.singles, 'original')} outside any group",
        text="Each came back although no copy of it was found: de-duplication won't help, so remove the "
        "images themselves or look for copies that the search missed.",
        href="#hits",
    )
    return [
        loose if control.verified.hits else None,
        look,
        groups if behind.groups else None,
        singles if behind.singles else None,
    ]


def _memorised_advice(found: Findings) -> list[Advice | None]:
    outcome = found.unconditional
    if outcome is None:
        return []
    if not outcome.memorised:
        text = "Each image is a draw from all that the model can give: --images with a larger number narrows the bound."
        return [Advice(title="Read this as a bound, not as an all-clear", text=text, href="#memorised")]
    pictures = count(outcome.memorised, "training picture")
    text = "Two images or more show each of them, without a prompt that asks for it. Remove them, or their copies."
    return [Advice(title=f"Look at the {pictures} that came back", text=text, href="#memorised")]


def _attack_advice(found: Findings) -> list[Advice | None]:
    risk, control = found.arms
    if not found.attacked:
        return []
    bound = Advice(
        title="Read this as a bound, not as an all-clear",
        text=f"{risk.verified.hits:,} of {risk.verified.tried:,} leaves a rate of up to "
        f"{percent(risk.verified.high)} among such prompts open. More prompts, more images a prompt or more "
        "steps narrow it.",
        href="#rates",
    )
    undecided = Advice(
        title=f"Spend more on {count(risk.undecided, 'undecided prompt')}",
        text="Their images ran out before the generations agreed or a miss had become improbable enough: "
        "give more seeds.",
        href="#prompts",
    )
    few = Advice(
        title="Draw more controls",
        text=f"{finest(control.attacked)} A rate of 1 % takes at least 100: --control 100.",
        href="#rates",
    )
    return [
        bound if risk.tried and found.compared and not risk.verified.hits else None,
        undecided if risk.undecided else None,
        few if control.attacked < 1 / FINE_RATE else None,
    ]


def finest(controls: int) -> str:
    """The finest false-positive rate that so many controls support, as a sentence."""
    if not controls:
        return "Without controls no false-positive rate can be stated."
    with_controls = f"With {count(controls, 'control')}"
    return f"{with_controls} no false-positive rate below {percent(1 / controls)} can be told from zero."


def _duplicate_advice(found: Findings) -> list[Advice | None]:
    duplicates = found.duplicates
    remove = Advice(
        title=f"Remove {count(duplicates.redundant, 'redundant row')}",
        text=f"One copy of each of the {count(duplicates.groups, 'group')} is enough; the largest has "
        f"{count(duplicates.largest, 'copy', 'copies')}. Begin at the top of the gallery, where it matters "
        f"most.{_DROP_LIST if found.repair else ''}",
        href="#repair" if found.repair else "#groups",
        command=_export(found, "drop-list", "drop.parquet"),
    )
    caption = Advice(
        title=f"Re-caption {count(duplicates.same_caption, 'group')} with one caption for all copies",
        text="Where copies must stay, one caption on all of them makes a picture easiest to call up again "
        "(Somepalli et al. 2023); different captions lower the risk.",
        href="#repair" if found.repair else "#groups",
        command=_export(found, "recaption", "recaption.jsonl"),
    )
    attack = Advice(
        title="Attack the model once it is trained",
        text=f"{count(found.arms[0].prompts, 'high-risk prompt')} and "
        f"{count(found.arms[1].prompts, 'control')} are ranked and ready: scanner attack RUN --target MODEL.",
        href="#prompts",
        command="scanner attack RUN --target MODEL",
    )
    return [
        remove if duplicates.groups else None,
        caption if duplicates.same_caption else None,
        attack if found.target is None and found.arms[0].prompts else None,
    ]


def _drop_behind(found: Findings) -> str | None:
    """The drop list of the groups behind the hits of the risk arm."""
    risk = found.arms[0]
    verdicts = [name for name in ("matching", "template", "retrieved") if getattr(risk, name)]
    chosen = " ".join(f"--verdict {name}" for name in verdicts)
    return _export(found, f"drop-list {chosen}", "drop.parquet") if verdicts else None


def _export(found: Findings, form: str, out: str) -> str | None:
    """The export that does it; None in runs that were made before mitigations were worked out."""
    return None if found.repair is None else f"scanner export RUN --format {form} --out {out}"


_DROP_LIST = " scanner export RUN --format drop-list writes what to drop, --format shards the set without it."


def _ledger_advice(found: Findings) -> list[Advice | None]:
    rows = found.rows
    if not rows.failed:
        return []
    check = Advice(
        title=f"Check {count(rows.failed, 'row')} that could not be read",
        text=f"They are {percent(rows.failed / rows.rows_in)} of all rows and were not scanned; duplicates "
        "among them are not known.",
        href="#ledger",
    )
    return [check]


def limits(found: Findings) -> tuple[str, ...]:
    """What the figures do not say, for this run."""
    lines = [
        "A finding is scoped to what was run: these rows, this model, these prompts, this many images, these "
        "thresholds. No figure here says that a model has memorised nothing.",
        _DUPLICATES if found.duplicates.pictures else _duplicates_by_cosine(found),
        "A high rank means that a prompt is worth trying. It is no finding about any model.",
    ]
    return (
        *lines,
        *(_attack_limits(found) if found.attacked else ()),
        *(_unconditional_limits(found.unconditional) if found.unconditional else ()),
        _LAST_LIMIT,
    )


def _unconditional_limits(outcome: Unconditional) -> list[str]:
    chance = outcome.controls_within.high * outcome.usable
    return [
        "A model that takes no prompt has no control prompts. The controls are training pictures that stand once, each "
        "compared with all others: what a model that has learnt no single picture would draw. Near-duplicates that the "
        "audit missed make their rate larger.",
        f"At the upper end of that rate up to {chance:,.0f} of {count(outcome.usable, 'image')} would pass by chance, "
        "spread over many pictures; a picture counts as memorised when two images or more show it. The paper counts "
        "one image below 1, and stands beside it.",
        "A picture that no image showed may still be memorised: it may come back more rarely than once in so many "
        "images.",
    ]


_DUPLICATES = (
    "Duplicates are those that this fingerprint and this look at the pictures find. A copy that is cropped, drawn over "
    "or recoloured beyond their reach counts as a picture of its own."
)


def _duplicates_by_cosine(found: Findings) -> str:
    return (
        f"No picture was looked at: {_decided(found)}. Such a cosine takes different pictures of one kind (two logos, "
        "two product photos on white) for copies, and misses copies that are cropped or drawn over. Look at the images "
        "of a group before anything is dropped for it."
    )


_LAST_LIMIT = (
    "Distances are not legal judgements. Whether a picture that came back infringes a right, shows a person "
    "or matters at all is not measured here, and this report certifies nothing."
)


_INDEPENDENCE = {
    None: "The rate of that arm is therefore no independent measurement of their error.",
    True: "That arm pulled the agreement threshold below its ceiling, so its own rate is too favourable.",
    False: "That arm left the agreement threshold at the ceiling set beforehand, so its rate measures the error.",
}
"""By `Thresholds.lowered`: what the control arm's own rate is worth."""


def _attack_limits(found: Findings) -> list[str]:
    risk, control = found.arms
    lines = [
        f"High-risk arm: {scoped(risk.verified, 'prompts tried')} under this protocol; control arm: "
        f"{scoped(control.verified, 'prompts tried')}. The prompts are the riskiest of the set, not a random "
        "draw, so the rate does not carry over to other captions.",
        f"Thresholds come from the control arm. {_INDEPENDENCE[found.thresholds.lowered]} {finest(control.attacked)}",
        "The paper's rule (plain l2 within 0.15 of any original) is reported under its name and is never the "
        "verdict: simple pictures on plain grounds lie that close to one another. The paper applies it to 500 "
        "images of each prompt; here it is read over the images that were made.",
    ]
    if found.originals_missing:
        lines.append(
            f"For {found.originals_missing:,} of {count(found.rows.read, 'row')} no image could be had: a generation "
            "that gives one of these back is not recognised, and k counts none of them."
        )
    if risk.tried > risk.attacked:
        lines.append(
            f"Triage held back {count(risk.tried - risk.attacked, 'high-risk prompt')}, for which no image was "
            "generated: they count as tried without a hit, and a memorised prompt among them was missed."
        )
    if found.lacking:
        reasons = ", ".join(
            f"{one.images:,} {one.defect.replace('_', ' ')}, of {count(one.prompts, 'prompt')}" for one in found.lacking
        )
        lines.append(
            f"Some images that were asked for never came or show nothing ({reasons}): what the model would have given "
            "there is not known."
        )
    if risk.cost.evaluations is None or control.cost.evaluations is None:
        lines.append(
            "What the images cost in denoiser evaluations is not known: they came from an API or were made elsewhere."
        )
    if risk.prompts > risk.tried:
        lines.append(f"Of the ranked high-risk prompts {risk.prompts - risk.tried:,} were not tried at all.")
    return lines


_STATES = {
    "gone": "was gone",
    "undecodable": "could not be decoded",
    "changed": "was another picture than the one audited",
}


def lost_original(state: str | None) -> str:
    """What became of a hit's original before its verdict; empty where nothing did."""
    if state is None or state == "as_audited":
        return ""
    return f"The original {_STATES[state]} when the verdict was made: the distances are to its stored thumbnail."
