"""Put a comparison together from the tables of both runs; one run after the other, so that few of them are in memory.

>>> compare(open_sides(Path("A"), Path("B")))                                # doctest: +SKIP
"""

from dataclasses import dataclass, replace

import polars as pl

from scanner.compare import _conclusions, _groups, _hits, _listed, _prompts, _settings, _warnings, _words
from scanner.compare._identity import choose, count_identities
from scanner.compare._model import SCHEMA_VERSION, Comparison, Hits, Side
from scanner.compare._records import HitChange
from scanner.errors import UnusableInputError
from scanner.report import Findings, gather
from scanner.run import Run


@dataclass(frozen=True, kw_only=True)
class _Read:
    """A side and the parts of its findings that the comparison needs further."""

    side: Side
    findings: Findings


def refuse_unusable(before: Run, after: Run) -> None:
    """Raises UnusableInputError when both are one run, or an audit is not finished."""
    if before.path.resolve() == after.path.resolve():
        raise UnusableInputError(f"{before.path} and {after.path} are one run; name two to compare.")
    for run in (before, after):
        if "audit" not in run.manifest().get("parts", {}):
            raise UnusableInputError(
                f"The audit of {run.path} is not finished; give its scanner audit again, and compare then."
            )


def compare(before: Run, after: Run) -> Comparison:
    """Everything that differs between two runs, `before` (A) and `after` (B).

    Raises UnusableInputError as `refuse_unusable` does.
    """
    refuse_unusable(before, after)
    old, new = _read(before), _read(after)
    identities = count_identities(before, after)
    identity = choose(identities, old.side.rows.read, new.side.rows.read)
    matched = _groups.match_groups(before, after, identity)
    prompts = _prompts.match_prompts(before, after)
    hits, hit_changes = _compare_hits(before, after, old, new)
    found = Comparison(
        schema_version=SCHEMA_VERSION,
        before=old.side,
        after=new.side,
        headline="",
        summary="",
        warnings=(),
        differences=_settings.differences(old.findings.method, new.findings.method),
        same_files=_settings.same_files(before, after),
        identities=identities,
        groups=_groups.count_groups(matched, identity, old.side.duplicates, new.side.duplicates),
        group_changes=_listed.list_groups(before, after, matched),
        risk=_prompts.count_risk(prompts, after),
        prompt_changes=_prompts.list_prompts(prompts, before, after),
        hits=hits,
        hit_changes=hit_changes,
        limits=(),
    )
    checks = [(run.path.name, one.findings.checks) for run, one in ((before, old), (after, new))]
    broken = [f"{name}: {check.sentence}" for name, ones in checks for check in ones if not check.passed]
    if hits is not None:
        agreement = tuple(one.findings.thresholds.normalised_l2 for one in (old, new))
        found = replace(found, hits=replace(hits, sentences=_conclusions.hit_sentences(found, agreement)))
    found = replace(found, warnings=_warnings.warnings(found, broken), limits=_words.limits(found))
    return replace(found, headline=_words.headline(found), summary=_words.summary(found))


def _read(run: Run) -> _Read:
    found = gather(run)
    risk, control = found.arms
    side = Side(
        name=run.path.resolve().name,
        path=str(run.path),
        dataset=found.dataset,
        target=found.target,
        attacked=found.attacked or risk.tried + control.tried > 0,
        complete=found.complete,
        rows=found.rows,
        duplicates=found.duplicates,
        risk_prompts=risk.prompts,
        control_prompts=control.prompts,
    )
    # the long lists are not needed, and may hold a million characters of captions
    return _Read(side=side, findings=replace(found, hits=(), groups=(), prompts=(), matching=(), errors=()))


def _compare_hits(before: Run, after: Run, old: _Read, new: _Read) -> tuple[Hits | None, tuple[HitChange, ...]]:
    if not (old.side.attacked or new.side.attacked):
        return None, ()
    tried = [_hits.tried_prompts(run) for run in (before, after)]
    rates = _hits.arm_rates(*tried)
    if not (old.side.attacked and new.side.attacked):
        return Hits(arms=rates, paired=None, sentences=()), ()
    matched: pl.DataFrame = _hits.match_hits(*tried)
    return Hits(arms=rates, paired=_hits.pair(matched), sentences=()), _hits.list_hits(matched, before, after)
