"""A run held against the truth: recall by copies, the negative control, detectors, verdicts, costs.

>>> score(Run.open(Path("RUN")), read_truth(Path("truth.parquet")), names=("truth.parquet", "RUN"))     # doctest: +SKIP
"""

from dataclasses import dataclass

import polars as pl

from scanner.report import percent
from scanner.run import Run
from scanner.score._confusion import confusion
from scanner.score._costs import costs
from scanner.score._curves import curves
from scanner.score._detectors import detector_points, detectors
from scanner.score._funnel import counted, funnel, pictures_of
from scanner.score._join import join_rows
from scanner.score._model import Funnel, Joined, Score
from scanner.score._prompts import captioned, prompts_of, shown_by, with_pictures
from scanner.score._verdicts import error_rates
from scanner.tables import SAMPLES, TRIAGE


@dataclass(frozen=True, kw_only=True)
class Scored:
    """A score with the tables that it was counted from."""

    score: Score
    """What is said."""
    pictures: pl.DataFrame
    """A row a picture of the truth (see `pictures_of`)."""
    prompts: pl.DataFrame
    """A row a tried prompt (see `prompts_of`), with each detector's score in a column of its name."""
    points: pl.DataFrame
    """A row a threshold of each score (see `curves`): its ROC and its precision-recall curve."""
    detector_points: pl.DataFrame
    """A row a threshold of each detector against each kind of positives: its ROC."""
    names: tuple[str, str]
    """What truth and run are called."""


def score(
    run: Run, truth: pl.DataFrame, *, names: tuple[str, str], memorised_from: int = 8, precision: float = 0.95
) -> Scored:
    """Hold a run with a finished audit against `read_truth`'s table; `names` are what truth and run are called.
    Each score's threshold is looked for at the `precision`, above 0 to 1.

    Raises UnusableInputError where the truth is of another data set.
    """
    samples = SAMPLES.scan(run.path).select("sample_id", "shard", "key", "caption").collect()
    rows = with_pictures(join_rows(truth, samples, names), run)
    links = captioned(rows)
    prompts = prompts_of(run, links, shown_by(rows, run))
    pictures = pictures_of(rows, links, prompts)
    attacked = run.part_config("attack") is not None
    twins = pictures.filter(~pl.col("planted"))
    joined = Joined(
        rows=rows.height,
        in_run=rows["sample_id"].count(),
        pictures=pictures.height,
        twins=twins.height,
        twins_in_run=int(twins["read"].sum()),
    )
    of_scores, points = curves(run, prompts, memorised_from, precision)
    by_copies, control = funnel(pictures), counted("0", twins) if twins.height else None
    found = Score(
        headline=_headline(by_copies, control, attacked=attacked),
        attacked=attacked,
        joined=joined,
        memorised_from=memorised_from,
        funnel=by_copies,
        twins=control,
        confusion=confusion(prompts) if attacked else (),
        error_rates=error_rates(prompts, pictures, memorised_from) if attacked else (),
        curves=of_scores if attacked else (),
        detectors=detectors(run.read(TRIAGE), prompts, memorised_from),
        costs=costs(run, prompts) if attacked else (),
        notes=tuple(_notes(joined, attacked=attacked)),
    )
    return Scored(
        score=found,
        pictures=pictures,
        prompts=_scored(prompts, run),
        points=points,
        detector_points=detector_points(run.read(TRIAGE), prompts, memorised_from),
        names=names,
    )


def _scored(prompts: pl.DataFrame, run: Run) -> pl.DataFrame:
    tried = prompts.filter("tried").drop("tried", "sample_id")
    triage = run.read(TRIAGE)
    if triage.is_empty():
        return tried
    wide = triage.pivot("detector", index="prompt_id", values="score")
    return tried.join(wide, on="prompt_id", how="left", maintain_order="left")


def _headline(by_copies: tuple[Funnel, ...], twins: Funnel | None, *, attacked: bool) -> str:
    """The chain's recall on what was planted more than once, and the negative control."""
    several = [one for one in by_copies if one.name != "1"]
    pictures = sum(one.pictures for one in several)
    if not attacked:
        prompted = sum(one.prompted for one in several)
        return (
            f"{prompted:,} of {pictures:,} pictures planted more than once became prompts; no model was attacked yet."
        )
    parts = (f"{one.verified:,} of {one.pictures:,} planted {one.name} times" for one in several)
    said = f"Given back: {', '.join(parts)}." if several else "Nothing was planted more than once."
    if twins is None or not twins.attacked:
        return said
    high = percent(twins.attack_recall.high)
    return f"{said} Never planted: {twins.verified:,} of {twins.attacked:,} attacked (95 % interval up to {high})."


def _notes(joined: Joined, *, attacked: bool) -> list[str]:
    notes = []
    if joined.in_run < joined.rows:
        missing = joined.rows - joined.in_run
        notes.append(
            f"{missing:,} of the truth's {joined.rows:,} rows are not among those that the audit read: "
            "not in the audited folders, set aside, or in its ledger of errors."
        )
    if joined.twins and not joined.twins_in_run:
        notes.append(
            f"None of the {joined.twins:,} twins was audited, so there is no negative control; audit the data set, the "
            "canaries and the twins together."
        )
    if attacked:
        notes.append(
            "Prompts of the kind 'verified' are known among attacked prompts only; where triage chose which to attack, "
            "their ROC favours the detector that chose (an attack with --triage none does not)."
        )
        notes.append(
            "Precision depends on how many of the prompts are planted: with fewer among them that of a threshold is "
            "lower. Recall is that of this model too: what it never learnt no attack brings back."
        )
    return notes
