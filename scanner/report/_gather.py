"""Gather the findings of a run from its tables, in any state of it: audited, attacked, empty, only errors.

>>> from scanner.report._gather import gather
>>> gather(Run.open(Path("RUN"))).headline                                   # doctest: +SKIP
"""

from dataclasses import replace

import polars as pl

from scanner import __version__
from scanner.report import _attack, _audit, _words
from scanner.report._annex import annex
from scanner.report._annex_model import UNWRITTEN
from scanner.report._captions import count_captions
from scanner.report._concentration import count_concentration
from scanner.report._detector_curves import detector_curves
from scanner.report._distances import count_distances
from scanner.report._eidetic import count_k
from scanner.report._findings import SCHEMA_VERSION, BehindHits, Findings
from scanner.report._matches import count_matches, list_matches
from scanner.report._method import method, name_of, thresholds
from scanner.report._ranking import count_ranking
from scanner.report._recall import measured_recall
from scanner.report._repair import count_repair
from scanner.report._review import with_reviews
from scanner.report._signals import count_signals
from scanner.report._templates import count_templates
from scanner.report._unconditional import count_unconditional
from scanner.review import judge_items
from scanner.run import Run
from scanner.tables import GROUPS, HITS, MEMBERS


def gather(run: Run) -> Findings:
    """Everything that the report shows, read from the run."""
    rows = _audit.count_rows(run)
    duplicates = _audit.count_duplicates(run, rows.read)
    frame = _attack.prompt_frame(run)
    behind = _behind_hits(run, frame)
    arms = tuple(_attack.count_arm(frame, arm, originals=_originals(behind, arm)) for arm in _attack.ARMS)
    returned = _with_originals(run, frame, behind)
    limits = thresholds(run, controls=arms[1].attacked)
    attack, outcome = run.part_config("attack"), run.manifest().get("parts", {}).get("attack", {})
    attacked = bool(frame["attacked"].any())
    compared = attack is None or bool(attack.get("originals", True))
    found = Findings(
        schema_version=SCHEMA_VERSION,
        scanner_version=__version__,
        dataset=name_of(run.config.get("dataset"), "an unnamed data set"),
        target=None if attack is None else name_of(attack.get("target"), "the model"),
        attacked=attacked,
        compared=compared,
        stopped=outcome.get("stopped"),
        complete=is_complete(run),
        headline="",
        summary="",
        advice=(),
        rows=rows,
        duplicates=duplicates,
        recall=measured_recall(run),
        captions=count_captions(run),
        matches=count_matches(run),
        templates=count_templates(run),
        ranking=count_ranking(run, frame),
        repair=count_repair(run),
        arms=arms,
        thresholds=limits,
        unconditional=count_unconditional(run),
        review=None,
        behind_hits=_count_behind(run, behind),
        curve=_attack.curve(returned),
        distances=count_distances(run, frame, threshold=limits.normalised_l2) if attacked and compared else None,
        concentration=count_concentration(run, frame, behind["group_id"].drop_nulls().unique()),
        eidetic=count_k(returned.filter("hit")),
        signals=count_signals(run),
        hits=_attack.list_hits(run, frame),
        groups=_audit.list_groups(run, _prompts_by_group(behind)),
        matching=list_matches(run),
        prompts=_attack.list_prompts(run, frame),
        detectors=_attack.list_detectors(run),
        detector_curves=detector_curves(run, frame),
        error_counts=_audit.count_errors(run),
        errors=_audit.list_errors(run),
        method=method(run),
        checks=_audit.check_tables(run, rows, duplicates),
        lacking=_attack.count_lacking(run),
        originals_missing=int(outcome.get("originals_missing") or 0),
        limits=(),
        annex=UNWRITTEN,
    )
    judged = judge_items(run)
    found = found if judged is None else with_reviews(found, judged)
    found = replace(found, advice=_words.advice(found), limits=_words.limits(found), annex=annex(found))
    return replace(found, headline=_words.headline(found), summary=_words.summary(found))


def is_complete(run: Run) -> bool:
    """Whether the manifest says that every part begun is finished."""
    parts = run.manifest().get("parts", {})
    return bool(parts) and (run.part_config("attack") is None or "attack" in parts)


def _behind_hits(run: Run, frame: pl.DataFrame) -> pl.DataFrame:
    """Per hit, in the order of `frame`: prompt_id, arm, sample_id of what came back, its group_id or null."""
    hits = frame.filter("hit").select("prompt_id", "arm")
    originals = run.read(HITS).select("prompt_id", "sample_id")
    hits = hits.join(originals, on="prompt_id", maintain_order="left").filter(pl.col("sample_id").is_not_null())
    members = MEMBERS.scan(run.path).join(hits.select("sample_id").unique().lazy(), on="sample_id", how="semi")
    groups = members.select("sample_id", "group_id").collect()
    return hits.join(groups, on="sample_id", how="left", maintain_order="left")


def _originals(behind: pl.DataFrame, arm: str) -> int:
    """Different training images behind an arm's hits: rows of one duplicate group are one."""
    mine = behind.filter(pl.col("arm") == arm)
    return int(mine.select(pl.coalesce("group_id", "sample_id").n_unique()).item())


def _with_originals(run: Run, frame: pl.DataFrame, behind: pl.DataFrame) -> pl.DataFrame:
    """`frame` with the `original` that each hit gave back (its group, or its row), and the hit's k."""
    originals = behind.select("prompt_id", original=pl.coalesce("group_id", "sample_id"))
    for part in (originals, run.read(HITS).select("prompt_id", "k")):
        frame = frame.join(part, on="prompt_id", how="left", maintain_order="left")
    return frame


def _count_behind(run: Run, behind: pl.DataFrame) -> BehindHits:
    groups = behind["group_id"].drop_nulls().unique()
    copies = GROUPS.scan(run.path).filter(pl.col("group_id").is_in(groups.implode())).select(pl.col("copies").sum())
    singles = behind.filter(pl.col("group_id").is_null())["sample_id"].n_unique()
    return BehindHits(groups=len(groups), rows=int(copies.collect().item() or 0), singles=singles)


def _prompts_by_group(behind: pl.DataFrame) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for prompt_id, group_id in behind.select("prompt_id", "group_id").iter_rows():
        if group_id is not None:
            found[group_id] = (*found.get(group_id, ()), prompt_id)
    return found
