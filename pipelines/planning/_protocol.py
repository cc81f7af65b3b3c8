"""The attack that is planned, in the terms of the cost model: rounds, prompts by risk, and what is expected of them.

>>> kinds_of(["high", "low", "low"], shipped_curve())[0].prompts                     # doctest: +SKIP
1
"""

from collections.abc import Iterable, Sequence

from pipelines.configs import AttackOptions
from scanner.attack import NEEDED, CostProtocol, PerImage, RiskKind, Round, Rounds, Span
from scanner.prompts import BOUNDARIES, Curve, Measured

SEEDS = {"high": 1.0, "medium": 0.95, "low": 0.65}
"""Share of the seeds in which a memorised prompt shows its image, by class: measured at 128, 32 and 8 copies with 8
steps in a trial on 1,385 pictures of 64 × 64."""
UNKNOWN_SEEDS = SEEDS["low"]
"""Where the class is not known."""


def protocol_of(config: AttackOptions, *, triage: float, per_image: PerImage) -> CostProtocol:
    """The protocol that `scanner attack` follows under these options; `triage` is its evaluations on one prompt.

    An accepted prompt has at least --record full-step images and at most --evidence; one that was looked at in vain
    has one of each search image that promised something, and one as a rule.
    """
    rounds = schedule(config)
    steps = (config.steps,) if config.exhaustive else config.steps_of_rounds(len(rounds))
    least = max(NEEDED, min(config.record, config.evidence))
    return CostProtocol(
        triage=triage,
        passing=supported_rate(config.triage_rate, config.control) if has_triage(config) else 1.0,
        rounds=tuple(Round(total=images, steps=few) for images, few in zip(rounds, steps, strict=True)),
        steps=config.steps,
        accepted=Span(least=least, expected=least, most=max(least, config.evidence)),
        needed=1,
        look_rate=supported_rate(config.look_rate, config.control),
        looked=Span(least=1, expected=1, most=min(rounds[-1], config.evidence)),
        false_positive_rate=supported_rate(config.false_positive_rate, config.control),
        per_image=per_image,
    )


def has_triage(config: AttackOptions) -> bool:
    """Whether detectors decide which risk prompts are attacked."""
    return config.triage != "none" and not config.exhaustive


def schedule(config: AttackOptions) -> tuple[int, ...]:
    """Images that a risk prompt has after each round, as `pipelines.attack` goes."""
    if config.exhaustive:
        return (config.seeds,)
    rounds = Rounds(rate=config.rate, miss=config.miss, chase=config.chase).schedule()
    return tuple(sorted({min(images, config.seeds) for images in rounds}))


def supported_rate(rate: float, control: int) -> float:
    """The finest rate that so many controls can set a threshold for, if the wished one is finer."""
    return max(rate, 1 / control)


def unguided_or_guided(guidance: float) -> PerImage:
    """Evaluations of an image where no target was timed: two a step with guidance above 1, else one."""
    return PerImage(per_step=2.0 if guidance > 1 else 1.0)


def kinds_of(classes: Sequence[str | None], curve: Curve) -> tuple[RiskKind, ...]:
    """Risk prompts by their class, riskiest first, with the share that the curve's attack verified of each."""
    of_class = {name: [one for one in curve.classes if one.name == name] for name in BOUNDARIES}
    kinds = [
        RiskKind(prompts=classes.count(name), verified=_share(of_class[name], curve), seeds=SEEDS[name])
        for name in BOUNDARIES
    ]
    unclassed = len(classes) - sum(kind.prompts for kind in kinds)
    return tuple(kind for kind in (*kinds, *unclassed_kinds(unclassed, curve)) if kind.prompts)


def unclassed_kinds(prompts: int, curve: Curve) -> tuple[RiskKind, ...]:
    """Risk prompts of which no class is known."""
    return (RiskKind(prompts=prompts, verified=_share(curve.classes, curve), seeds=UNKNOWN_SEEDS),)


def _share(measured: Iterable[Measured], curve: Curve) -> float:
    """Of the tried prompts those verified; of all the curve's classes where none of these was tried."""
    for counted in (list(measured), curve.classes):
        if tried := sum(one.tried for one in counted):
            return sum(one.verified for one in counted) / tried
    return 0.0
