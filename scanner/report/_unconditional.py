"""What came back of a model that takes no prompt, from the tables of the unconditional attack.

>>> count_unconditional(Run.open(Path("RUN"))).memorised                     # doctest: +SKIP
"""

import polars as pl

from scanner.prompts import BUCKETS, bucket_label
from scanner.report._audit import clean, sample_refs
from scanner.report._findings import ByCopies, Unconditional
from scanner.report._intervals import rate
from scanner.report._records import Memorised
from scanner.run import Run
from scanner.tables import GROUPS, MEMORISED, SAMPLES, UNCONDITIONAL, UNCONDITIONAL_CONTROLS

LISTED = 60
PAPER = 1.0
"""The adaptive distance below which an image is the paper's candidate."""


def count_unconditional(run: Run) -> Unconditional | None:
    """The outcome; None where no such attack has come to its end."""
    threshold = run.manifest().get("parts", {}).get("attack", {}).get("adaptive_threshold")
    if threshold is None or not MEMORISED.exists(run.path):
        return None
    value = float(threshold["value"])
    adaptive = pl.col("adaptive_l2")
    images, usable, within, candidates, evaluations = (
        UNCONDITIONAL.scan(run.path)
        .select(
            pl.len(),
            adaptive.count().alias("usable"),
            (adaptive <= value).sum().alias("within"),
            (adaptive < PAPER).sum().alias("candidates"),
            pl.col("evaluations").sum(),
        )
        .collect()
        .row(0)
    )
    controls = UNCONDITIONAL_CONTROLS.read(run.path)["adaptive_l2"]
    found = MEMORISED.read(run.path)
    return Unconditional(
        images=images,
        usable=usable,
        evaluations=evaluations,
        threshold=value,
        lowered=value < float(threshold["ceiling"]),
        within=rate(within, usable),
        candidates=rate(candidates, usable),
        controls_within=rate(int((controls <= value).sum()), len(controls)),
        controls_paper=rate(int((controls < PAPER).sum()), len(controls)),
        memorised=int(found["memorised"].sum()),
        paper_pictures=found.height,
        by_copies=_by_copies(run, found),
        most=_list_memorised(run, found),
    )


def _by_copies(run: Run, found: pl.DataFrame) -> tuple[ByCopies, ...]:
    """Pictures that stand once, then duplicate groups by ranges of copies; ranges without a group are left out."""
    copies = GROUPS.scan(run.path).select("copies").collect()["copies"]
    singles = SAMPLES.scan(run.path).select(pl.len()).collect().item() - int(copies.sum())
    points = [_point("1", singles, found.filter(pl.col("copies") == 1))]
    for low, high in BUCKETS:
        high_end = high or 2**62
        pictures = int(copies.is_between(low, high_end).sum())
        points.append(
            _point(bucket_label(low, high), pictures, found.filter(pl.col("copies").is_between(low, high_end)))
        )
    return tuple(point for point in points if point.memorised.tried)


def _point(label: str, pictures: int, found: pl.DataFrame) -> ByCopies:
    return ByCopies(
        label=label, memorised=rate(int(found["memorised"].sum()), pictures), paper=rate(found.height, pictures)
    )


def _list_memorised(run: Run, found: pl.DataFrame) -> tuple[Memorised, ...]:
    """Those that most generations show."""
    most = found.sort("memorised", "generations", "adaptive_l2", descending=[True, True, False]).head(LISTED)
    refs = sample_refs(run, most["sample_id"])
    rows = map(clean, most.iter_rows(named=True))
    return tuple(Memorised(sample=refs.get(row.pop("sample_id")), review=None, **row) for row in rows)
