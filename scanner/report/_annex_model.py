"""The annex of report.json: what was tested against whom, on how much, and what the figures can serve for.

>>> SampleSize(what="high-risk prompts tried", size=200).size
200
"""

from dataclasses import dataclass

from scanner.report._intervals import Rate


@dataclass(frozen=True, kw_only=True)
class ThreatModel:
    """Who is thought to do what."""

    adversary: str
    """What the adversary knows and has."""
    goal: str
    """What the adversary is after."""
    access: str
    """How the target was reached in this run; what was not done where no model was attacked."""


@dataclass(frozen=True, kw_only=True)
class Attack:
    """An attack, and whether this run says anything about it."""

    name: str
    """By its usual name."""
    in_scope: bool
    """Whether this run carried it out."""
    why: str
    """What was done, or why it was left out."""


@dataclass(frozen=True, kw_only=True)
class SampleSize:
    """How much of something the figures rest on."""

    what: str
    """What was counted."""
    size: int
    """How many."""


@dataclass(frozen=True, kw_only=True)
class Control:
    """What a figure was read against."""

    what: str
    """The control and what it is for."""
    rate: Rate | None
    """What it came to in this run; None where it is no rate, or was not run."""


@dataclass(frozen=True, kw_only=True)
class Evidence:
    """What the figures can serve for under one framework."""

    framework: str
    """Its name and edition."""
    reference: str
    """The entry: its number and name."""
    link: str
    """Where it is published."""
    serves: str
    """What they can be part of the evidence for."""
    not_for: str
    """What they do not show."""


@dataclass(frozen=True, kw_only=True)
class Annex:
    """How far the figures reach."""

    threat_model: ThreatModel
    """Who is thought to do what."""
    attacks: tuple[Attack, ...]
    """Those that were carried out, then those that were not."""
    sample_sizes: tuple[SampleSize, ...]
    """What the figures rest on."""
    controls: tuple[Control, ...]
    """What they were read against."""
    evidence: tuple[Evidence, ...]
    """What they can serve for."""
    certifies: str
    """That it is nothing."""


UNWRITTEN = Annex(
    threat_model=ThreatModel(adversary="", goal="", access=""),
    attacks=(),
    sample_sizes=(),
    controls=(),
    evidence=(),
    certifies="",
)
"""In a model of the findings that is still being gathered."""
