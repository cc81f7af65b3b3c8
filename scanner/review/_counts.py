"""What was reviewed and what was not, apart: by rule so many, and by eye so many of them.

>>> count_reviews(Run.open(Path("RUN")))                                     # doctest: +SKIP
"""

from collections.abc import Mapping
from dataclasses import dataclass

import polars as pl

from scanner.review._agreement import Agreement, agreements
from scanner.review._decisions import ACCEPTED, REJECTED, UNSURE, read_decisions, standing
from scanner.review._items import GROUP, KINDS, MEMORISED, list_items
from scanner.run import Run
from scanner.tables import REVIEWS

DISPUTED, UNREVIEWED = "disputed", "unreviewed"


@dataclass(frozen=True, kw_only=True)
class Reviewed:
    """The items of one kind, each counted once whoever looked: items = accepted + rejected + disputed + unsure +
    unreviewed."""

    kind: str
    """hit, unverified, memorised or group."""
    arm: str | None
    """risk or control; None where there are no arms."""
    items: int
    """By rule: what the tables hold."""
    accepted: int
    """By eye: accepted, and rejected by nobody."""
    rejected: int
    """Rejected, and accepted by nobody."""
    disputed: int
    """Accepted by one reviewer and rejected by another."""
    unsure: int
    """Looked at by reviewers who are all unsure."""
    unreviewed: int
    """Not decided by anybody."""


@dataclass(frozen=True, kw_only=True)
class Review:
    """What people said of a run."""

    reviewers: tuple[str, ...]
    """Whoever has decided anything that is in the run, by name."""
    counts: tuple[Reviewed, ...]
    """By kind and arm, those that there are."""
    agreement: tuple[Agreement, ...]
    """Every two reviewers who judged the same items."""
    elsewhere: int
    """Items with decisions in the run that are not among its items now: their group or their pictures have changed."""


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What people said of a run: the counts, and what they came to together about each item that anybody looked at."""

    review: Review
    """The counts."""
    prompts: Mapping[str, str]
    """By prompt_id: accepted, rejected, disputed or unsure."""
    images: Mapping[int, str]
    """By image_index of what a model that takes no prompt gave back."""
    groups: Mapping[int, str]
    """By group_id."""


def count_reviews(run: Run) -> Review | None:
    """The state of a run's review; None where nobody has decided anything."""
    judged = judge_items(run)
    return None if judged is None else judged.review


def judge_items(run: Run) -> Judged | None:
    """The same with what was said of each item."""
    if not REVIEWS.parts(run.path):
        return None
    items, decisions = list_items(run), standing(read_decisions(run.path))
    rows = _with_outcomes(items, decisions).filter(pl.col("outcome") != UNREVIEWED)
    prompts = rows.drop_nulls("prompt_id").select("prompt_id", "outcome")
    images = rows.filter(pl.col("kind") == MEMORISED).select("image_index", "outcome")
    groups = rows.filter(pl.col("kind") == GROUP).select("group_id", "outcome")
    return Judged(
        review=summarise_reviews(items, decisions),
        prompts=dict(prompts.iter_rows()),
        images=dict(images.iter_rows()),
        groups=dict(groups.iter_rows()),
    )


def _with_outcomes(items: pl.DataFrame, decisions: pl.DataFrame) -> pl.DataFrame:
    """The items with the column `outcome`."""
    here = decisions.join(items.select("item"), on="item", how="semi")
    outcome = pl.DataFrame(list(outcomes(here).items()), schema={"item": pl.String, "outcome": pl.String}, orient="row")
    return items.join(outcome, on="item", how="left").with_columns(pl.col("outcome").fill_null(UNREVIEWED))


def summarise_reviews(items: pl.DataFrame, decisions: pl.DataFrame) -> Review:
    """The counts from a run's items and the decisions that hold."""
    here = decisions.join(items.select("item"), on="item", how="semi")
    counts = _with_outcomes(items, decisions).group_by("kind", "arm", "outcome").len()
    by: dict[tuple[str, str | None], dict[str, int]] = {}
    for kind, arm, name, number in counts.iter_rows():
        by.setdefault((kind, arm), {})[name] = number
    order = sorted(by, key=lambda one: (KINDS.index(one[0]), one[1] != "risk", one[1] or ""))
    return Review(
        reviewers=tuple(here["reviewer"].unique().sort()),
        counts=tuple(_reviewed(kind, arm, by[kind, arm]) for kind, arm in order),
        agreement=agreements(here),
        elsewhere=decisions["item"].n_unique() - here["item"].n_unique(),
    )


def _reviewed(kind: str, arm: str | None, found: Mapping[str, int]) -> Reviewed:
    names = (ACCEPTED, REJECTED, DISPUTED, UNSURE, UNREVIEWED)
    return Reviewed(kind=kind, arm=arm, items=sum(found.values()), **{name: found.get(name, 0) for name in names})


def outcomes(decisions: pl.DataFrame) -> dict[str, str]:
    """By item what its reviewers come to together: accepted, rejected, disputed or unsure."""
    said: dict[str, set[str]] = {}
    for item, decision in decisions.select("item", "decision").iter_rows():
        said.setdefault(item, set()).add(decision)
    return {item: together(answers) for item, answers in said.items()}


def together(answers: set[str]) -> str:
    """What several answers about one item come to; whoever is unsure leaves it to the others."""
    if {ACCEPTED, REJECTED} <= answers:
        return DISPUTED
    return next((answer for answer in (ACCEPTED, REJECTED) if answer in answers), UNSURE)
