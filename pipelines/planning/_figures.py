"""What a plan is made of: figures, each with its range, its unit and how it is known.

>>> from scanner.attack import exactly
>>> counted("rows", "rows", exactly(5), "as given").span.expected
5
"""

from dataclasses import dataclass

from scanner.attack import Span

MEASURED, COUNTED, EXTRAPOLATED, UNKNOWN = "measured", "counted", "extrapolated", "unknown"
"""How a figure is known: timed or weighed here; counted from what is known; a measured one carried further by a stated
rule or share; not at all."""


@dataclass(frozen=True, kw_only=True)
class Figure:
    """One line of a plan."""

    name: str
    """What it is."""
    unit: str
    """rows, prompts, images, requests, evaluations, seconds, bytes, times or price."""
    span: Span | None
    """Least, expected and most; None where it is not known."""
    known: str
    """measured, counted, extrapolated or unknown."""
    basis: str
    """What it is based on, in a few words."""


@dataclass(frozen=True, kw_only=True)
class Section:
    """Figures that belong together."""

    name: str
    """Its title."""
    figures: tuple[Figure, ...]
    """Its lines."""


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a plan says."""

    subject: str
    """What is planned, one sentence."""
    sections: tuple[Section, ...]
    """In the order in which they are read."""
    notes: tuple[str, ...]
    """Sentences that a reader needs to judge the figures."""

    def figure(self, section: str, name: str) -> Figure:
        """One line, by its names. Raises KeyError when the plan has none."""
        for part in self.sections:
            for one in part.figures:
                if (part.name, one.name) == (section, name):
                    return one
        raise KeyError(f"{section}: {name}")


def measured(name: str, unit: str, span: Span, basis: str) -> Figure:
    """A figure that was timed or weighed here."""
    return Figure(name=name, unit=unit, span=span, known=MEASURED, basis=basis)


def counted(name: str, unit: str, span: Span, basis: str) -> Figure:
    """A figure that follows from what is known."""
    return Figure(name=name, unit=unit, span=span, known=COUNTED, basis=basis)


def extrapolated(name: str, unit: str, span: Span, basis: str) -> Figure:
    """A measured figure that a stated rule or share carries further."""
    return Figure(name=name, unit=unit, span=span, known=EXTRAPOLATED, basis=basis)


def unknown(name: str, unit: str, basis: str) -> Figure:
    """A figure that can't be given, and why."""
    return Figure(name=name, unit=unit, span=None, known=UNKNOWN, basis=basis)
