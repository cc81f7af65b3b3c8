"""Whether a finished run keeps what the user holds it to (`--min-recall`, `--fail-on`), for a job that is gated on it.

A policy is judged last, after every table is written: a run that breaks it has lost nothing. It is no part of the run's
configuration, so another one does not refuse the resume. Figures come from the report's own model, so that the gate and
the report can't disagree. What a run can't measure is refused before any work (`refuse_unmeasurable`).

    judged = judge(Policy(fail_on=("hits>0",)), run)
    refuse_broken(judged)                                      # raises PolicyBrokenError, exit code 3
"""

import math
from dataclasses import dataclass

from pipelines.configs import RISK_CLASSES, Policy, Rule
from scanner.errors import PolicyBrokenError, UnusableInputError
from scanner.report import Findings, Recall, count, gather, measured_recall, scoped
from scanner.run import Run


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What came of one rule of a policy."""

    rule: str
    """min_recall, or the rule of --fail-on: hits>0."""
    wanted: float
    """Its number."""
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
    judged = []
    if policy.min_recall is not None:
        judged.append(_judge_recall("min_recall", policy.min_recall, f"--min-recall {policy.min_recall:g}", run))
    found = gather(run) if any(rule.figure != "recall" for rule in policy.rules()) else None
    for rule in policy.rules():
        if rule.figure == "recall":
            judged.append(_judge_recall(rule.text, rule.limit, _name(rule), run))
        elif found is not None:
            judged.append((_judge_hits if rule.figure == "hits" else _judge_risk)(rule, found, run))
    return tuple(judged)


def refuse_broken(judged: tuple[Judgement, ...]) -> None:
    """Raises PolicyBrokenError when a rule is broken."""
    broken = [one.sentence for one in judged if one.kept is False]
    if broken:
        raise PolicyBrokenError(" ".join(broken))


def refuse_hits(policy: Policy, why: str) -> None:
    """Raises UnusableInputError, before any work, when a rule asks for hits that there will be none of: `why`."""
    for rule in policy.rules():
        if rule.figure == "hits":
            raise UnusableInputError(f"{_name(rule)} can't be judged: {why}.")


def refuse_unmeasurable(policy: Policy, run: Run) -> None:
    """Raises UnusableInputError, before a model is attacked, when the audit has not measured what a rule asks for."""
    others = tuple(rule.text for rule in policy.rules() if rule.figure != "hits")
    judge(Policy(min_recall=policy.min_recall, fail_on=others), run)


def _name(rule: Rule) -> str:
    return f"--fail-on '{rule.text}'"


def _judge_hits(rule: Rule, found: Findings, run: Run) -> Judgement:
    if found.target is None and found.unconditional is None:
        raise UnusableInputError(
            f"{run.path} has not been attacked, so {_name(rule)} can't be judged; give it to `scanner attack`."
        )
    if not found.compared:
        raise UnusableInputError(
            f"The attack of {run.path} compared nothing with the training images, so {_name(rule)} can't be judged; "
            "attack without --no-originals."
        )
    if found.unconditional is not None:
        hits, tried = found.unconditional.memorised, found.unconditional.usable
        said = (
            f"{count(hits, 'training picture')} came back in {count(tried, 'image')}; within the threshold lie "
            f"{scoped(found.unconditional.within, 'images')}"
        )
    else:
        risk, control = found.arms
        hits, tried = risk.verified.hits + control.verified.hits, risk.tried + control.tried
        said = (
            f"verified {scoped(risk.verified, 'high-risk prompts')} and {scoped(control.verified, 'control prompts')}"
        )
        open_ = risk.undecided + control.undecided
        said += f", with {open_:,} still undecided" if open_ else ""
    if not tried:
        sentence = f"{_name(rule)} was not tested: nothing was tried in this run."
        return Judgement(rule=rule.text, wanted=rule.limit, measured=None, kept=None, sentence=sentence)
    kept = hits <= rule.limit
    if kept and not found.complete:
        raise UnusableInputError(
            f"The attack of {run.path} is not finished, so {_name(rule)} can't be kept; give the same attack again."
        )
    if kept:
        sentence = f"{_name(rule)} is kept: {said}, under this protocol, which does not say that nothing is memorised."
    else:
        sentence = f"{_name(rule)} is met: {said}, under this protocol; all is written, look at the hits in the report."
    return Judgement(rule=rule.text, wanted=rule.limit, measured=float(hits), kept=kept, sentence=sentence)


def _judge_risk(rule: Rule, found: Findings, run: Run) -> Judgement:
    if found.ranking is None:
        raise UnusableInputError(
            f"{run.path} has no risk classes, so {_name(rule)} can't be judged; give its `scanner audit` again with "
            "the same settings."
        )
    counted = RISK_CLASSES[: RISK_CLASSES.index(str(rule.risk_class)) + 1]
    prompts = sum(one.prompts for one in found.ranking.classes if one.name in counted)
    kept = prompts < rule.limit
    classes = f"the class {counted[0]}" if len(counted) == 1 else f"the classes {', '.join(counted)}"
    said = f"{prompts:,} of {count(found.arms[0].prompts, 'ranked prompt')} are of {classes}"
    if kept:
        sentence = f"{_name(rule)} is kept: {said}."
    else:
        sentence = (
            f"{_name(rule)} is met: {said}; all is written, drop or re-caption what stands behind them "
            "(scanner export RUN --format shards) and audit again."
        )
    return Judgement(rule=rule.text, wanted=rule.limit, measured=float(prompts), kept=kept, sentence=sentence)


def _judge_recall(rule: str, wanted: float, name: str, run: Run) -> Judgement:
    recall = measured_recall(run)
    if recall is None:
        raise UnusableInputError(
            f"{run.path} has not measured its recall; give its `scanner audit` again with the same settings."
        )
    kept = None if recall.share is None else recall.share >= wanted
    return Judgement(
        rule=rule,
        wanted=wanted,
        measured=recall.share,
        kept=kept,
        sentence=_recall_sentence(name, wanted, recall, kept),
    )


def _recall_sentence(name: str, wanted: float, recall: Recall, kept: bool | None) -> str:
    if recall.share is None:
        return (
            f"{name} was not tested: brute force found no near-duplicate of the {recall.rows:,} drawn,"
            " so there was no pair to miss."
        )
    found = f"found {recall.found:,} of {recall.pairs:,} true pairs, a recall of {_rounded_down(recall.share):g}"
    if not kept:
        less = f"less than {name}" if name.startswith("--min-recall") else f"so {name} is met"
        lower = "--min-recall" if name.startswith("--min-recall") else "the limit"
        return f"The search {found}, {less}; all is written, but count on copies that were missed, or lower {lower}."
    unsure = "" if recall.whole.low >= wanted else _unsure(recall)
    return f"{name} is kept: the search {found}{unsure}."


def _unsure(recall: Recall) -> str:
    whole = recall.whole
    return (
        f" (a small sample: all pairs of {whole.hits:,} of {whole.tried:,} drawn, exact 95 % interval from "
        f"{_rounded_down(whole.low):g})"
    )


def _rounded_down(share: float) -> float:
    """To four decimals, so that what is less than a limit does not read as equal to it."""
    return math.floor(share * 1e4) / 1e4
