"""What the duplicate search missed, as the run measured it: brute force on a random sample (`scanner.duplicates`).

The manifest holds the counts; the interval is made from them again, by the one function for it. A run that is not
finished, or was made before searches were measured, has none.

    >>> measured_recall(Run.open(Path("RUN"))).share                             # doctest: +SKIP
    0.9975
"""

from collections.abc import Mapping

from scanner.report._findings import Recall
from scanner.report._intervals import rate
from scanner.report._words import percent, scoped
from scanner.run import Run


def measured_recall(run: Run) -> Recall | None:
    """The recall that the run's own audit measured; None where it has measured none."""
    counts = run.manifest().get("parts", {}).get("audit", {}).get("recall")
    if not isinstance(counts, Mapping):
        return None
    return Recall(
        rows=counts["rows"],
        pairs=counts["pairs"],
        found=counts["found"],
        share=counts["found"] / counts["pairs"] if counts["pairs"] else None,
        whole=rate(counts["complete"], counts["with_neighbours"]),
    )


def recall_words(recall: Recall | None) -> str:
    """The same in a line: `396 of 400 pairs found (99.0 %); all of theirs for 97 of 100 rows (exact 95 % ...)`."""
    if recall is None:
        return "not measured in this run"
    if recall.share is None:
        return f"nothing to measure: brute force found no near-duplicate of the {recall.rows:,} drawn"
    return (
        f"{recall.found:,} of {recall.pairs:,} true pairs found ({percent(recall.share)}); "
        f"all of theirs for {scoped(recall.whole, 'drawn')}"
    )
