"""Whether a finished run keeps what the user holds it to (`--min-recall`), for a training job that is gated on it.

A policy is judged last, after every table and the report are written: a run that breaks it has lost nothing. It is no
part of the run's configuration, so another one does not refuse the resume. Another rule is another function here.

    judged = judge(Policy(min_recall=0.99), run)
    refuse_broken(judged)                                      # raises PolicyBrokenError, exit code 3
"""

import math
from dataclasses import dataclass

from pipelines.configs import Policy
from scanner.errors import PolicyBrokenError, UnusableInputError
from scanner.report import Recall, measured_recall
from scanner.run import Run


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What came of one rule of a policy."""

    rule: str
    """The option without its dashes: min_recall."""
    wanted: float
    """Its value."""
    measured: float | None
    """What the run measured; None where there was nothing to measure."""
    kept: bool | None
    """Whether the run keeps the rule; None where there was nothing to measure."""
    sentence: str
    """The same for people."""


def judge(policy: Policy, run: Run) -> tuple[Judgement, ...]:
    """One judgement for each rule that is set.

    Raises UnusableInputError when the run has not measured what a rule asks for.
    """
    return () if policy.min_recall is None else (_judge_recall(policy.min_recall, run),)


def refuse_broken(judged: tuple[Judgement, ...]) -> None:
    """Raises PolicyBrokenError when a rule is broken."""
    broken = [one.sentence for one in judged if one.kept is False]
    if broken:
        raise PolicyBrokenError(" ".join(broken))


def _judge_recall(wanted: float, run: Run) -> Judgement:
    recall = measured_recall(run)
    if recall is None:
        raise UnusableInputError(
            f"{run.path} has not measured its recall; give its `scanner audit` again with the same settings."
        )
    kept = None if recall.share is None else recall.share >= wanted
    return Judgement(
        rule="min_recall", wanted=wanted, measured=recall.share, kept=kept, sentence=_sentence(wanted, recall, kept)
    )


def _sentence(wanted: float, recall: Recall, kept: bool | None) -> str:
    if recall.share is None:
        return (
            f"--min-recall {wanted:g} was not tested: brute force found no near-duplicate of the {recall.rows:,} drawn,"
            " so there was no pair to miss."
        )
    found = f"found {recall.found:,} of {recall.pairs:,} true pairs, a recall of {_rounded_down(recall.share):g}"
    if not kept:
        return (
            f"The search {found}, less than --min-recall {wanted:g}; all is written, but count on copies "
            "that were missed, or lower --min-recall."
        )
    unsure = "" if recall.whole.low >= wanted else _unsure(recall)
    return f"--min-recall {wanted:g} is kept: the search {found}{unsure}."


def _unsure(recall: Recall) -> str:
    whole = recall.whole
    return (
        f" (a small sample: all pairs of {whole.hits:,} of {whole.tried:,} drawn, exact 95 % interval from "
        f"{_rounded_down(whole.low):g})"
    )


def _rounded_down(share: float) -> float:
    """To four decimals, so that what is less than a limit does not read as equal to it."""
    return math.floor(share * 1e4) / 1e4
