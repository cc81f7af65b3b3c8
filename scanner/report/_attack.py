"""What the attack found, from its tables: arms, copies against extraction, prompts, hits, triage.

A prompt counts as tried when triage scored it or images were generated for it, as attacked when images were
generated, and as a hit when its verdict is matching, template or retrieved (Webster 2023). Rates are of the
prompts tried: what triage held back was tried and gave no hit.

    >>> frame = prompt_frame(Run.open(Path("RUN")))                              # doctest: +SKIP
    >>> count_arm(frame, "control").verified.high                                # doctest: +SKIP
"""

from collections.abc import Mapping
from typing import Any

import polars as pl

from scanner.attack import EVIDENCE_FIRST
from scanner.prompts import BUCKETS, bucket_label
from scanner.report._audit import clean, sample_refs
from scanner.report._findings import Arm, Cost, CurvePoint, Lacking
from scanner.report._intervals import Rate, rate
from scanner.report._records import Detector, Generation, Hit, Prompt, SampleRef, SignalValue
from scanner.report._signals import Said
from scanner.run import Run
from scanner.tables import CANDIDATES, GENERATIONS, GROUPS, HITS, MEMBERS, PROMPTS, TRIAGE, VERIFIED, Table

ARMS = ("risk", "control")
LISTED_PROMPTS = 500
LISTED_CONTROLS = 150
"""Controls that keep their place in the list when the risk arm alone would fill it."""
SHOWN_GENERATIONS = 6


def prompt_frame(run: Run) -> pl.DataFrame:
    """One row per prompt, risk arm first, by rank, with its triage, candidate and verdict (null: none).

    Of several detectors, any that decides lets a prompt through; its score and threshold are those of one that did.
    """
    triage = _triage(run)
    candidates = run.read(CANDIDATES).select("prompt_id", "generated", "decision", "evaluations")
    hits = _with_missing(HITS, run.read(HITS)).select("prompt_id", "verdict", "evidence", "paper_rule", "placement")
    frame = _with_missing(PROMPTS, run.read(PROMPTS))
    for part in (triage, candidates, hits):
        frame = frame.join(part, on="prompt_id", how="left", maintain_order="left")
    return frame.with_columns(
        attacked=pl.col("generated").fill_null(0) > 0,
        tried=(pl.col("generated").fill_null(0) > 0) | pl.col("triage_evaluations").is_not_null(),
        hit=pl.col("verdict").is_in(VERIFIED).fill_null(False) & (pl.col("generated").fill_null(0) > 0),
    ).sort(pl.col("arm") != "risk", "arm", "rank")


def _triage(run: Run) -> pl.DataFrame:
    """One row per scored prompt; a score that is no number is null, though its prompt passed."""
    decides = pl.col("decides").fill_null(True)  # runs of one detector did not say
    let_through, deciding = (decides & pl.col("passed")).not_(), decides.not_()
    return (
        _with_missing(TRIAGE, run.read(TRIAGE))
        .sort("prompt_id", let_through, deciding, "detector")
        .group_by("prompt_id", maintain_order=True)
        .agg(
            pl.col("score").fill_nan(None).first(),
            pl.col("threshold").first(),
            (decides & pl.col("passed")).any().alias("passed"),
            pl.col("evaluations").sum().alias("triage_evaluations"),
        )
    )


def _with_missing(table: Table, rows: pl.DataFrame) -> pl.DataFrame:
    """A table as an earlier version wrote it has not all columns of this one: null there."""
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in table.schema.items() if name not in rows]
    return rows.with_columns(missing)


def count_arm(frame: pl.DataFrame, arm: str, *, originals: int) -> Arm:
    """The funnel of one arm, from `prompt_frame`; its hits gave back so many different originals."""
    prompts = frame.filter(pl.col("arm") == arm)
    attacked = prompts.filter("attacked")
    verdicts = {name: _count(attacked, pl.col("verdict") == name) for name in VERIFIED}
    decisions = {name: _count(attacked, pl.col("decision") == name) for name in ("accepted", "rejected", "open")}
    tried, hits = int(prompts["tried"].sum()), sum(verdicts.values())
    return Arm(
        arm=arm,
        prompts=prompts.height,
        tried=tried,
        scored=prompts.height - prompts["triage_evaluations"].null_count(),
        passed=_count(prompts, pl.col("passed")),
        attacked=attacked.height,
        accepted=decisions["accepted"],
        rejected=decisions["rejected"],
        undecided=decisions["open"],
        checked=_count(attacked, pl.col("evidence") > 0),
        **verdicts,
        displaced=_count(attacked, pl.col("placement").is_not_null()),
        originals=originals,
        verified=rate(hits, tried),
        verified_of_attacked=rate(hits, attacked.height),
        cliques=rate(decisions["accepted"], attacked.height),
        paper_rule=rate(_count(attacked, pl.col("paper_rule")), tried),
        cost=_cost(prompts, hits=hits),
    )


def _count(frame: pl.DataFrame, condition: pl.Expr) -> int:
    return int(frame.select(condition.fill_null(False).sum()).item() or 0)


def _cost(prompts: pl.DataFrame, *, hits: int) -> Cost:
    triage, search, evidence, spent = (
        int(prompts[name].sum()) for name in ("triage_evaluations", "generated", "evidence", "evaluations")
    )
    images = search + evidence
    known = spent > 0 or images == 0  # no image takes none: of an API, or of images made elsewhere, nobody counted
    return Cost(
        triage_evaluations=triage,
        search_images=search,
        evidence_images=evidence,
        image_evaluations=spent if known else None,
        images=images,
        evaluations=triage + spent if known else None,
        images_per_hit=images / hits if hits else None,
        evaluations_per_hit=(triage + spent) / hits if hits and known else None,
    )


def count_lacking(run: Run) -> tuple[Lacking, ...]:
    """Images of either arm that were asked for and can't be compared, by reason, the most frequent first."""
    rows = GENERATIONS.scan(run.path).filter(pl.col("defect").is_not_null())
    counts = rows.group_by("defect").agg(pl.len(), pl.col("prompt_id").n_unique()).collect()
    return tuple(
        Lacking(defect=defect, images=images, prompts=prompts)
        for defect, images, prompts in counts.sort(-pl.col("len").cast(pl.Int64), "defect").iter_rows()
    )


def curve(frame: pl.DataFrame) -> tuple[CurvePoint, ...]:
    """Copies against extraction: controls as one copy, then the risk arm by ranges. Empty without attack.

    `frame` is `prompt_frame` with the `original` that each hit gave back: its group, or its row.
    """
    if not frame["attacked"].any():
        return ()
    risk = pl.col("arm") == "risk"
    copies = pl.col("copies")
    ranges = [("1", "control", pl.col("arm") == "control"), ("1", "risk", risk & (copies <= 1))]
    ranges += [
        (bucket_label(low, high), "risk", risk & (copies >= low) & (copies <= high if high else pl.lit(True)))
        for low, high in BUCKETS
    ]
    controls = frame.filter(pl.col("arm") == "control")
    floor = _verified(controls) if controls["tried"].any() else None
    points = []
    for label, arm, condition in ranges:
        part = frame.filter(condition)
        if part.height:
            verified = _verified(part)
            points.append(
                CurvePoint(
                    label=label,
                    arm=arm,
                    prompts=part.height,
                    verified=verified,
                    originals=part["original"].drop_nulls().n_unique(),
                    above_control=None if floor is None or arm == "control" else verified.low > floor.high,
                )
            )
    return tuple(points)


def _verified(prompts: pl.DataFrame) -> Rate:
    return rate(int(prompts["hit"].sum()), int(prompts["tried"].sum()))


def list_prompts(run: Run, frame: pl.DataFrame) -> tuple[Prompt, ...]:
    """The first prompts of each arm, LISTED_PROMPTS in all."""
    risk, control = (frame.filter(pl.col("arm") == arm) for arm in ARMS)
    controls = min(control.height, max(LISTED_CONTROLS, LISTED_PROMPTS - risk.height))
    listed = pl.concat([risk.head(LISTED_PROMPTS - controls), control.head(controls)])
    refs = sample_refs(run, listed["sample_id"].drop_nulls())
    return tuple(_prompt(clean(row), refs.get(row["sample_id"])) for row in listed.iter_rows(named=True))


_PROMPT_COLUMNS = (
    *("prompt_id", "arm", "rank", "url", "group_id", "sample_id", "caption_copies", "caption_groups"),
    *("risk_class", "caption_rows", "copies_part", "concentration", "specificity", "template_part", "agreement"),
    *("family_id", "covered_rows", "generated", "decision", "verdict"),
)


def _prompt(row: dict[str, Any], sample: SampleRef | None) -> Prompt:
    return Prompt(
        **{name: row[name] for name in _PROMPT_COLUMNS},
        sample=sample,
        caption=row["caption"] or "",
        reason=row["reason"] or "",
        copies=row["copies"] or 1,
        risk=row["risk"],
        triage_score=row["score"],
        triage_threshold=row["threshold"],
        triage_passed=row["passed"],
    )


def list_hits(run: Run, frame: pl.DataFrame) -> tuple[Hit, ...]:
    """The verified prompts with their evidence, risk arm first, by rank; all of them."""
    prompts = frame.filter("hit").select("prompt_id", "arm", "rank", "caption")
    joined = prompts.join(_with_missing(HITS, run.read(HITS)), on="prompt_id", maintain_order="left")
    rows = [clean(row) for row in joined.iter_rows(named=True)]
    originals = {row["sample_id"] for row in rows} - {None}
    refs = sample_refs(run, originals)
    group_of, copies = _groups_of(run, originals)
    evidence = _evidence(run, [row["prompt_id"] for row in rows])
    said = Said(run, groups=group_of.values(), samples=originals - group_of.keys())
    return tuple(
        _hit(
            row,
            signals=_signals(said, row["sample_id"], group_of),
            original=refs.get(row["sample_id"]),
            group=(group_of.get(row["sample_id"]), copies.get(group_of.get(row["sample_id"], -1), 1)),
            generations=evidence.get(row["prompt_id"], ()),
        )
        for row in rows
    )


def _signals(said: Said, sample_id: int | None, group_of: Mapping[int, int]) -> tuple[SignalValue, ...]:
    """Of the picture that came back; none where nobody knows which it is."""
    if sample_id is None:
        return ()
    return said.of_group(group_of[sample_id]) if sample_id in group_of else said.of_row(sample_id)


_HIT_COLUMNS = (
    *("prompt_id", "arm", "rank", "verdict", "l2", "normalised_l2", "tile_l2", "reconstruction_l2"),
    *("copy_similarity", "template_area", "template_l2", "masked_share", "k", "seed", "paper_rule", "paper_l2"),
)


def _hit(
    row: dict[str, Any],
    *,
    original: SampleRef | None,
    group: tuple[int | None, int],
    generations: tuple[Generation, ...],
    signals: tuple[SignalValue, ...],
) -> Hit:
    return Hit(
        **{name: row[name] for name in _HIT_COLUMNS},
        original_state=row.get("original_state"),
        caption=row["caption"] or "",
        agreeing=row["agreeing"] or 0,
        evidence=row["evidence"] or 0,
        original=original,
        group_id=group[0],
        copies=group[1],
        generations=generations,
        signals=signals,
        review=None,
    )


def _groups_of(run: Run, sample_ids: set[int]) -> tuple[dict[int, int], dict[int, int]]:
    """By sample its group, and by group its copies."""
    members = MEMBERS.scan(run.path).filter(pl.col("sample_id").is_in(sorted(sample_ids)))
    group_of = dict(members.select("sample_id", "group_id").collect().iter_rows())
    groups = GROUPS.scan(run.path).filter(pl.col("group_id").is_in(sorted(set(group_of.values()))))
    return group_of, dict(groups.select("group_id", "copies").collect().iter_rows())


def _evidence(run: Run, prompt_ids: list[str]) -> dict[str, tuple[Generation, ...]]:
    """By prompt, its nearest usable full-step images; the pixels stay in the file."""
    usable = (pl.col("image_index") >= EVIDENCE_FIRST) & pl.col("defect").is_null()
    nearest = pl.col("sample_id").alias("nearest")
    frame = (
        GENERATIONS.scan(run.path)
        .filter(usable & pl.col("prompt_id").is_in(prompt_ids))
        .select("prompt_id", "image_index", "seed", "steps", nearest, pl.col("normalised_l2").fill_nan(None))
        .collect()
        .sort("prompt_id", "normalised_l2", "image_index", nulls_last=True)
    )
    shown = frame.group_by("prompt_id", maintain_order=True).head(SHOWN_GENERATIONS)
    return {
        prompt_id: tuple(Generation(**row) for row in rows.drop("prompt_id").iter_rows(named=True))
        for (prompt_id,), rows in shown.group_by("prompt_id", maintain_order=True)
    }


def list_detectors(run: Run) -> tuple[Detector, ...]:
    """Each detector on each arm."""
    scores = run.read(TRIAGE).join(run.read(PROMPTS).select("prompt_id", "arm"), on="prompt_id")
    counts = (
        scores.group_by("detector", "arm")
        .agg(
            pl.col("threshold").first().fill_nan(None),
            pl.len().alias("scored"),
            pl.col("passed", "evaluations").sum().cast(pl.Int64),
        )
        .sort("detector", pl.col("arm") != "risk")
    )
    return tuple(
        Detector(detector=name, arm=arm, threshold=threshold, passed=rate(passed, scored), evaluations=spent)
        for name, arm, threshold, scored, passed, spent in counts.iter_rows()
    )
