"""A calibration as a table: for each threshold its false-positive rate, what it would propose, and what it would find.

>>> calibration_table(found).filter(pl.col("chosen"))                     # doctest: +SKIP
"""

import numpy as np
import polars as pl
from numpy.typing import NDArray

from scanner.duplicates._calibration import Calibration, KindCalibration
from scanner.duplicates._cosines import GRID, HIGHEST, PER_UNIT, grid_point
from scanner.intervals import exact_interval
from scanner.tables import CALIBRATION

_EVERY = 50
"""Grid points from row to row: 0.005."""

Counts = NDArray[np.int64]


def calibration_table(calibration: Calibration) -> pl.DataFrame:
    """Rows of `scanner.tables.CALIBRATION`: thresholds from 0 to 0.995 in steps of 0.005, the chosen ones, and those
    of the rates 10⁻², 10⁻³, ... that the pairs can tell."""
    kinds = (calibration.decides, calibration.proposes)
    return CALIBRATION.conform(pl.concat([_rows(kind, calibration.distinct) for kind in kinds]))


def _thresholds(kind: KindCalibration) -> NDArray[np.int64]:
    """Grid points to show."""
    reaching = kind.unlike.reaching
    decades = 10.0 ** -np.arange(2, 2 + max(0, int(np.log10(max(kind.unlike.total, 1))) - 1))
    at_rates = [np.searchsorted(-reaching, -np.floor(rate * reaching[0] * (1 + 1e-12))) for rate in decades]
    steps = np.arange(PER_UNIT, PER_UNIT + HIGHEST, _EVERY)
    chosen = [grid_point(kind.threshold.cosine)] + ([] if kind.precise is None else [grid_point(kind.precise.cosine)])
    points = np.unique(np.concatenate([steps, np.array([*at_rates, *chosen], np.int64)]))
    return points[(points >= PER_UNIT) & (points <= PER_UNIT + HIGHEST)]


def _rows(kind: KindCalibration, distinct: int) -> pl.DataFrame:
    at = _thresholds(kind)
    unlike, left_out = kind.unlike.reaching[at], kind.left_out.reaching[at]
    low, high = exact_interval(unlike, kind.unlike.total)
    rate = unlike / max(kind.unlike.total, 1)
    facts = {
        "cosine": GRID[at],
        "chosen": GRID[at] == kind.threshold.cosine,
        "reached": unlike,
        "rate": rate,
        "rate_low": low,
        "rate_high": high,
        "rate_with_left_out": (unlike + left_out) / max(kind.unlike.total + kind.left_out.total, 1),
        "candidates_per_row": rate * (distinct - 1),
        "known_reached": kind.accepted.reaching[at],
    }
    shares = _shares("known", kind.accepted.reaching[at], np.full(len(at), kind.accepted.total))
    medoid = _shares("medoid", kind.to_medoid.reaching[at], np.full(len(at), kind.to_medoid.total))
    return pl.DataFrame(
        facts | {"known_share": shares["known"], "medoid_share": medoid["medoid"]} | _labelled(kind, at)
    ).with_columns(kind=pl.lit(kind.kind), pairs=pl.lit(kind.unlike.total), known=pl.lit(kind.accepted.total))


def _labelled(kind: KindCalibration, at: NDArray[np.int64]) -> dict[str, pl.Series]:
    """Precision and recall on the labelled sample, null throughout where there is none."""
    nothing = np.zeros(len(at), np.int64)
    if kind.labelled is None:
        return _shares("precision", nothing, nothing) | _shares("recall", nothing, nothing)
    same, other = kind.labelled.same.reaching[at], kind.labelled.other.reaching[at]
    everyone = np.full(len(at), kind.labelled.same.total)
    return _shares("precision", same, same + other) | _shares("recall", same, everyone)


def _shares(name: str, hits: Counts, tried: Counts) -> dict[str, pl.Series]:
    """hits / tried and its exact interval, null where nothing was tried."""
    low, high = exact_interval(hits, tried)
    share = hits / np.maximum(tried, 1)
    columns = {name: share, f"{name}_low": low, f"{name}_high": high}
    return {column: pl.Series(np.where(tried > 0, values, np.nan)).fill_nan(None) for column, values in columns.items()}
