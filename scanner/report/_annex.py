"""The annex, from the findings: threat model, attacks in and out of scope, sample sizes, controls, frameworks.

An auditor asks of a figure who was thought to attack, with what, how often, and against which control. Each sentence is
scoped to what this run did.

    >>> annex(found).certifies                                                   # doctest: +SKIP
    'This report certifies nothing: ...'
"""

from scanner.report._annex_model import Annex, Attack, Control, Evidence, SampleSize, ThreatModel
from scanner.report._findings import Findings
from scanner.report._taxonomies import ATLAS, EDPB, NIST, NIST_DUPLICATES, OWASP, Entry

CERTIFIES = (
    "This report certifies nothing: it is a measurement of one model, or of one data set, under one protocol, and no "
    "statement of conformity, anonymity, legality or safety by anyone."
)


def annex(found: Findings) -> Annex:
    """What the figures of this run are about and how far they reach."""
    return Annex(
        threat_model=_threat_model(found),
        attacks=_attacks(found),
        sample_sizes=_sample_sizes(found),
        controls=_controls(found),
        evidence=tuple(_evidence(found)),
        certifies=CERTIFIES,
    )


def _threat_model(found: Findings) -> ThreatModel:
    if found.unconditional is not None:
        access = "Images were drawn from the model, which takes no prompt; nothing else of it was used."
    elif found.attacked:
        access = (
            "Images were generated from captions of the training set. Where the settings under Method name a detector "
            "that reads the model's own predictions, the weights were at hand too; the verdicts need the images alone."
        )
    elif found.target is not None:
        access = "An attack was begun, and no image of the model was generated."
    else:
        access = "No model was attacked: the report covers the data set only."
    knows = "Knows nothing of" if found.unconditional is not None else "Knows captions of"
    tester = (
        " The tester also has the training images and compares with all that could be had, so that hits are found "
        "which an adversary would not recognise."
    )
    return ThreatModel(
        adversary=f"{knows} the training set, can ask the model for images as often as the sample sizes say, and does "
        f"not train or change it.{tester if _tested(found) else ''}",
        goal="To get back images that the model was trained on (training data extraction, Carlini et al. 2023).",
        access=access,
    )


def _attacks(found: Findings) -> tuple[Attack, ...]:
    prompted = found.attacked and found.compared
    not_attacked = (
        "No model was attacked in this run." if found.target is None else "No image of the model was generated yet."
    )
    return (
        Attack(
            name="training data extraction with captions of the training set",
            in_scope=prompted,
            why="Captions of heavily duplicated images were tried, and every hit was compared with the originals."
            if prompted
            else "Images were generated and not compared with the originals, so nothing is verified."
            if found.attacked
            else "The target takes no prompt."
            if found.unconditional is not None
            else not_attacked,
        ),
        Attack(
            name="training data extraction without prompts",
            in_scope=found.unconditional is not None,
            why="Images were drawn and compared with the training pictures."
            if found.unconditional is not None
            else "The target takes prompts."
            if found.attacked
            else not_attacked,
        ),
        Attack(
            name="membership inference",
            in_scope=False,
            why="Triage scores only choose prompts; whether a given image was trained on is not decided for anyone.",
        ),
        Attack(
            name="model inversion by gradients or optimised prompts",
            in_scope=False,
            why="No prompt or image was optimised against the model; an adversary who does may get more.",
        ),
        Attack(
            name="attribute inference and style imitation",
            in_scope=False,
            why="Only whole pictures and templates are compared: a person, a style or a detail in another picture is "
            "not looked for.",
        ),
        Attack(
            name="attacks after fine-tuning or on other versions of the model",
            in_scope=False,
            why="The figures are those of the weights and settings under Method.",
        ),
    )


def _sample_sizes(found: Findings) -> tuple[SampleSize, ...]:
    sizes = [
        ("rows of the data set", found.rows.rows_in),
        ("rows read", found.rows.read),
        ("duplicate groups", found.duplicates.groups),
    ]
    if found.recall is not None:
        sizes.append(("rows drawn to measure the recall of the duplicate search", found.recall.rows))
    if found.attacked:
        for arm, name in zip(found.arms, ("high-risk", "control"), strict=True):
            sizes += [
                (f"{name} prompts drawn", arm.prompts),
                (f"{name} prompts tried", arm.tried),
                (f"{name} prompts attacked", arm.attacked),
                (f"images generated of {name} prompts", arm.cost.images),
            ]
    if found.unconditional is not None:
        sizes += [
            ("images drawn without a prompt", found.unconditional.images),
            ("of these, images that could be compared", found.unconditional.usable),
        ]
    return tuple(SampleSize(what=what, size=size) for what, size in sizes)


def _controls(found: Findings) -> tuple[Control, ...]:
    controls = []
    if found.attacked and found.compared:
        what = (
            "Captions of images that stand once, attacked in the same way: the share of them that is verified bounds "
            "the false positives of the verdict, unless the model memorised images that stand once."
        )
        controls.append(Control(what=what, rate=found.arms[1].verified))
    elif found.attacked:
        what = "Captions of images that stand once, attacked in the same way: cliques that arise without duplicates."
        controls.append(Control(what=what, rate=found.arms[1].cliques))
    if found.unconditional is not None:
        what = "Training pictures that stand once, compared with all others as if they had been drawn."
        controls.append(Control(what=what, rate=found.unconditional.controls_within))
    if found.recall is not None:
        what = "Rows drawn at random, compared with all others by brute force: those whose duplicates were all found."
        controls.append(Control(what=what, rate=found.recall.whole))
    checks = sum(check.passed for check in found.checks)
    controls.append(Control(what=f"{checks} of {len(found.checks)} checks of the tables held.", rate=None))
    return tuple(controls)


def _evidence(found: Findings) -> list[Evidence]:
    extraction = [
        _of(
            NIST,
            "The test for the output of training data samples that the action asks for: protocol, prompts, hits.",
            "The other tests that it names, such as membership inference and the disclosure of personal data in text.",
        ),
        _of(
            OWASP,
            "Cases in which the application's model disclosed training images, with what it takes to bring them back.",
            "What the application around the model filters or logs; prompts, documents and secrets in text.",
        ),
        _of(
            ATLAS,
            "How far a model reached through its outputs gives back training images at this effort.",
            "Other ways to the training data, and adversaries who optimise their queries.",
        ),
        _of(
            EDPB,
            "Part of the record of tests that a claim of anonymity has to be examined with: resistance to extraction "
            "by prompts, with its effort and its error rates.",
            "That a model is anonymous. The Opinion asks that the likelihood of extraction be insignificant for every "
            "person, by all means reasonably likely to be used; no hit among so many prompts shows no such thing. "
            "Whether a picture is personal data is not measured here.",
        ),
    ]
    duplicates = _of(
        NIST_DUPLICATES,
        "How many rows are duplicates at these settings, with the measured recall of the search where it was measured.",
        "Duplicates that this fingerprint does not find, and what de-duplication does to a model: attack it before and "
        "after.",
    )
    return [duplicates, *(extraction if _tested(found) else ())]


def _tested(found: Findings) -> bool:
    return (found.attacked and found.compared) or found.unconditional is not None


def _of(entry: Entry, serves: str, not_for: str) -> Evidence:
    edition = "" if entry.version is None or entry.version in entry.framework else f" ({entry.version})"
    return Evidence(
        framework=f"{entry.framework}{edition}",
        reference=f"{entry.id}, {entry.name}",
        link=entry.link,
        serves=serves,
        not_for=not_for,
    )
