"""One arm of the attack: few-step images in rounds, full-step evidence where they promise something.

Both arms go through the same rounds, the control arm first, since what it shows sets the limits of the risk arm:

1. every prompt that is still in gets search images, few steps each, the most suspicious prompts first;
2. prompts with a search image nearer to an original than all but a stated share of the controls are looked at: their
   best seeds are made again at full steps, one at a time until one shows the original, then more until a second does;
3. a prompt whose full-step images agree leaves, accepted; the others go into the next round, nearest first, or the
   nearest share of them (as in successive halving, Karnin et al. 2013), and the rest stays open.

Of the risk arm, a file's worth of prompts goes through search and looks before the next ones begin, so that a budget
that ends has settled the most suspicious prompts. So money goes where the evidence is, and a verdict never rests on few
steps. What is asked for in a round depends only on the images of the rounds before it, also when later ones are on disk
already.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from pipelines.search import BATCH_IMAGES, Images, Prompt, Search
from scanner.attack import EVIDENCE_FIRST, PromptImages, Rule
from scanner.verify import agreement_threshold

MOST_PARTS = 256
"""Parts of a round: after each of them what was found is asked for."""
FARTHEST = 0.25
"""Distance beyond which a search image promises nothing, whatever the control arm says (the radius within which
originals are looked up; far above the 0.12 at which full-step images count)."""


@dataclass(frozen=True, kw_only=True)
class Protocol:
    """How an arm is attacked."""

    schedule: tuple[int, ...]
    """Search images a prompt has after each round."""
    search_steps: tuple[int, ...]
    """Denoising steps of each round's search images."""
    steps: int
    """Denoising steps of the evidence."""
    focus: float
    """Share of the prompts still in that the next round goes to, the most suspicious first, above 0 to 1."""
    look_rate: float
    """Share of the control prompts that may be looked at; it rises evenly from round to round, to this after the
    last."""
    record: int
    """Full-step images that every accepted prompt has in the end, at least."""


@dataclass(kw_only=True)
class Arm:
    """An arm under attack; what is known so far can be read off it at any time, also when a budget stopped it."""

    name: str
    """risk or control: the beginning of its files' names."""
    prompts: tuple[Prompt, ...]
    """The most suspicious first."""
    search: Search
    """Makes and reads its images."""
    rule: Rule
    """What counts as evidence; its ceiling is the distance at which a prompt is accepted."""
    protocol: Protocol
    """How it is attacked."""
    limits: list[float] = field(default_factory=list)
    """Per round, how near a search image must be to be looked at; given for the risk arm, read off the control arm."""
    levels: dict[str, float] = field(default_factory=dict)
    """Prompts whose full-step images agree within the ceiling, with the distance at which they begin to."""
    unsettled: set[str] = field(default_factory=set)
    """Prompts whose images of a round were asked for and are not all looked at: a budget that ends leaves some."""
    _asked: dict[str, set[int]] = field(default_factory=dict)
    """Numbers of the full-step images asked for so far."""
    _chased: dict[str, int] = field(default_factory=dict)
    """Search images of the prompts that have more than their round gives."""
    _searched: dict[str, int] = field(default_factory=dict)
    """Search images that the last of its rounds gave each prompt."""
    _tightened: int = 0
    """How often the ceiling was lowered."""

    def run(self) -> None:
        """All rounds. Raises BudgetSpent when nothing more may be made."""
        active, made = list(self.prompts), 0
        for number, total in enumerate(self.protocol.schedule):
            for at, together in self._parts(number, len(active), total - made):
                part = active[at : at + together]
                self.unsettled.update(prompt.prompt_id for prompt in part)
                self._search(f"{number}-{at:05d}", number, part, range(made, total))
                if len(self.limits) <= number:
                    self.limits.append(self._limit(number, total))
                self._look(f"{number}-{at:05d}", number, total, part)
                self.unsettled.difference_update(prompt.prompt_id for prompt in part)
            made = total
            scores = self._scores(active, made)
            active = [prompt for prompt in active if prompt.prompt_id not in self.levels]
            active.sort(key=lambda prompt: scores[prompt.prompt_id])  # stable: equal ones keep their order
            active = active[: ceil(self.protocol.focus * len(active))]
        self._record("record")

    def tighten(self, ceiling: float) -> None:
        """Go on under a lower ceiling: prompts that were accepted beyond it are looked at further, and go through the
        rounds that they left out, all of them, as prompts of that ceiling would have."""
        self._tightened += 1
        self.rule = replace(self.rule, ceiling=ceiling)
        again = [prompt for prompt in self.prompts if self.levels.get(prompt.prompt_id, 0) > ceiling]
        for prompt in again:
            del self.levels[prompt.prompt_id]
        for number, total in enumerate(self.protocol.schedule):
            active = [
                prompt
                for prompt in again
                if prompt.prompt_id not in self.levels and self._searched[prompt.prompt_id] <= total
            ]
            name = f"tightened-{self._tightened}-{number}"
            self._search(name, number, active, range(total))
            self._look(name, number, total, active)
        self._record(f"tightened-{self._tightened}-record")

    def agreeing(self) -> dict[str, float | None]:
        """Per prompt of which an image came: the distance at which its full-step images begin to agree, whatever the
        ceiling; None where no two do. Verdicts rest on the same images."""
        known = self._known(self.prompts, self.protocol.schedule[-1])
        return {key: self.rule.level(images.evidence) for key, images in known.items() if images.search}

    def _parts(self, number: int, prompts: int, images: int) -> Sequence[tuple[int, int]]:
        """Where each part of a round's prompts begins, and how many it has: a file's worth, or a 256th of very many;
        all together where the round's limit is yet to be read off them."""
        if len(self.limits) <= number:
            return [(0, prompts)]
        together = max(1, BATCH_IMAGES // images, ceil(prompts / MOST_PARTS))
        return [(at, together) for at in range(0, prompts, together)]

    def _search(self, name: str, number: int, prompts: Sequence[Prompt], images: range) -> None:
        """A round's images of some prompts, but for those that they have already."""
        firsts = [max(images.start, self._has(prompt)) for prompt in prompts]
        wanted = [_images_of(one, range(first, images.stop)) for one, first in zip(prompts, firsts, strict=True)]
        self.search.make(f"{self.name}-{name}", wanted, steps=self.protocol.search_steps[number])
        self._searched.update((prompt.prompt_id, images.stop) for prompt in prompts)

    def _has(self, prompt: Prompt) -> int:
        """Search images that a prompt has so far."""
        return max(self._searched.get(prompt.prompt_id, 0), self._chased.get(prompt.prompt_id, 0))

    def _known(self, prompts: Sequence[Prompt], made: int) -> dict[str, Images]:
        """The images of the rounds so far, and no later ones."""
        stored = self.search.images(prompts, pictures=self.rule.pictures)
        return {
            prompt: Images(
                search=tuple(shown for shown in images.search if shown.index < max(made, self._chased.get(prompt, 0))),
                evidence=tuple(shown for shown in images.evidence if shown.index in self._asked.get(prompt, ())),
            )
            for prompt, images in stored.items()
        }

    def _scores(self, prompts: Sequence[Prompt], made: int) -> dict[str, float]:
        return {key: self.rule.score(images.search) for key, images in self._known(prompts, made).items()}

    def _limit(self, number: int, made: int) -> float:
        """Read off this arm, when it is the control arm; prompts of which no image came say nothing."""
        known = self._known(self.prompts, made).values()
        scores = [self.rule.score(images.search) for images in known if images.search]
        share = self.protocol.look_rate * (number + 1) / len(self.protocol.schedule)
        return agreement_threshold(scores, ceiling=FARTHEST, rate=share).value

    def _look(self, name: str, number: int, made: int, active: Sequence[Prompt]) -> None:
        """Full-step images of the prompts whose search images are near enough, until each is settled."""
        looked, step = list(active), 0
        while looked:
            known = self._known(looked, made)
            proof = [(prompt, self._wanted(known[prompt.prompt_id], number)) for prompt in looked]
            chase = [(prompt, self._more(known[prompt.prompt_id])) for prompt, indices in proof if not indices]
            self._prove(f"{name}-evidence-{step}", [(prompt, indices) for prompt, indices in proof if indices])
            self._chase(f"{name}-chase-{step}", number, [(prompt, indices) for prompt, indices in chase if indices])
            looked = [prompt for prompt, indices in (*proof, *chase) if indices]
            step += 1
        for key, images in self._known(active, made).items():
            level = self.rule.level(images.evidence)
            if level is not None and level <= self.rule.ceiling:
                self.levels[key] = level

    def _wanted(self, images: Images, number: int) -> list[int]:
        promising = self.rule.promising(images.search, self.limits[number])
        return self.rule.wanted(images.search, images.evidence, promising)

    def _more(self, images: Images) -> range:
        """Numbers of further search images, those of later rounds first."""
        first = max((shown.index for shown in images.search), default=-1) + 1
        return range(first, first + self.rule.more(images.search, images.evidence))

    def _chase(self, name: str, number: int, wanted: Sequence[tuple[Prompt, range]]) -> None:
        parts = [_images_of(prompt, indices) for prompt, indices in wanted]
        self.search.make(f"{self.name}-{name}", parts, steps=self.protocol.search_steps[number])
        for prompt, indices in wanted:
            self._chased[prompt.prompt_id] = indices.stop

    def _prove(self, name: str, wanted: Sequence[tuple[Prompt, Sequence[int]]]) -> None:
        parts = [_images_of(prompt, (EVIDENCE_FIRST + index for index in indices)) for prompt, indices in wanted]
        self.search.make(f"{self.name}-{name}", parts, steps=self.protocol.steps)
        for prompt, indices in wanted:
            self._asked.setdefault(prompt.prompt_id, set()).update(indices)

    def _record(self, name: str) -> None:
        """Fill up the full-step images of accepted prompts, with seeds that nothing was chosen by."""
        made = self.protocol.schedule[-1]
        wanted = []
        for prompt in self.prompts:
            asked = self._asked.get(prompt.prompt_id, set())
            if prompt.prompt_id in self.levels and len(asked) < self.protocol.record:
                first = max(made, max(asked) + 1, self._chased.get(prompt.prompt_id, 0))
                wanted.append((prompt, range(first, first + self.protocol.record - len(asked))))
        self._prove(name, wanted)


def _images_of(prompt: Prompt, indices: Iterable[int]) -> PromptImages:
    return PromptImages(prompt_id=prompt.prompt_id, caption=prompt.caption, indices=tuple(indices))
