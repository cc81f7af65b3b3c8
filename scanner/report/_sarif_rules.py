"""The kinds of finding as SARIF rules: one for each verdict, one for risk, one for copies.

Levels say how sure the finding is, not how grave the picture: a verified extraction is an error, a template (one region
differs) and a caption that is worth trying are warnings, a duplicate group is a note.

    >>> rule_of("extraction/matching").level
    'error'
"""

from dataclasses import dataclass
from typing import Any

from scanner.report._taxonomies import DUPLICATION, EXTRACTION, Entry

NAME = "trainset-scanner"


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A kind of finding."""

    id: str
    """Stable: other programs filter by it."""
    name: str
    """The same in Pascal case, as SARIF has it."""
    level: str
    """error, warning or note."""
    short: str
    """What it is."""
    full: str
    """How it comes about."""
    help: str
    """What to do about it."""
    taxa: tuple[Entry, ...]
    """What it is filed under."""


_LOOK = (
    "Look at the original beside the generations in index.html, then drop the copies behind it, or give them captions "
    "of their own, train again and repeat the scan. A verdict is a distance: what it means for rights and for those "
    "in the picture is for people to say."
)
RULES = (
    Rule(
        id="extraction/matching",
        name="ExtractionMatching",
        level="error",
        short="The model gave back the training image of this caption.",
        full="At least two full-step generations of the prompt lie within the agreement threshold of one training "
        "image that carries its caption (matching, in the words of Webster 2023).",
        help=_LOOK,
        taxa=EXTRACTION,
    ),
    Rule(
        id="extraction/retrieved",
        name="ExtractionRetrieved",
        level="error",
        short="The model gave back a training image with other captions.",
        full="At least two full-step generations of the prompt lie within the agreement threshold of one training "
        "image that does not carry its caption (retrieved, in the words of Webster 2023).",
        help=_LOOK,
        taxa=EXTRACTION,
    ),
    Rule(
        id="extraction/template",
        name="ExtractionTemplate",
        level="warning",
        short="The model gave back the layout of a training image; one region differs.",
        full="At least two full-step generations of the prompt agree with one training image outside the region in "
        "which the images of its template differ (template, in the words of Webster 2023).",
        help=_LOOK,
        taxa=EXTRACTION,
    ),
    Rule(
        id="extraction/unconditional",
        name="ExtractionUnconditional",
        level="error",
        short="A model that takes no prompt gave back a training image.",
        full="At least two generations show one training image within the threshold of the adaptive distance of "
        "Carlini et al. 2023.",
        help="Look at the images in index.html, then remove the training images or their copies.",
        taxa=EXTRACTION,
    ),
    Rule(
        id="risk/high-risk-prompt",
        name="HighRiskPrompt",
        level="warning",
        short="A caption that is worth trying as a prompt.",
        full="The caption stands in the class high of the ranking by copies, shared captions and specificity. That is "
        "no finding about any model.",
        help="Attack the model with it, or drop or re-caption the copies before training.",
        taxa=DUPLICATION,
    ),
    Rule(
        id="duplicates/near-duplicate-group",
        name="NearDuplicateGroup",
        level="note",
        short="Rows of the data set that show one picture.",
        full="Equal pixels, or near-duplicates that a look at the pictures confirmed; where there are no pictures, a "
        "cosine of their embeddings.",
        help="Keep one copy: scanner export RUN --format drop-list.",
        taxa=DUPLICATION,
    ),
)


def rule_of(rule_id: str) -> Rule:
    """The rule of this id. Raises KeyError for another one."""
    return {rule.id: rule for rule in RULES}[rule_id]


def descriptors() -> list[dict[str, Any]]:
    """SARIF's reportingDescriptors of all rules."""
    return [
        {
            "id": rule.id,
            "name": rule.name,
            "shortDescription": {"text": rule.short},
            "fullDescription": {"text": rule.full},
            "help": {"text": rule.help},
            "defaultConfiguration": {"level": rule.level},
            "relationships": [
                {"target": {"id": entry.id, "toolComponent": {"name": entry.framework}}, "kinds": ["relevant"]}
                for entry in rule.taxa
            ],
        }
        for rule in RULES
    ]


def taxonomies() -> list[dict[str, Any]]:
    """SARIF's toolComponents of the frameworks that the rules name."""
    entries = {(entry.framework, entry.id): entry for rule in RULES for entry in rule.taxa}
    frameworks = {entry.framework: entry.version for entry in entries.values()}
    return [
        {
            "name": framework,
            **({} if version is None else {"version": version}),
            "taxa": [
                {"id": entry.id, "name": entry.name, "helpUri": entry.link}
                for entry in entries.values()
                if entry.framework == framework
            ],
        }
        for framework, version in frameworks.items()
    ]
