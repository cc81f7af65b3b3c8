"""What an attack costs before it is made, in images and denoiser evaluations: least, expected and most.

The phases follow `pipelines.attack`: triage scores every prompt of both arms; every control goes through all rounds;
a risk prompt that passes triage goes through rounds until it is decided; full-step images are the evidence. The paper
(Carlini et al. 2023) makes 500 images of every prompt instead.

- Least: no prompt passes triage; without triage, every prompt is decided in the first round. Nothing is accepted.
- Most: every prompt passes, goes to the last round, and is accepted there.
- Expected: a share of the prompts of each kind is given back by the model. Such a prompt passes triage and shows its
  image in a stated share of its seeds, so that after n images it is still searched with the chance that fewer than
  `needed` of them show it (binomial). All others pass at triage's false-positive rate and go to the last round.

    >>> rounds = (Round(total=2, steps=8), Round(total=15, steps=8))
    >>> protocol = CostProtocol(triage=8, rounds=rounds, steps=50, accepted=exactly(16))
    >>> cost = attack_cost(protocol, (RiskKind(prompts=100, verified=0.5, seeds=0.95),), control=100)
    >>> total_cost(cost).evaluations.most
    211200.0
    >>> total_cost(cost).evaluations.most < paper_cost(200, steps=50).evaluations.least / 40
    True
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from math import comb, floor

PAPER_IMAGES = 500
"""Images of a prompt in Carlini et al. 2023, arXiv 2301.13188."""
GUIDED = 2.0
"""Denoiser evaluations of a step with classifier-free guidance: with the prompt and without."""


@dataclass(frozen=True, kw_only=True)
class Span:
    """An amount that is not known yet: least ≤ expected ≤ most."""

    least: float
    """What it can't be below."""
    expected: float
    """What the stated assumptions give."""
    most: float
    """What it can't be above."""

    def __add__(self, other: "Span") -> "Span":
        return Span(
            least=self.least + other.least, expected=self.expected + other.expected, most=self.most + other.most
        )

    def __mul__(self, factor: float) -> "Span":
        return Span(least=self.least * factor, expected=self.expected * factor, most=self.most * factor)


def exactly(amount: float) -> Span:
    """An amount that is known."""
    return Span(least=amount, expected=amount, most=amount)


@dataclass(frozen=True, kw_only=True)
class Round:
    """A round of images."""

    total: int
    """Images that a prompt has after it."""
    steps: int
    """Denoising steps of its images."""


@dataclass(frozen=True, kw_only=True)
class PerImage:
    """Denoiser evaluations of an image, linear in its steps."""

    per_step: float = GUIDED
    """2 with classifier-free guidance, 1 without; more where a scheduler evaluates twice a step."""
    once: float = 0.0
    """What a scheduler evaluates besides (PNDM: one step more)."""

    def __call__(self, steps: int) -> float:
        return self.per_step * steps + self.once


@dataclass(frozen=True, kw_only=True)
class CostProtocol:
    """How prompts are attacked."""

    triage: float
    """Evaluations of all detectors on one prompt; 0 without triage."""
    rounds: tuple[Round, ...]
    """The search, first round first."""
    steps: int
    """Denoising steps of the evidence."""
    accepted: Span
    """Full-step images of a prompt that is accepted."""
    needed: int = 2
    """Images of the search that must show the image for a prompt to leave it."""
    look_rate: float = 0.0
    """Share of the prompts that the model does not give back which are looked at with full-step images."""
    looked: Span = Span(least=0, expected=0, most=0)
    """Full-step images of such a prompt."""
    passing: float = 1.0
    """Share of the prompts that the model does not give back which are attacked: triage's false-positive rate, or 1
    without triage."""
    false_positive_rate: float = 0.01
    """Share of such prompts that are accepted all the same."""
    per_image: PerImage = PerImage()
    """Evaluations of an image."""


@dataclass(frozen=True, kw_only=True)
class RiskKind:
    """Risk prompts of which the same is expected."""

    prompts: int
    """How many."""
    verified: float
    """Share of them that the model gives back, 0 to 1."""
    seeds: float
    """Share of the seeds in which such a prompt shows its image, above 0 to 1."""


@dataclass(frozen=True, kw_only=True)
class Phase:
    """What one part of the attack takes."""

    name: str
    """triage, control arm, search, evidence or all."""
    images: Span
    """Images that are made and looked up among the originals."""
    evaluations: Span
    """Denoiser evaluations."""


def attack_cost(protocol: CostProtocol, kinds: Sequence[RiskKind], *, control: int) -> tuple[Phase, ...]:
    """The four phases of an attack on these risk prompts and so many controls."""
    risk = sum(kind.prompts for kind in kinds)
    return (
        Phase(name="triage", images=exactly(0), evaluations=exactly(protocol.triage * (risk + control))),
        _control_arm(protocol, control),
        reduce(_together, (_search(protocol, kind) for kind in kinds), _nothing("search")),
        _evidence(protocol, kinds, control),
    )


def paper_cost(prompts: int, *, steps: int, per_image: PerImage = PerImage()) -> Phase:
    """The paper's attack on so many prompts: 500 images each, no triage, no early stop."""
    images = PAPER_IMAGES * prompts
    return Phase(name="paper", images=exactly(images), evaluations=exactly(images * per_image(steps)))


def total_cost(phases: Sequence[Phase]) -> Phase:
    """All phases together."""
    return reduce(_together, phases, _nothing("all"))


def prompts_within(budget: float, spent: Callable[[int], float], *, prompts: int) -> int:
    """The most prompts, riskiest first, with `spent(prompts) <= budget`; `spent` grows. 0 where none fits."""
    low, high = 0, prompts
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if spent(middle) <= budget else (low, middle - 1)
    return low


def first_kinds(kinds: Sequence[RiskKind], prompts: int) -> tuple[RiskKind, ...]:
    """The kinds of the first so many prompts, in the order of the kinds."""
    found = []
    for kind in kinds:
        taken = min(kind.prompts, prompts)
        prompts -= taken
        found.append(RiskKind(prompts=taken, verified=kind.verified, seeds=kind.seeds))
    return tuple(found)


def _control_arm(protocol: CostProtocol, control: int) -> Phase:
    spent = sum(added * protocol.per_image(steps) for _, added, steps in _added(protocol.rounds))
    return Phase(
        name="control arm",
        images=exactly(control * protocol.rounds[-1].total),
        evaluations=exactly(control * spent),
    )


def _search(protocol: CostProtocol, kind: RiskKind) -> Phase:
    images, evaluations = exactly(0), exactly(0)
    for before, added, steps in _added(protocol.rounds):
        still = kind.verified * undecided(before, protocol.needed, kind.seeds) + (1 - kind.verified) * protocol.passing
        first = 0 if protocol.passing < 1 or before else 1
        made = Span(least=first, expected=still, most=1) * (kind.prompts * added)
        images, evaluations = images + made, evaluations + made * protocol.per_image(steps)
    return Phase(name="search", images=images, evaluations=evaluations)


def _evidence(protocol: CostProtocol, kinds: Sequence[RiskKind], control: int) -> Phase:
    """Accepted prompts of both arms, and those that were looked at in vain."""
    last, rate = protocol.rounds[-1].total, protocol.false_positive_rate
    given = sum(kind.prompts * kind.verified * (1 - undecided(last, protocol.needed, kind.seeds)) for kind in kinds)
    others = sum(kind.prompts * (1 - kind.verified) * protocol.passing for kind in kinds)
    allowed, looks = (allowed_controls(control, rate=share) for share in (rate, protocol.look_rate))
    accepted = Span(
        least=0,
        expected=given + others * rate + min(control * rate, allowed),
        most=sum(kind.prompts for kind in kinds) + allowed,
    )
    in_vain = Span(
        least=0,
        expected=others * protocol.look_rate + min(control * protocol.look_rate, looks),
        most=looks if protocol.look_rate else 0,
    )
    images = _times(accepted, protocol.accepted) + _times(in_vain, protocol.looked)
    return Phase(name="evidence", images=images, evaluations=images * protocol.per_image(protocol.steps))


def undecided(images: int, needed: int, share: float) -> float:
    """Chance that fewer than `needed` of so many images show what each shows with the chance `share`."""
    return sum(comb(images, k) * share**k * (1 - share) ** (images - k) for k in range(min(needed, images + 1)))


def _times(a: Span, b: Span) -> Span:
    return Span(least=a.least * b.least, expected=a.expected * b.expected, most=a.most * b.most)


def allowed_controls(control: int, *, rate: float) -> int:
    """Controls that a threshold read off the arm lets pass: ⌊rate × controls⌋, and at least one."""
    return min(control, max(1, floor(rate * control + 1e-9)))


def _added(rounds: Sequence[Round]) -> Sequence[tuple[int, int, int]]:
    """Of each round the images before it, those that it adds, and their steps."""
    before = (0, *(one.total for one in rounds))
    return [(had, one.total - had, one.steps) for had, one in zip(before, rounds, strict=False)]


def _together(a: Phase, b: Phase) -> Phase:
    return Phase(name=a.name, images=a.images + b.images, evaluations=a.evaluations + b.evaluations)


def _nothing(name: str) -> Phase:
    return Phase(name=name, images=exactly(0), evaluations=exactly(0))
