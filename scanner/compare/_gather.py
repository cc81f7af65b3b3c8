"""Put a comparison together from the tables of both runs; one run after the other, so that few of them are in memory.

>>> compare(Run.open(Path("A")), Run.open(Path("B"))).headline               # doctest: +SKIP
"""

from dataclasses import replace

import polars as pl

from scanner.compare import _conclusions, _groups, _hits, _listed, _prompts, _settings, _warnings, _words
from scanner.compare._identity import choose, count_identities
from scanner.compare._model import SCHEMA_VERSION, Comparison, Hits, Side
from scanner.compare._records import HitChange
from scanner.errors import UnusableInputError
from scanner.report import check_tables, count_duplicates, count_rows, is_complete, method, name_of, thresholds
from scanner.run import Run
from scanner.tables import CANDIDATES, PROMPTS, TRIAGE


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
    old, new = _side(before), _side(after)
    identities = count_identities(before, after)
    identity = choose(identities, old.rows.read, new.rows.read)
    matched = _groups.match_groups(before, after, identity)
    prompts = _prompts.match_prompts(before, after)
    hits, hit_changes = _compare_hits(before, after, old, new)
    found = Comparison(
        schema_version=SCHEMA_VERSION,
        before=old,
        after=new,
        headline="",
        summary="",
        warnings=(),
        differences=_settings.differences(method(before), method(after)),
        same_files=_settings.same_files(before, after),
        identities=identities,
        groups=_groups.count_groups(matched, identity, old.duplicates, new.duplicates),
        group_changes=_listed.list_groups(before, after, matched),
        risk=_prompts.count_risk(prompts, after),
        prompt_changes=_prompts.list_prompts(prompts, before, after),
        hits=hits,
        hit_changes=hit_changes,
        limits=(),
    )
    if hits is not None:
        agreement = tuple(thresholds(run, controls=0).normalised_l2 for run in (before, after))
        found = replace(found, hits=replace(hits, sentences=_conclusions.hit_sentences(found, agreement)))
    broken = [*_broken(before, old), *_broken(after, new)]
    found = replace(found, warnings=_warnings.warnings(found, broken), limits=_words.limits(found))
    return replace(found, headline=_words.headline(found), summary=_words.summary(found))


def _side(run: Run) -> Side:
    attack = run.part_config("attack")
    arms = dict(PROMPTS.scan(run.path).group_by("arm").len().collect().iter_rows())
    rows = count_rows(run)
    return Side(
        name=run.path.resolve().name,
        path=str(run.path),
        dataset=name_of(run.config.get("dataset"), "an unnamed data set"),
        target=None if attack is None else name_of(attack.get("target"), "the model"),
        target_checksum=(attack or {}).get("target_checksum"),
        attacked="attack" in run.manifest().get("parts", {}) and _tried(run),
        complete=is_complete(run),
        rows=rows,
        duplicates=count_duplicates(run, rows.read),
        risk_prompts=arms.get("risk", 0),
        control_prompts=arms.get("control", 0),
    )


def _tried(run: Run) -> bool:
    return any(table.scan(run.path).head(1).collect().height for table in (TRIAGE, CANDIDATES))


def _broken(run: Run, side: Side) -> list[str]:
    """What the tables of a run say of one another that does not hold."""
    checks = check_tables(run, side.rows, side.duplicates)
    return [f"{side.name}: {check.sentence.rstrip('.')}" for check in checks if not check.passed]


def _compare_hits(before: Run, after: Run, old: Side, new: Side) -> tuple[Hits | None, tuple[HitChange, ...]]:
    if not (old.attacked or new.attacked):
        return None, ()
    tried = [_hits.tried_prompts(run).filter(side.attacked) for run, side in ((before, old), (after, new))]
    rates = _hits.arm_rates(*tried)
    if not (old.attacked and new.attacked):
        return Hits(arms=rates, paired=None, sentences=()), ()
    matched: pl.DataFrame = _hits.match_hits(*tried)
    return Hits(arms=rates, paired=_hits.pair(matched), sentences=()), _hits.list_hits(matched, before, after)
