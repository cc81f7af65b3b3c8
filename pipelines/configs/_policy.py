"""What a finished run is held to: a recall, and rules that break it (`--fail-on`), for a job that is gated on it.

>>> Rule.parse("risk>=high:10")
Rule(text='risk>=high:10', figure='risk', limit=10.0, risk_class='high')
"""

import re
from dataclasses import dataclass

from scanner.errors import UnusableInputError

RISK_CLASSES = ("high", "medium", "low")
"""Riskiest first, as `scanner.prompts` has them."""
_HITS = re.compile(r"hits>(\d+)")
_RISK = re.compile(r"risk>=([a-z]+):(\d+)")
_RECALL = re.compile(r"recall<(\d+(?:\.\d+)?|\.\d+)")


@dataclass(frozen=True)
class Rule:
    """A condition under which a run fails."""

    text: str
    """As it was given, without blanks."""
    figure: str
    """hits, risk or recall."""
    limit: float
    """hits: so many are allowed; risk: so many prompts are too many; recall: less than this share is too little."""
    risk_class: str | None = None
    """risk: prompts of this class and riskier ones are counted."""

    @classmethod
    def parse(cls, text: str) -> "Rule":
        """`hits>N`, `risk>=CLASS:N` or `recall<SHARE`. Raises UnusableInputError for anything else."""
        given = "".join(text.split())
        if found := _HITS.fullmatch(given):
            return cls(given, "hits", float(found[1]))
        if (found := _RISK.fullmatch(given)) and found[1] in RISK_CLASSES and int(found[2]):
            return cls(given, "risk", float(found[2]), found[1])
        if (found := _RECALL.fullmatch(given)) and 0 < float(found[1]) <= 1:
            return cls(given, "recall", float(found[1]))
        raise UnusableInputError(
            f"--fail-on '{text[:80]}' is no rule; write 'hits>0', 'risk>=high:10' (high, medium or low, and from 1 up) "
            "or 'recall<0.99' (above 0 to 1)."
        )


@dataclass(frozen=True, kw_only=True)
class Policy:
    """What a run must keep, once it is written; apart from the configuration, so that a resumed run may have another.

    The point estimate is judged, not an end of its interval: even with no pair missed the lower end stays below 0.99
    until 368 of the rows drawn have a near-duplicate, and few data sets have so many.
    """

    min_recall: float | None = None
    """Exit with 3, after everything is written, when the search found a smaller share of the true pairs than this,
    above 0 to 1. Every audit measures that share by brute force on up to 500 rows drawn at random. The share itself is
    compared, not the lower end of its interval, which few pairs keep low even where none was missed; the report shows
    both. Where no drawn row has a near-duplicate there is nothing to measure: that is said, and the exit code is 0."""
    fail_on: tuple[str, ...] = ()
    """Exit with 3, after everything is written, when this holds (may be given several times): hits>0 (more verified
    prompts than 0, or memorised pictures of a model without prompts), risk>=high:10 (10 prompts or more of the class
    high or a riskier one), recall<0.99 (as --min-recall 0.99). Quote it: > and < mean something to a shell."""

    def __post_init__(self) -> None:
        if self.min_recall is not None and not 0 < self.min_recall <= 1:
            raise UnusableInputError(f"--min-recall lies above 0 and at most at 1, not at {self.min_recall}.")
        self.rules()

    def rules(self) -> tuple[Rule, ...]:
        """Those of `fail_on`. Raises UnusableInputError for one that is none."""
        return tuple(Rule.parse(text) for text in self.fail_on)
