"""All that an attack's plan is computed from, and what follows from it: phases, the paper's attack, times.

>>> outlook.all_seconds()                                                  # doctest: +SKIP
"""

from dataclasses import dataclass

from pipelines.configs import AttackOptions, PlanOptions
from pipelines.planning._originals import OriginalsTime, Pictures
from pipelines.planning._warm_up import WarmUp
from scanner.attack import (
    CostProtocol,
    Phase,
    RiskKind,
    Span,
    attack_cost,
    exactly,
    first_kinds,
    paper_cost,
    total_cost,
)
from scanner.verify import KEPT


@dataclass(frozen=True, kw_only=True)
class Outlook:
    """All that an attack's plan is computed from."""

    config: AttackOptions
    """How the attack would be made."""
    options: PlanOptions
    """What is asked of the plan."""
    image_price: float | None = None
    """Price of an image from a hosted target."""
    protocol: CostProtocol
    """The same for the cost model."""
    kinds: tuple[RiskKind, ...]
    """The risk prompts."""
    hosted: bool
    """Whether images are asked for elsewhere, so that requests are what is counted."""
    where: str | None
    """The device, in words; None without a target."""
    triage: str
    """What is known of triage, in words."""
    warm: WarmUp | None
    """What was timed; None where nothing was."""
    pictures: Pictures
    """The originals."""
    originals: OriginalsTime | None
    """What they take; None where they can't be timed."""

    @property
    def risk(self) -> int:
        """Risk prompts."""
        return sum(kind.prompts for kind in self.kinds)

    def phases(self, prompts: int | None = None) -> tuple[Phase, ...]:
        """The attack's phases on all risk prompts or on the first so many."""
        kinds = self.kinds if prompts is None else first_kinds(self.kinds, prompts)
        return attack_cost(self.protocol, kinds, control=self.config.control)

    def paper(self) -> Phase:
        """The paper's 500 full-step images of every prompt of both arms."""
        prompts = self.risk + self.config.control
        return paper_cost(prompts, steps=self.config.steps, per_image=self.protocol.per_image)

    def seconds(self, phase: Phase) -> Span | None:
        """Time of a phase, its look-ups among the originals included; None where nothing was timed."""
        if self.warm is None:
            return None
        lookup = 0.0 if self.originals is None else self.originals.lookup_seconds
        return phase.images * (self.warm.image_seconds + lookup) + phase.evaluations * self.warm.evaluation_seconds

    def index_seconds(self) -> Span | None:
        """Time of the index of originals; None where it was not timed."""
        return None if self.originals is None else exactly(self.originals.index_seconds * self.pictures.distinct)

    def restore_seconds(self, prompts: int | None = None) -> Span | None:
        """Time of the originals that go through the autoencoder once; None where it was not timed."""
        if self.originals is None:
            return None
        images, distinct = total_cost(self.phases(prompts)).images, self.pictures.distinct
        restored = Span(least=0, expected=min(distinct, images.expected), most=min(distinct, KEPT * images.most))
        return restored * self.originals.restore_seconds

    def all_seconds(self, prompts: int | None = None) -> Span | None:
        """Time of the index, of the originals restored, and of all phases."""
        spent = self.seconds(total_cost(self.phases(prompts)))
        parts = [span for span in (spent, self.index_seconds(), self.restore_seconds(prompts)) if span is not None]
        return None if spent is None else sum(parts, start=exactly(0))
