"""The sections of a plan that are about an attack: prompts, evaluations or requests, time, money, disk, errors, budget.

>>> sections = attack_sections(outlook)                                    # doctest: +SKIP
"""

from collections.abc import Callable
from math import ceil

from pipelines.amounts import Budget
from pipelines.planning._figures import Figure, Section, counted, extrapolated, measured, unknown
from pipelines.planning._outlook import Outlook
from pipelines.planning._protocol import has_triage
from pipelines.planning._time import time_figures
from scanner.attack import (
    PAPER_IMAGES,
    Phase,
    Span,
    allowed_controls,
    exactly,
    prompts_within,
    total_cost,
)
from scanner.intervals import ranks
from scanner.verify import INDEX_BYTES


def attack_sections(outlook: Outlook) -> tuple[Section, ...]:
    """In the order in which they are read; a section without figures is left out."""
    sections = (
        Section(name="Prompts", figures=_prompts(outlook)),
        Section(name="Requests" if outlook.hosted else "Denoiser evaluations", figures=_spent(outlook)),
        Section(name="Images", figures=_images(outlook)),
        Section(name="Time", figures=time_figures(outlook)),
        Section(name="Money", figures=_money(outlook)),
        Section(name="Disk", figures=_disk(outlook)),
        Section(name="Errors to expect", figures=_errors(outlook)),
        Section(name="Budget", figures=_budget(outlook)),
    )
    return tuple(section for section in sections if section.figures)


def _prompts(outlook: Outlook) -> tuple[Figure, ...]:
    protocol, risk = outlook.protocol, outlook.risk
    past = sum(kind.prompts * (kind.verified + (1 - kind.verified) * protocol.passing) for kind in outlook.kinds)
    rounds = ", ".join(str(one.total) for one in protocol.rounds)
    return (
        counted("risk", "prompts", exactly(risk), "riskiest first"),
        counted("control", "prompts", exactly(outlook.config.control), f"{protocol.rounds[-1].total} images each"),
        extrapolated(
            "risk prompts searched",
            "prompts",
            Span(least=0 if protocol.passing < 1 else risk, expected=past, most=risk),
            f"{outlook.triage}; rounds up to {rounds} images",
        ),
    )


def _spent(outlook: Outlook) -> tuple[Figure, ...]:
    """Evaluations by phase, or requests, beside the paper's."""
    unit = "requests" if outlook.hosted else "evaluations"
    amount: Callable[[Phase], Span] = lambda phase: phase.images if outlook.hosted else phase.evaluations  # noqa: E731
    ours, paper = total_cost(outlook.phases()), outlook.paper()
    lines = [_phase_figure(phase, unit, amount(phase)) for phase in outlook.phases() if phase.name != "triage"]
    return (
        *(() if outlook.hosted else (_triage_figure(outlook),)),
        *lines,
        _phase_figure(ours, unit, amount(ours)),
        counted("the paper's attack", unit, amount(paper), f"{PAPER_IMAGES} images of {outlook.config.steps} steps"),
        extrapolated("times fewer", "times", ratio(amount(paper), amount(ours)), "the paper's attack / all"),
    )


def _triage_figure(outlook: Outlook) -> Figure:
    triage = outlook.phases()[0].evaluations
    if outlook.where is None and has_triage(outlook.config):
        return unknown("triage", "evaluations", "give --target; not counted below")
    basis = f"{outlook.protocol.triage:g} a prompt, both arms" if outlook.protocol.triage else "no triage"
    return counted("triage", "evaluations", triage, basis)


_BASES = {
    "control arm": "every control goes through all rounds",
    "search": "until generations agree; expected by the curve",
    "evidence": "full-step images of accepted prompts",
    "all": "",
}


def _phase_figure(phase: Phase, unit: str, span: Span) -> Figure:
    make = counted if span.least == span.most else extrapolated
    return make(phase.name, unit, span, _BASES[phase.name])


def ratio(a: Span, b: Span) -> Span:
    """a / b, where a is known exactly."""
    return Span(least=a.least / max(b.most, 1), expected=a.expected / max(b.expected, 1), most=a.most / max(b.least, 1))


def _images(outlook: Outlook) -> tuple[Figure, ...]:
    if outlook.hosted:
        return ()
    ours, paper = total_cost(outlook.phases()).images, outlook.paper().images
    return (
        extrapolated("all", "images", ours, "control arm, search and evidence"),
        counted("the paper's attack", "images", paper, f"{PAPER_IMAGES} a prompt, both arms"),
    )


def _money(outlook: Outlook) -> tuple[Figure, ...]:
    ours, paper, options = total_cost(outlook.phases()).images, outlook.paper(), outlook.options
    figures = []
    if outlook.hosted and outlook.image_price is not None:
        basis = f"{outlook.image_price:g} an image"
        figures += [
            extrapolated("all requests", "price", ours * outlook.image_price, basis),
            counted("the paper's requests", "price", paper.images * outlook.image_price, basis),
        ]
    if options.price_per_hour is not None:
        basis, hour = f"{options.price_per_hour:g} an hour", options.price_per_hour / 3600
        for name, seconds in (
            ("all hours", outlook.all_seconds()),
            ("the paper's hours", outlook.seconds(outlook.paper())),
        ):
            figures.append(
                unknown(name, "price", "nothing was timed")
                if seconds is None
                else extrapolated(name, "price", seconds * hour, basis)
            )
    return tuple(figures)


def _disk(outlook: Outlook) -> tuple[Figure, ...]:
    images = total_cost(outlook.phases()).images
    each = None if outlook.warm is None else outlook.warm.png_bytes
    index = exactly(INDEX_BYTES * outlook.pictures.distinct)
    return (
        *_generations(each, images, outlook),
        counted("originals' index", "bytes", index, f"{INDEX_BYTES:,} for each of {outlook.pictures.distinct:,}"),
    )


def _generations(each: float | None, images: Span, outlook: Outlook) -> tuple[Figure, ...]:
    if each is None or outlook.warm is None:
        return (unknown("generations", "bytes", "no image was made to weigh"),)
    steps = outlook.warm.steps[-1]
    return (
        measured("an image as PNG", "bytes", exactly(each), f"{len(outlook.warm.pictures)} images of {steps} steps"),
        extrapolated("generations", "bytes", images * each, "if every image is kept"),
    )


def _errors(outlook: Outlook) -> tuple[Figure, ...]:
    protocol, risk, control = outlook.protocol, outlook.risk, outlook.config.control
    rate = protocol.false_positive_rate
    allowed = allowed_controls(control, rate=rate)
    figures = [
        counted(
            "controls verified wrongly",
            "prompts",
            Span(least=0, expected=min(control * rate, allowed), most=allowed),
            f"the threshold lets at most {allowed} of {control} pass ({rate:.3g})",
        ),
        counted("risk prompts verified wrongly", "prompts", chance(risk, rate), wrongly(risk, rate, "the verdict")),
    ]
    passing = protocol.passing
    if passing < 1:
        figures.append(
            counted("past triage wrongly", "prompts", chance(risk, passing), wrongly(risk, passing, "triage"))
        )
    return tuple(figures)


def wrongly(prompts: int, rate: float, what: str) -> str:
    """`at a false-positive rate of 1 %, 5 of 500 non-memorised prompts are expected to pass triage`."""
    return (
        f"at a false-positive rate of {100 * rate:.3g} %, {prompts * rate:.3g} of {prompts:,} non-memorised prompts "
        f"are expected to pass {what}"
    )


def chance(prompts: int, rate: float) -> Span:
    """How many of so many pass at this rate: the mean, and the middle 95 % of the binomial distribution."""
    least, most = ranks(prompts, rate)
    return Span(least=least, expected=prompts * rate, most=max(most, ceil(prompts * rate)))


def _budget(outlook: Outlook) -> tuple[Figure, ...]:
    if outlook.options.budget is None:
        return ()
    budget = Budget.parse(outlook.options.budget)
    name = f"prompts with {budget.amount:,g} {budget.unit}"
    if budget.unit == "hours" and outlook.warm is None:
        return (unknown(name, "prompts", "nothing was timed"),)
    if budget.unit == "evaluations" and outlook.hosted:
        return (unknown(name, "prompts", "nobody can count the evaluations of a hosted target"),)
    least, expected, most = (_within(outlook, budget, which) for which in ("most", "expected", "least"))
    basis = f"of {outlook.risk:,}, riskiest first, after the {outlook.config.control:,} controls"
    if most == 0:
        basis = "the control arm comes first, and takes all of it"
    return (extrapolated(name, "prompts", Span(least=least, expected=expected, most=most), basis),)


def _within(outlook: Outlook, budget: Budget, which: str) -> int:
    def spent(prompts: int) -> float:
        if budget.unit != "hours":
            return float(getattr(getattr(total_cost(outlook.phases(prompts)), budget.unit), which))
        return float(getattr(outlook.all_seconds(prompts), which)) / 3600

    return prompts_within(budget.amount, spent, prompts=outlook.risk)
